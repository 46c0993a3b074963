"""Stateless features: each is a function of its own row, also when it is served."""

from collections.abc import Callable
from functools import partial, reduce
from operator import mul
from typing import TypeVar, get_args

import numpy as np
import pandas as pd

from seedbed.config.extensions import refuse_unknown
from seedbed.config.features import KINDS, NUMBERS, PERIODS, FeatureKind, Takes, plan_features
from seedbed.config.modelling import Problem
from seedbed.config.preparation import Features, TimePart
from seedbed.config.project import project_module
from seedbed.config.schema import ColumnType
from seedbed.data.file_columns import read_documents, read_images
from seedbed.data.one_value import LARGEST
from seedbed.data.roles import Columns
from seedbed.errors import UserError

Function = TypeVar("Function", bound=Callable[..., pd.Series])
Makers = dict[str, tuple[Callable[..., pd.Series], tuple[str, ...]]]
ORIGIN = pd.Timestamp("2000-01-01", tz="UTC")
"""Where the seconds of a time are counted from."""


def compute_features(frame: pd.DataFrame, columns: Columns, features: Features) -> pd.DataFrame:
    """Return what a model sees of cleaned rows.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Cleaned rows; columns that no feature is made of may be absent.
    columns : dict of str to Column

    Returns
    -------
    DataFrame, shape (n_rows, n_features)
        Numbers as float64, categories and texts as str, images as pixels in hexadecimal. Same index
        as `frame`. Parts of the time are there where there is a time column; of a date feature
        there are its parts alone.

    Raises UserError if a derived feature uses a column that does not exist or is known only after
    the outcome, if a feature takes the name of a column or of another feature, or if none is left.
    """
    return make_features(frame, feature_makers(columns, features))


def feature_makers(columns: Columns, features: Features) -> Makers:
    """Return by which function each feature is made of which columns, by its name."""
    return {
        name: (_function_of(kind, features), parts)
        for name, (kind, parts) in plan_features(columns, features).items()
    }


def feature(
    columns: int | tuple[int, int | None] = 1,
    types: tuple[ColumnType, ...] = NUMBERS,
    *,
    elementwise: bool = False,
) -> Callable[[Function], Function]:
    """Register the decorated function as a kind of derived feature, under its own name.

    Parameters
    ----------
    columns : int or tuple of (int, int or None), default=1
        How many columns it takes, or at least and at most how many.
    types : tuple of str, default=("number", "boolean")
        The types of columns that it takes.
    elementwise : bool, default=False
        Promise that the function, given NumPy's float64 scalars in place of columns of numbers,
        returns the number that it gives for a row of columns: it is made of operators, functions of
        NumPy and `astype`, and of no method that only a Series has. A model that is served then
        makes the feature of a single row without pandas, many times faster.

    Raises
    ------
    UserError
        If there is a kind of this name already.

    Examples
    --------
    >>> @feature(columns=2, elementwise=True)
    ... def larger(left, right):
    ...     return np.maximum(left.astype("float64"), right.astype("float64"))
    """
    least, most = (columns, columns) if isinstance(columns, int) else columns

    def register(compute: Function) -> Function:
        name = compute.__name__
        refuse_unknown("a type of @feature", types, get_args(ColumnType), compute)
        if name in MAKERS:
            raise UserError(
                f"{compute.__module__}.{name}: seedbed itself has a kind of feature {name!r}. "
                "Give yours another name."
            )
        KINDS.add(name, FeatureKind(Takes(least, most, types), compute, elementwise), compute)
        return compute

    return register


def _function_of(kind: str, features: Features) -> Callable[..., pd.Series]:
    if kind == "image":
        return partial(read_images, size=features.image.size, color=features.image.color)
    if kind in MAKERS:
        return MAKERS[kind]
    # Named here too, so that an edit of it makes the stages stale that compute features.
    project_module("features")
    found = KINDS.find(kind)
    assert found is not None, "the plan of features knows the kind"
    return found.compute


def make_features(frame: pd.DataFrame, makers: Makers) -> pd.DataFrame:
    """Return the features of cleaned rows; a number that becomes infinite is missing.

    :func:`compute_features` in two steps: a model that is served looks up the makers once.
    """
    made = {name: make(*(frame[part] for part in parts)) for name, (make, parts) in makers.items()}
    for name, values in made.items():
        if values.dtype == "float64" and (infinite := values.abs() > LARGEST).any():
            made[name] = values.mask(infinite)
    return pd.DataFrame(made, index=frame.index)


def input_columns(columns: Columns, features: Features) -> list[str]:
    """Return the raw columns that :func:`compute_features` reads, in the order of `columns`."""
    read = {
        name for feature in plan_features(columns, features).values() for name in feature.columns
    }
    return [name for name in columns if name in read]


def kinds_of_text(columns: Columns, features: Features) -> dict[str, str]:
    """Return by its name whether a feature is free text or an image; others are left out."""
    kinds = {"text": "text", "document": "text", "image": "image"}
    plan = plan_features(columns, features)
    return {name: kinds[made.kind] for name, made in plan.items() if made.kind in kinds}


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


def _combine(*parts: pd.Series) -> pd.Series:
    # A whole number is int64 in one batch, and float64 beside a missing one or in a request.
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
