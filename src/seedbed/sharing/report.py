"""What a push or a pull has to say."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """What moved, in lines, and what a person must look at, each in a paragraph: then the exit code is not 0."""

    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def count(number: int, word: str) -> str:
    """Say how many things of a kind there are."""
    return f"{number} {word}{'' if number == 1 else 's'}"
