"""Joins: columns of the one row that matches, or figures of the many that do."""

from collections.abc import Callable

import pandas as pd

from seedbed.config.columns import ColumnTypes
from seedbed.config.joins import ROWS, Join
from seedbed.config.schema import ColumnLists, ColumnType, Dataset
from seedbed.data.csv_files import Types
from seedbed.data.join_figures import figures_adder, keep_digits, numbers_of, read_joined
from seedbed.data.values import read_values
from seedbed.errors import UserError, did_you_mean


def types_to_join(join: Join, types: Types) -> dict[str, ColumnType]:
    """Return the types in which the columns of the joined table are read, by their name there.

    Parameters
    ----------
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        Of the columns after the join.
    """
    names = {join.rename.get(name, name): name for name in join.columns}
    names |= {new: name for new, (name, how) in join.figures.items() if how == "last"}
    found = {name: kind for new, name in names.items() if (kind := types.get(new))}
    found |= dict.fromkeys(numbers_of(join), "number")
    if join.time:
        found[join.time] = "time"
    keys = {right: kind for left, right in join.pairs.items() if (kind := types.get(left))}
    return found | keys


class JoinedTable:
    """A table that is joined to batches of rows: every row stays, and none is doubled.

    A missing key matches nothing. A row that nothing matches gets missing values, and 0 as a count.
    Keys that are of different types are compared in the type that the lists have for them. The
    table is whole in memory.

    Parameters
    ----------
    join : Join
        If it has a time, a row of `other` counts only if it lies before ``lists.time`` of the row.
    dataset : Dataset
        Its time zone is that of times without an offset.

    Raises
    ------
    UserError
        If a key or column is missing in `other`.
    """

    def __init__(
        self, other: pd.DataFrame, join: Join, dataset: Dataset, lists: ColumnLists
    ) -> None:
        needed = [*join.columns, *(name for name in join.aggregate if name != ROWS)]
        wanted = [*join.pairs.values(), *needed, *filter(None, [join.time])]
        _refuse_absent(other, join.table, join, wanted)
        # pandas would take two missing keys for equal ones.
        self._other = other.dropna(subset=list(join.pairs.values()))
        self._join, self._dataset, self._lists = join, dataset, lists
        self._types = ColumnTypes(lists)
        self._added: dict[frozenset[str], Callable[[pd.DataFrame], pd.DataFrame]] = {}

    def add_to(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return rows with the columns that the join adds.

        Parameters
        ----------
        rows : DataFrame, shape (n_rows, n_columns)
            Its index has the number of each row, for messages.

        Returns
        -------
        DataFrame, shape (n_rows, n_columns + n_added)

        Raises UserError if a key or column is missing, a key is not unique in the table although
        nothing is aggregated, or not of one type on both sides, a column would be there twice, or a
        value is no number or time where one is needed.
        """
        join, base = self._join, self._dataset.base
        time = self._lists.time if join.time else None
        _refuse_absent(rows, base, join, [*join.pairs, *filter(None, [time])])
        names = [*rows.columns, *join.added]
        if clashing := [name for name in join.added if names.count(name) > 1]:
            raise UserError(
                f"dataset.joins: {', '.join(clashing)} of table {join.table} is a column of {base} "
                "too. Give it another name under rename in the conf/dataset file."
            )
        read: set[str] = set()
        for left, right in join.pairs.items():
            if _kind(rows[left]) == _kind(self._other[right]):
                continue
            if rows[left].isna().all():
                # A batch of nothing but missing keys has no type of its own.
                empty = self._other[right].iloc[:0].reset_index(drop=True)
                rows = rows.assign(**{left: empty.reindex(rows.index)})
                continue
            rows = rows.assign(**{left: self._read_key(rows[left], left, right)})
            read.add(left)
        key = frozenset(read)
        if key not in self._added:
            self._added[key] = self._prepare(read)
        return self._added[key](rows).set_axis(rows.index)

    def _read_key(self, values: pd.Series, left: str, right: str) -> pd.Series:
        kind = self._types.get(left)
        if kind is None:
            raise UserError(
                f"dataset.joins: {left} is {values.dtype} in {self._dataset.base} and {right} is "
                f"{self._other[right].dtype} in {self._join.table}, so no row would match. Make "
                f"them the same type, or list {left} under columns.types in the conf/dataset file."
            )
        zone = self._dataset.time_zone
        return read_values(values, left, kind, zone, exact=True, numbered=True)

    def _prepare(self, read: set[str]) -> Callable[[pd.DataFrame], pd.DataFrame]:
        """Return what adds the columns; the keys in `read` are compared in their types."""
        join, zone, other = self._join, self._dataset.time_zone, self._other
        for left, right in join.pairs.items():
            if left in read:
                key = read_joined(other, right, self._types[left], join, zone, exact=True)
                other = other.assign(**{right: key})
        if not join.aggregate:
            return _join_one(other, join, self._dataset.base)
        return figures_adder(other, join, self._lists.time, zone)


def _refuse_absent(table: pd.DataFrame, name: str, join: Join, wanted: list[str]) -> None:
    if absent := [column for column in wanted if column not in table.columns]:
        meant = did_you_mean(absent[0], sorted(table.columns))
        raise UserError(
            f"dataset.joins: table {name} has no column {absent[0]}{meant}, which the join with "
            f"{join.table} needs. Edit the join in the conf/dataset file."
        )


def _kind(values: pd.Series) -> str:
    """Return what the values of a key are: those of another kind would never match."""
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype) or dtype.kind == "M":
        return f"time {getattr(dtype, 'tz', None)}"
    return "number" if pd.api.types.is_numeric_dtype(dtype) else "text"


def _join_one(other: pd.DataFrame, join: Join, base: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Return what adds the columns of the one row of `other` that matches."""
    keys = list(join.pairs)
    new_names = {right: left for left, right in join.pairs.items()} | join.rename
    right = other[[*join.pairs.values(), *join.columns]].rename(columns=new_names)
    repeated = right.duplicated(keys)
    if repeated.any():
        example = ", ".join(
            f"{key}={value}" for key, value in right.loc[repeated, keys].iloc[0].items()
        )
        raise UserError(
            f"dataset.joins: {join.table} has {int(repeated.sum())} rows more than one for a key "
            f"({example}), so the join would double rows of {base}. Join on more keys, make the "
            "table unique, or list figures of its rows under aggregate in place of columns."
        )
    right = keep_digits(right)
    return lambda rows: rows.merge(right, how="left", on=keys)
