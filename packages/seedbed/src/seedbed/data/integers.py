"""Whole numbers that a float would round: they keep every digit, also beside missing ones."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

EXACT = 2**53
"""A float holds every whole number up to this one."""


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
    kinds = {type(value) for value in values.dropna()}
    if kinds and kinds <= {int, Decimal}:
        found = whole_numbers(values, values.index)
        return values if found is None else found
    return values.astype("boolean") if kinds == {bool} else values.infer_objects()
