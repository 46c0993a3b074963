"""Stateless features: each is a function of its own row alone, so that one served row gets what training rows got."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from seedbed.config.schema import UNKNOWN_BEFORE, Derived, Features
from seedbed.data.roles import Columns, columns_with, time_column
from seedbed.errors import UserError

ARITY = {"difference": 2, "ratio": 2, "clock_minutes": 1, "is_missing": 1}


def compute_features(frame: pd.DataFrame, columns: Columns, features: Features) -> pd.DataFrame:
    """Return what a model sees of cleaned rows.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Cleaned rows; columns of role target or known_after_outcome may be absent and are never read.
    columns : dict of str to Column
    features : Features

    Returns
    -------
    DataFrame, shape (n_rows, n_features)
        Numbers as float64, categories as str. Same index as `frame`.

    Raises
    ------
    UserError
        If a derived feature uses a column that does not exist or is known only after the outcome, if a feature takes
        the name of a column or of another feature, or if time parts are wanted of data without a time column.
    """
    made = {name: _plain(frame[name], columns[name].type) for name in columns_with(columns, "feature")}
    for part in features.time_parts if time_column(columns) else ():
        _refuse_taken(f"at_{part}", f"features.time_parts.{part}", {*made, *columns})
        made[f"at_{part}"] = _time_part(frame[time_column(columns)], part)
    if features.use_derived:
        for name, derived in features.derived.items():
            _check(name, derived, columns)
            _refuse_taken(name, f"features.derived.{name}", {*made, *columns})
            made[name] = DERIVED[derived.kind](*(frame[column] for column in derived.columns))
    for name in features.drop:
        if name not in made:
            raise UserError(
                f"features.drop names {name!r}, which is no feature. There are: {', '.join(made)}. Edit the conf/features file."
            )
    kept = {name: values for name, values in made.items() if name not in features.drop}
    if not kept:
        raise UserError("features: none is left for a model. Give columns the role feature, or drop fewer.")
    return pd.DataFrame(kept, index=frame.index)


def input_columns(columns: Columns, features: Features) -> list[str]:
    """Return the raw columns that :func:`compute_features` reads, in the order of `columns`."""
    read = set(columns_with(columns, "feature"))
    if features.time_parts:
        read |= set(columns_with(columns, "time"))
    if features.use_derived:
        read |= {name for derived in features.derived.values() for name in derived.columns}
    return [name for name in columns if name in read]


def make_target(frame: pd.DataFrame, task: str, column: str, above: float | None, positive: object) -> pd.Series:
    """Return the target: bool for binary, str for multiclass, float64 for regression.

    A binary target is whether `column` exceeds `above`, or, without a limit, whether it equals `positive`.
    """
    values = frame[column]
    if task == "regression":
        return values.astype("float64")
    if task == "multiclass":
        return values.astype("str")
    return (values > above if above is not None else values == positive).astype("bool")


def _plain(values: pd.Series, kind: str) -> pd.Series:
    if kind == "category":
        return values.astype("str")
    if kind == "time":
        raise UserError(
            f"columns: {values.name} is a time with the role feature. Give it the role time and use features.time_parts."
        )
    return values.astype("float64")


def _time_part(times: pd.Series, part: str) -> pd.Series:
    """Return a part of the local time; the zone travels with the column."""
    return getattr(times.dt, part).astype("float64")


def _clock_minutes(clock: pd.Series) -> pd.Series:
    """Return minutes after midnight of a clock reading written as HHMM."""
    return (clock // 100 * 60 + clock % 100).astype("float64")


def _ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return above.astype("float64") / below.astype("float64").replace(0.0, np.nan)


def _combine(*parts: pd.Series) -> pd.Series:
    combined = parts[0].astype("str")
    for part in parts[1:]:
        combined = combined + "|" + part.astype("str")
    return combined


DERIVED: dict[str, Callable[..., pd.Series]] = {
    "difference": lambda left, right: left.astype("float64") - right.astype("float64"),
    "ratio": _ratio,
    "clock_minutes": _clock_minutes,
    "combine": _combine,
    "is_missing": lambda values: values.isna().astype("float64"),
}


def _refuse_taken(name: str, where: str, taken: set[str]) -> None:
    if name in taken:
        raise UserError(f"{where}: a column or feature is called {name} already. Rename one of the two.")


def _check(name: str, derived: Derived, columns: Columns) -> None:
    where = f"features.derived.{name}"
    for column in derived.columns:
        if column not in columns:
            raise UserError(f"{where}: there is no column {column!r}. Edit features.derived in the conf/dataset file.")
        if columns[column].role in UNKNOWN_BEFORE:
            raise UserError(
                f"{where}: column {column} has the role {columns[column].role}, so it is not known when the model is asked and "
                "can never become a feature. Leave it out."
            )
    wanted = ARITY.get(derived.kind)
    if wanted is not None and len(derived.columns) != wanted:
        raise UserError(f"{where}: {derived.kind} takes {wanted} columns, and {len(derived.columns)} are given.")
