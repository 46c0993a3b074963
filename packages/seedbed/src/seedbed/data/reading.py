"""Reads values one by one, in the same way from a source and in a request: times, and telling what cannot be read."""

import reprlib
from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from seedbed.errors import UserError

ISO = "a time in ISO 8601, such as '2013-06-01T17:00:00-04:00'"
OFFSET = r"[T ]\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$"

Refuse = Callable[[pd.Series, str], None]
"""Given which values are wrong and what is wanted instead, raises a UserError if there is one."""


def read_times(values: pd.Series, zone: str, refuse: Refuse) -> pd.Series:
    """Return times in a zone. Offsets may differ from row to row; where there is none, the clock of the zone is meant.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        Times, dates or text in ISO 8601.
    zone : str
    refuse : callable

    Returns
    -------
    Series of datetime64[us, zone], shape (n_rows,)
    """
    wanted = pd.DatetimeTZDtype("us", zone)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.astype(wanted)
    if values.dtype.kind == "M":
        moments, has_offset = values.dt.tz_localize("UTC"), pd.Series(False, index=values.index)
    else:
        text = (
            values if isinstance(values.dtype, pd.StringDtype) else values.map(_text).astype("str")
        )
        text = text.where(text.str.match(r"\d", na=False))  # pandas takes "now" for a time
        has_offset = text.str.contains(OFFSET, na=False)
        moments = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
        refuse(moments.isna() & values.notna(), ISO)
    by_clock = (
        moments.dt.tz_localize(None)
        .dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
        .astype(wanted)
    )
    times = moments.astype(wanted).where(has_offset, by_clock)
    refuse(
        times.isna() & values.notna(),
        f"a time with its offset, since clocks were changed then in {zone}",
    )
    return times


def _text(value: object) -> str | None:
    """Return a text as it is, a date or a time as text, and of anything else nothing."""
    return str(value) if isinstance(value, str | date) and not pd.isna(value) else None


def refuse_values(values: pd.Series, wrong: pd.Series, name: str, remedy: str) -> None:
    """Refuse a column in which values are wrong.

    Raises
    ------
    UserError
        If one is; it names the column, how many values are wrong, the first of them and the remedy.
    """
    if wrong.any():
        place = int(np.flatnonzero(wrong.to_numpy())[0])
        found = values.iloc[place]
        found = found.item() if isinstance(found, np.generic) else found
        raise UserError(
            f"column {name}: {int(wrong.sum())} of {len(values)} values cannot be read, the first in row {place}: "
            f"{reprlib.repr(found)}. {remedy}"
        )
