"""Figures of the many rows that a join finds for a key, of those before a moment if it has one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.joins import ROWS, Join
from seedbed.config.schema import ColumnType
from seedbed.data.integers import EXACT
from seedbed.data.values import read_values
from seedbed.errors import UserError

OF_ANY_TYPE = ("count", "last")
"""The aggregates of columns that are no numbers."""


def figures_adder(
    other: pd.DataFrame, join: Join, time: str | None, time_zone: str
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what adds figures of the rows of `other` that match.

    The rows of a key are sorted by time, and figures run along them; a row takes them where the
    last row of `other` before it stands.
    """
    given = np.zeros(len(other), dtype="int64")
    by_time = join.time is not None and time is not None
    if by_time:
        times = read_joined(other, str(join.time), "time", join, time_zone)
        other = other[times.notna()]
        given = _microseconds(times.dropna())
    moments, ranks = np.unique(given, return_inverse=True)
    new_names = {right: left for left, right in join.pairs.items()}
    keys = other[list(new_names)].rename(columns=new_names)
    codes = keys.groupby(list(join.pairs), sort=False).ngroup().to_numpy()
    different = keys.assign(_code=codes).drop_duplicates(list(join.pairs))
    width = len(moments) + 1
    places = codes * width + ranks
    order = np.argsort(places, kind="stable")
    places, groups = places[order], codes[order]
    numbers = numbers_of(join)
    columns = {
        name: read_joined(other, name, "number" if name in numbers else None, join, time_zone)
        for name in join.aggregate
        if name != ROWS
    }
    columns = {name: values.iloc[order].reset_index(drop=True) for name, values in columns.items()}
    running = {
        name: keep_digits(_run_along(columns[column], groups, how).to_frame())[column]
        for name, (column, how) in join.figures.items()
        if column != ROWS
    }

    def add(rows: pd.DataFrame) -> pd.DataFrame:
        asked = rows[list(join.pairs)].merge(different, how="left", on=list(join.pairs))["_code"]
        code = asked.fillna(-1).astype("int64").to_numpy()
        earlier = np.full(len(rows), len(moments))
        if by_time:
            moment = read_values(rows[time], str(time), "time", time_zone, numbered=True)
            # No row lies before a missing time, which is the least of all integers.
            earlier = np.searchsorted(moments, _microseconds(moment))
        first = np.searchsorted(places, code * width)
        end = np.searchsorted(places, code * width + earlier)
        # Row -1 does not exist: its figures are missing.
        last = np.where(end > first, end - 1, -1)
        added: dict[str, pd.Series | NDArray[np.int64]] = {}
        for name, (column, how) in join.figures.items():
            if column == ROWS:
                added[name] = end - first
                continue
            found = running[name].reindex(last).reset_index(drop=True)
            added[name] = found.fillna(0).astype("int64") if how == "count" else found
        return pd.concat([rows.reset_index(drop=True), pd.DataFrame(added)], axis=1)

    return add


def _run_along(values: pd.Series, groups: NDArray[np.int64], how: str) -> pd.Series:
    """Return an aggregate of each row and those before it in its group.

    Sums start anew in each group: the large values of one do not round those of another.
    """
    known = values.notna()
    counts = known.groupby(groups).cumsum()
    if how == "count":
        return counts.rename(values.name)
    if how in ("sum", "mean"):
        sums = values.astype("float64").fillna(0).groupby(groups).cumsum()
        return (sums / counts if how == "mean" else sums).where(counts > 0)
    by_group: Any = values.groupby(groups)
    extremes = {"min": by_group.cummin, "max": by_group.cummax}
    return (extremes[how]() if how in extremes else values).groupby(groups).ffill()


def numbers_of(join: Join) -> set[str]:
    """Return the columns of which an aggregate needs numbers."""
    return {column for column, how in join.figures.values() if how not in OF_ANY_TYPE}


def read_joined(
    table: pd.DataFrame,
    name: str,
    kind: ColumnType | None,
    join: Join,
    time_zone: str,
    *,
    exact: bool = False,
) -> pd.Series:
    """Return a column of the joined table in its type, or as it is."""
    if kind is None:
        return table[name]
    try:
        return read_values(table[name], name, kind, time_zone, exact=exact)
    except UserError as error:
        raise UserError(f"dataset.joins: table {join.table}, {error}") from None


def keep_digits(frame: pd.DataFrame) -> pd.DataFrame:
    """Return large integers such that a row without one makes no floats of them."""
    large = {
        name: values.dtype.name.replace("i", "I").replace("u", "U")
        for name, values in frame.items()
        if values.dtype.name in ("int64", "uint64") and values.abs().max() >= EXACT
    }
    return frame.astype(large)


def _microseconds(times: pd.Series) -> NDArray[np.int64]:
    """Return times as integers."""
    return times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]").view("int64")
