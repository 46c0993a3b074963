"""Whole numbers that a float would round: they keep every digit, also beside missing ones."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from seedbed.errors import UserError

EXACT = 2**53
"""A float holds every whole number up to this one."""


class NumberType:
    """The type of a column of numbers, found from its batches in any order.

    It is int64 where all numbers are whole and none is missing; Int64, uint64 or UInt64 where a
    float would round one that the source has with every digit; else float64.

    Attributes
    ----------
    mistake : UserError or None
        What to raise if numbers identify something and :attr:`is_rounded`.
    """

    def __init__(self) -> None:
        self.mistake: UserError | None = None
        self._has_missing = self._has_fraction = False
        self._has_digits = self._has_no_integers = False
        self._low: int | None = None
        self._high = 0

    def add(self, values: pd.Series, *, from_float: bool) -> None:
        """Take in a batch.

        Parameters
        ----------
        values : Series, shape (n_rows,)
            Finite, of an integer type if one holds all of them, else float64.
        from_float : bool
            Whether the source has floats, which are rounded already.
        """
        is_missing = values.isna().to_numpy()
        known = values.to_numpy()
        if is_missing.any():
            self._has_missing = True
            known = values[~is_missing].to_numpy()
        if not len(known):
            return
        if known.dtype.kind == "f" and (known % 1 != 0).any():
            self._has_fraction = True
            return
        low, high = int(known.min()), int(known.max())
        if not from_float and max(-low, high) >= EXACT:
            self._has_digits = True
            self._has_no_integers |= values.dtype.kind == "f"
        self._low = low if self._low is None else min(low, self._low)
        self._high = max(high, self._high)

    @property
    def dtype(self) -> str:
        """The type of all batches together."""
        integers = self._integers()
        if integers is not None and not self._has_missing:
            return integers
        if integers is None or not self._has_digits:
            return "float64"
        return {"int64": "Int64", "uint64": "UInt64"}[integers]

    @property
    def is_rounded(self) -> bool:
        """Whether all are whole, and float64 rounds one since no integer type holds them all."""
        return self._has_digits and not self._has_fraction and self._integers() is None

    def _integers(self) -> str | None:
        low, high = self._low, self._high
        if low is None or self._has_fraction or self._has_no_integers:
            return None
        if low >= -(2**63) and high < 2**63:
            return "int64"
        return "uint64" if self._has_digits and low >= 0 and high < 2**64 else None


def whole_numbers(numbers: Iterable[Any], index: pd.Index) -> pd.Series | None:
    """Return whole numbers, missing ones among them, as integers; None where no type holds them."""
    whole = [None if pd.isna(number) else int(number) for number in numbers]
    known = [number for number in whole if number is not None]
    for dtype, low, high in (("Int64", -(2**63), 2**63), ("UInt64", 0, 2**64)):
        if known and low <= min(known) and max(known) < high:
            # pandas itself would go by way of floats.
            data = np.array([number or 0 for number in whole], dtype=dtype.lower())
            missing = np.array([number is None for number in whole])
            found = pd.Series(pd.arrays.IntegerArray(data, missing), index=index)
            return found if missing.any() else found.astype(dtype.lower())
    return None


def typed_objects(values: pd.Series) -> pd.Series:
    """Return Python's integers and truths in a column of their type, with every digit."""
    known = values.dropna()
    kinds = {type(value) for value in known}
    if kinds and kinds <= {int, Decimal}:
        found = whole_numbers(values, values.index)
        return values if found is None else found
    if int in kinds and any(type(value) is int and abs(value) >= EXACT for value in known):
        return values  # beside floats, which would round it
    return values.astype("boolean") if kinds == {bool} else values.infer_objects()
