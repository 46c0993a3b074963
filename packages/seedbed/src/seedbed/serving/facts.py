"""What was found out about a bundle, a line each: whether it is as it should be, and figures."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.errors import some_of

MOST_NAMES = 5


@dataclass(frozen=True)
class Fact:
    """One sentence on a bundle; `genuine` is false where something is not what it should be."""

    name: str
    text: str
    genuine: bool = True

    @classmethod
    def on(cls, name: str, text: str, wrong: Sequence[str]) -> "Fact":
        """Return what is wrong, or `text` where nothing is."""
        return cls(name, some_of(wrong, MOST_NAMES) if wrong else text, not wrong)


def print_facts(facts: Sequence[Fact]) -> None:
    """Print a line for each; exit with code 1 if something is wrong."""
    for fact in facts:
        print(f"{'ok   ' if fact.genuine else 'WRONG'}  {fact.name:<11} {fact.text}")
    if not all(fact.genuine for fact in facts):
        sys.exit(1)
