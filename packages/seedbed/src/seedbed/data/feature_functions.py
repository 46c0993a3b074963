"""Kinds of features that seedbed has: each a function of columns of the same row."""

from collections.abc import Callable
from functools import partial, reduce
from operator import mul
from typing import get_args

import numpy as np
import pandas as pd
from pandas.api.types import is_integer_dtype

from seedbed.config.features import PERIODS
from seedbed.config.preparation import TimePart
from seedbed.data.file_columns import read_documents

ORIGIN = pd.Timestamp("2000-01-01", tz="UTC")
"""Where the seconds of a time are counted from."""


def make_time_part(part: str, times: pd.Series) -> pd.Series:
    """Return a part of times, by the clock of their zone, as float64."""
    if part == "seconds":
        return (times - ORIGIN).dt.total_seconds()
    return getattr(times.dt, part).astype("float64")


def _cycle(part: TimePart, wave: Callable[[pd.Series], pd.Series], times: pd.Series) -> pd.Series:
    """Return the sine or cosine of a part's place in its period: December lies beside January."""
    return wave(make_time_part(part, times) * (2 * np.pi / PERIODS[part]))


def _days_between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return days from one time to the other by the clocks on the wall.

    From midnight to midnight is 1, also where that day has 23 or 25 hours.
    """
    return (end.dt.tz_localize(None) - start.dt.tz_localize(None)).dt.total_seconds() / 86_400


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above.astype("float64") / below.astype("float64").replace(0.0, np.nan)


def as_in_a_request(column: pd.Series) -> pd.Series:
    """Return a column with whole numbers as float64: they are int64 in some batches alone."""
    return column.astype("float64") if is_integer_dtype(column) else column


def _combine(*parts: pd.Series) -> pd.Series:
    texts = [as_in_a_request(part).astype("str") for part in parts]
    combined = texts[0]
    for text in texts[1:]:
        combined = combined + "|" + text
    return combined


MAKERS: dict[str, Callable[..., pd.Series]] = {
    "number": lambda values: values.astype("float64"),
    "category": lambda values: values.astype("str"),
    "text": lambda values: values.astype("str"),
    "document": read_documents,
    # The zone travels with the column: these are parts of the local time.
    **{part: partial(make_time_part, part) for part in get_args(TimePart)},
    **{f"{part}_sin": partial(_cycle, part, np.sin) for part in PERIODS},
    **{f"{part}_cos": partial(_cycle, part, np.cos) for part in PERIODS},
    "difference": lambda left, right: left.astype("float64") - right.astype("float64"),
    "ratio": _ratio,
    "product": lambda *factors: reduce(mul, (factor.astype("float64") for factor in factors)),
    "days_between": _days_between,
    "combine": _combine,
    "is_missing": lambda values: values.isna().astype("float64"),
}
