"""A column that a model should not see, and how many rows it takes to say so."""

from dataclasses import dataclass

LEAST_ROWS = 15
"""Rows below which no column is suspected; also rows of a class, or with a value missing."""
MOST_ROWS = 20_000
"""Rows that scores are made of."""


@dataclass(frozen=True)
class Leak:
    """A column that a model should not see."""

    column: str
    reason: str  # a short phrase with the figure
    score: float  # between 0 and 1; what it measures stands in the reason


def percent(share: float) -> str:
    """Return a share as a figure of a reason."""
    return f"{100 * share:.3g} %"
