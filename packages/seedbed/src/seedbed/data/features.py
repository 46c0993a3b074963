"""Stateless features: each is a function of its own row, so one served row gets what training did."""

from collections.abc import Callable
from functools import partial
from typing import get_args

import numpy as np
import pandas as pd

from seedbed.config.features import plan_features
from seedbed.config.schema import Features, Problem, TimePart
from seedbed.data.roles import Columns


def compute_features(frame: pd.DataFrame, columns: Columns, features: Features) -> pd.DataFrame:
    """Return what a model sees of cleaned rows.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Cleaned rows; columns that no feature is made of may be absent.
    columns : dict of str to Column
    features : Features

    Returns
    -------
    DataFrame, shape (n_rows, n_features)
        Numbers as float64, categories as str. Same index as `frame`. Parts of the time are there
        where there is a time column.

    Raises
    ------
    UserError
        If a derived feature uses a column that does not exist or is known only after the outcome,
        if a feature takes the name of a column or of another feature, or if none is left.
    """
    made = {
        name: MAKERS[kind](*(frame[column] for column in parts))
        for name, (kind, parts) in plan_features(columns, features).items()
    }
    return pd.DataFrame(made, index=frame.index)


def input_columns(columns: Columns, features: Features) -> list[str]:
    """Return the raw columns that :func:`compute_features` reads, in the order of `columns`."""
    read = {
        name for feature in plan_features(columns, features).values() for name in feature.columns
    }
    return [name for name in columns if name in read]


def make_target(values: pd.Series, problem: Problem) -> pd.Series:
    """Return the target: bool for binary, str for multiclass, float64 for regression.

    A binary target is whether a value of the target column exceeds ``problem.above``, or, without a
    limit, whether it equals ``problem.positive``.
    """
    if problem.task == "regression":
        return values.astype("float64")
    if problem.task == "multiclass":
        return values.astype("str")
    above = problem.above
    return (values > above if above is not None else values == problem.positive).astype("bool")


def _time_part(part: str, times: pd.Series) -> pd.Series:
    return getattr(times.dt, part).astype("float64")


def _clock_minutes(clock: pd.Series) -> pd.Series:
    """Return minutes after midnight of a clock reading written as HHMM."""
    return (clock // 100 * 60 + clock % 100).astype("float64")


def _days_between(start: pd.Series, end: pd.Series) -> pd.Series:
    """Return days from one time to the other by the clocks on the wall.

    From midnight to midnight is 1, also where that day has 23 or 25 hours.
    """
    return (end.dt.tz_localize(None) - start.dt.tz_localize(None)).dt.total_seconds() / 86_400


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above.astype("float64") / below.astype("float64").replace(0.0, np.nan)


def _combine(*parts: pd.Series) -> pd.Series:
    # A whole number is int64 in one batch and, beside a missing one or in a request, float64 in another.
    texts = [
        (part.astype("float64") if pd.api.types.is_integer_dtype(part) else part).astype("str")
        for part in parts
    ]
    combined = texts[0]
    for text in texts[1:]:
        combined = combined + "|" + text
    return combined


MAKERS: dict[str, Callable[..., pd.Series]] = {
    "number": lambda values: values.astype("float64"),
    "category": lambda values: values.astype("str"),
    # The zone travels with the column: these are parts of the local time.
    **{part: partial(_time_part, part) for part in get_args(TimePart)},
    "difference": lambda left, right: left.astype("float64") - right.astype("float64"),
    "ratio": _ratio,
    "clock_minutes": _clock_minutes,
    "days_between": _days_between,
    "combine": _combine,
    "is_missing": lambda values: values.isna().astype("float64"),
}
