"""Stateless features: each is a function of its own row, also when it is served."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, get_args

import numpy as np
import pandas as pd

from seedbed.config.extensions import (
    check_function,
    place_of,
    refuse_argument,
    refuse_unknown,
    refuse_without_brackets,
)
from seedbed.config.features import KINDS, NUMBERS, FeatureKind, Takes, plan_features
from seedbed.config.modelling import Problem
from seedbed.config.preparation import Features
from seedbed.config.project import project_module
from seedbed.config.schema import ColumnType
from seedbed.data.feature_functions import MAKERS, as_in_a_request
from seedbed.data.file_columns import read_images
from seedbed.data.one_value import LARGEST
from seedbed.data.roles import Columns
from seedbed.data.values import plain_values
from seedbed.errors import CodeError, UserError

Function = TypeVar("Function", bound=Callable[..., pd.Series])
Makers = dict[str, tuple[Callable[..., pd.Series], tuple[str, ...]]]


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
    the outcome, if a feature takes the name of a column or of another feature, or if none is left;
    CodeError if a function of the project gives no value for each row.
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

    It is given columns (Series) and returns a value for each row: a Series of numbers, booleans or
    texts, or an array. Numbers that it is given are float64, as they are in a request.

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
        If there is a kind of this name already, an argument is none of these, or what is decorated
        is no function of so many columns.

    Examples
    --------
    >>> @feature(columns=2, elementwise=True)
    ... def larger(left, right):
    ...     return np.maximum(left.astype("float64"), right.astype("float64"))
    """
    refuse_without_brackets(columns, "feature()")

    def register(compute: Function) -> Function:
        if not (bounds := _bounds(columns)):
            allowed = "a number from 1, or at least and at most how many: (1, 3) or (2, None)"
            refuse_argument("columns of @feature", columns, allowed)
        if not isinstance(types, (tuple, list)) or not types:
            refuse_argument("types of @feature", types, 'a tuple such as ("number",)')
        refuse_unknown("a type of @feature", types, get_args(ColumnType))
        if not isinstance(elementwise, bool):
            refuse_argument("elementwise of @feature", elementwise, "True or False")
        least, most = bounds
        for count in (least, most or least + 1):
            check_function("feature", compute, ["a column"] * count)
        name = compute.__name__
        if name in MAKERS:
            raise UserError(
                f"seedbed itself has a kind of feature {name!r}. Give yours another name."
            )
        KINDS.add(name, FeatureKind(Takes(*bounds, types), compute, elementwise), compute)
        return compute

    return register


def _bounds(columns: object) -> tuple[int, int | None] | None:
    """Return at least and at most how many columns are meant; None if that is not said."""
    match columns:
        case bool():
            return None
        case int(least):
            return (least, least) if least >= 1 else None
        case (int(least), int(most)):
            return (least, most) if 1 <= least <= most else None
        case (int(least), None):
            return (least, None) if least >= 1 else None
    return None


def _function_of(kind: str, features: Features) -> Callable[..., pd.Series]:
    if kind == "image":
        return partial(read_images, size=features.image.size, color=features.image.color)
    if kind in MAKERS:
        return MAKERS[kind]
    # Named here too, so that an edit of it makes the stages stale that compute features.
    project_module("features")
    found = KINDS.find(kind)
    assert found is not None, "the plan of features knows the kind"
    return partial(_make_own, kind, found.compute)


def _make_own(kind: str, compute: Callable[..., Any], *columns: pd.Series) -> pd.Series:
    """Return what a function of the project gives, as float64 or str: a value for each row.

    A Series is aligned by its index, so that rows it leaves out are missing.
    """
    given, index = compute(*map(as_in_a_request, columns)), columns[0].index
    what = f"a value of type {type(given).__name__}"
    values: pd.Series | None = None
    if isinstance(given, pd.Series):
        if given.index.equals(index):
            values = given
        elif given.index.is_unique and given.index.isin(index).all():
            values = given.reindex(index)
        else:
            what = f"{len(given):,} values whose index is not that of the rows"
    elif np.ndim(given) == 1:
        what = f"{len(given):,} values"
        values = pd.Series(given, index=index) if len(given) == len(index) else None
    if values is not None:
        what = f"values of type {values.dtype}"
        values = plain_values(values.convert_dtypes() if values.dtype == object else values)
        if values.dtype == object and values.isna().all():
            return values.astype("str")
        if values.dtype.kind in "biuf":
            return values.astype("float64")
        if isinstance(values.dtype, pd.StringDtype):
            return values
    raise CodeError(
        f"{place_of(compute)}: the kind of feature {kind} gives {what} for {len(index):,} rows. "
        "Return a pandas Series of numbers, booleans or texts with the index of its columns."
    )


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
