"""Values beyond those in training: they are answered, and a sentence says so."""

from collections.abc import Sequence
from typing import Any, Self

import pandas as pd

from seedbed.config.section import Section
from seedbed.serving.signature import InputColumn, Signature

EXAMPLES = 3
"""How many categories that never were in training a warning names."""


class Unusual(Section):
    """How many values of a column go beyond those in training, and which."""

    missing: int = 0  # of a column in which no value was missing
    unseen: int = 0  # categories that never were in training; `examples` are the first of them
    examples: tuple[str, ...] = ()
    # numbers beyond the range in training; `extremes` are the lowest and the highest of them
    outside: int = 0
    extremes: tuple[float, ...] = ()

    @classmethod
    def of(cls, column: InputColumn, missing: int, others: Sequence[Any]) -> Self:
        """Return the counts of values that are known to go beyond.

        Parameters
        ----------
        missing : int
            How many are missing, of a column in which none was.
        others : sequence
            Categories that were not in training, or numbers beyond those that were.
        """
        if not others:
            return cls(missing=missing)
        if column.categories is not None:
            new = tuple(sorted(set(others))[:EXAMPLES])
            return cls(missing=missing, unseen=len(others), examples=new)
        return cls(missing=missing, outside=len(others), extremes=(min(others), max(others)))

    def __add__(self, other: Self) -> Self:
        """Return the counts of these rows and of others."""
        both = sorted([*self.extremes, *other.extremes])
        return type(self)(
            missing=self.missing + other.missing,
            unseen=self.unseen + other.unseen,
            examples=tuple(sorted({*self.examples, *other.examples})[:EXAMPLES]),
            outside=self.outside + other.outside,
            extremes=(both[0], both[-1]) if both else (),
        )

    def sentences(self, column: InputColumn) -> list[str]:
        """Return a sentence for each kind of value that there is."""
        found, name = [], column.name
        if self.missing:
            found.append(f"{name} is missing in {self.missing:,} rows, and never was in training.")
        if self.unseen:
            found.append(
                f"{name} has values that never were in training, in {self.unseen:,} rows: "
                f"{', '.join(map(repr, self.examples))}."
            )
        if self.outside:
            low, high = self.extremes
            found.append(
                f"{name} is outside of {column.minimum:g} to {column.maximum:g}, its range in "
                f"training, in {self.outside:,} rows: {low:g} to {high:g}."
            )
        return found


def find_unusual(signature: Signature, rows: pd.DataFrame) -> list[str]:
    """Return a sentence for each column whose values go beyond those in training.

    They are allowed: the model takes an unseen category as a rare or missing one, and extrapolates
    beyond a range as its kind does.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_inputs)
        Checked and cleaned.
    """
    return [
        sentence
        for column in signature.columns
        for sentence in count_unusual(rows[column.name], column).sentences(column)
    ]


def count_unusual(values: pd.Series, column: InputColumn) -> Unusual:
    """Return how many values, checked and cleaned, go beyond those that the column had.

    Parameters
    ----------
    values : Series, shape (n_rows,)
    """
    missing = 0 if column.nullable else int(values.isna().sum())
    if column.categories is not None and column.complete:
        new = sorted(set(values.dropna().unique()) - set(column.categories))
        unseen = int(values.isin(new).sum()) if new else 0
        return Unusual(missing=missing, unseen=unseen, examples=tuple(new[:EXAMPLES]))
    low, high = column.minimum, column.maximum
    if low is not None and high is not None and (values.min() < low or values.max() > high):
        outside = values[(values < low) | (values > high)]
        extremes = (float(outside.min()), float(outside.max()))
        return Unusual(missing=missing, outside=len(outside), extremes=extremes)
    return Unusual(missing=missing)
