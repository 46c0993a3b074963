"""A column of times, each by its own offset or by the clock of the data's time zone."""

from datetime import date

import numpy as np
import pandas as pd

from seedbed.data.one_value import Refuse
from seedbed.data.texts import OFFSET

ISO = "a time in ISO 8601, such as '2013-06-01T17:00:00-04:00'"


def read_local_times(values: pd.Series, zone: str, refuse: Refuse) -> pd.Series:
    """Return times in a zone, by each row's own offset, or by the zone's clock without one."""
    wanted = pd.DatetimeTZDtype("us", zone)
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        return values.astype(wanted)
    if values.dtype.kind == "M":
        moments, has_offset = values.dt.tz_localize("UTC"), pd.Series(False, index=values.index)
    else:
        is_text = isinstance(values.dtype, pd.StringDtype)
        text = values if is_text else values.map(_time_text).astype("str")
        text = text.where(text.str.match(r"\d", na=False))  # pandas takes "now" for a time
        has_offset = text.str.contains(OFFSET, na=False)
        moments = _parse_iso(text)
        lost = moments.isna() & text.notna()
        if lost.any():  # beside a value in nanoseconds, pandas reads no year before 1678
            moments = moments.fillna(_parse_iso(text[lost]))
        refuse(moments.isna() & values.notna(), ISO)
    local = moments.dt.tz_localize(None)
    by_clock = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").astype(wanted)
    times = moments.astype(wanted).where(has_offset, by_clock)
    wrong = times.isna() & values.notna()
    refuse(wrong, f"a time with its offset, since clocks were changed then in {zone}")
    return times


def _parse_iso(text: pd.Series) -> pd.Series:
    moments = pd.to_datetime(text, utc=True, format="ISO8601", errors="coerce")
    return moments.astype("datetime64[us, UTC]")


def _time_text(value: object) -> str | None:
    is_time = isinstance(value, str | date | np.datetime64) and not pd.isna(value)
    return str(value) if is_time else None
