"""Reads one column of rows that somebody sends: each value is judged, none is guessed."""

import sys
from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.data.reading import read_times, refuse_values


def read_values(values: pd.Series, name: str, kind: ColumnType, time_zone: str) -> pd.Series:
    """Return a column in the type that it had when the model was trained.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        Of any type: rows may come from Parquet, from a CSV file or from JSON.
    name : str
        Of the column, for messages.
    kind : {"number", "category", "boolean", "time"}
        Of the column in training.
    time_zone : str
        Of the data: in which a time without an offset is read, and which time parts are taken in.

    Returns
    -------
    Series, shape (n_rows,)
        float64, str, boolean or datetime64[us, time_zone]; None and NaN are missing.

    Raises
    ------
    UserError
        If a value is of another type; it names column, row and value.
    """
    if kind == "time":
        return read_times(values, time_zone, partial(_wanted, values, name))
    allowed, told, dtype = _TYPES[kind]
    if not _is_typed(values, kind):
        _wanted(values, name, ~values.map(allowed).astype(bool) & values.notna(), told)
    return (
        values.where(values.notna(), None).astype(dtype)
        if values.dtype == object
        else values.astype(dtype)
    )


def refuse_infinite(values: pd.Series, name: str) -> None:
    """Refuse numbers without a size.

    Raises
    ------
    UserError
        If there is one; it names column, row and value.
    """
    _wanted(values, name, np.isinf(values), "a finite number, or null where it is not known")


def _is_number(value: object) -> bool:
    """Whether a float64 can hold it: JSON knows integers of any length."""
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return is_number and not (isinstance(value, int) and abs(value) > sys.float_info.max)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_truth(value: object) -> bool:
    return isinstance(value, bool | np.bool_)


_TYPES: dict[str, tuple[Callable[[object], bool], str, Any]] = {
    "number": (_is_number, "a number, without quotes", "float64"),
    "category": (_is_text, "text, in quotes", "str"),
    "boolean": (_is_truth, "true or false, without quotes", "boolean"),
}


def _is_typed(values: pd.Series, kind: ColumnType) -> bool:
    """Whether the dtype alone says that every value is right: saves looking at each of them."""
    dtype = values.dtype
    if kind == "category":
        return isinstance(dtype, pd.StringDtype)
    is_truth = pd.api.types.is_bool_dtype(dtype)
    return is_truth if kind == "boolean" else pd.api.types.is_numeric_dtype(dtype) and not is_truth


def _wanted(values: pd.Series, name: str, wrong: pd.Series, wanted: str) -> None:
    refuse_values(values, wrong, name, f"Send {wanted}.")
