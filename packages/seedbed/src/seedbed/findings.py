"""What `seedbed doctor` looks for: something left behind or damaged, with the way to mend it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something left behind or damaged, and a function that mends it and says what it did."""

    description: str
    mend: Callable[[], str]
