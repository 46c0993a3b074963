"""Reads one column of rows that somebody sends: each value is judged, none is guessed."""

import reprlib
import sys
from collections.abc import Callable
from datetime import datetime
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.errors import UserError


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
        return _times(values, name, time_zone)
    allowed, told, dtype = _TYPES[kind]
    if not _is_typed(values, kind):
        _refuse(values, ~values.map(allowed).astype(bool) & values.notna(), name, told)
    return values.where(values.notna(), None).astype(dtype) if values.dtype == object else values.astype(dtype)


def refuse_infinite(values: pd.Series, name: str) -> None:
    """Refuse numbers without a size.

    Raises
    ------
    UserError
        If there is one; it names column, row and value.
    """
    _refuse(values, np.isinf(values), name, "a finite number, or null where it is not known")


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


def _times(values: pd.Series, name: str, time_zone: str) -> pd.Series:
    told = "a time in ISO 8601, such as '2013-06-01T17:00:00-04:00'"
    wanted = pd.DatetimeTZDtype("us", time_zone)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.astype(wanted)
    _refuse(
        values, ~values.map(lambda value: isinstance(value, str | datetime)).astype(bool) & values.notna(), name, told
    )
    text = values.map(str, na_action="ignore").astype("str")
    # Offsets may differ from row to row, and without one the clock of the data is meant, as in ingest.
    offset = text.str.contains(r":\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$", na=False)
    aware = pd.to_datetime(text.where(offset), utc=True, format="ISO8601", errors="coerce").astype(wanted)
    naive = pd.to_datetime(text.mask(offset), format="ISO8601", errors="coerce")
    local = naive.dt.tz_localize(time_zone, ambiguous="NaT", nonexistent="NaT").astype(wanted)
    times = aware.where(offset, local)
    _refuse(
        values,
        times.isna() & naive.notna(),
        name,
        f"one moment of {time_zone}, where clocks were changed: give it an offset",
    )
    _refuse(values, times.isna() & values.notna(), name, told)
    return times


def _refuse(values: pd.Series, wrong: pd.Series, name: str, wanted: str) -> None:
    if wrong.any():
        place = int(np.flatnonzero(wrong.to_numpy())[0])
        found = values.iloc[place]
        found = found.item() if isinstance(found, np.generic) else found
        raise UserError(
            f"column {name}: {int(wrong.sum())} of {len(values)} values cannot be read, the first in row {place}: "
            f"{reprlib.repr(found)}. Send {wanted}."
        )
