"""Raw rows: the tables of a dataset joined into one, typed, cut to the window and the sample."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from seedbed.config.columns import ColumnTypes, resolve_columns, take_columns
from seedbed.config.joins import ROWS
from seedbed.config.schema import ColumnLists, Dataset
from seedbed.data.csv_files import Types
from seedbed.data.joining import join_table, types_to_join
from seedbed.data.roles import Columns, columns_with
from seedbed.data.values import read_values
from seedbed.errors import UserError, did_you_mean


def assemble_rows(
    read: Callable[[str, Types], pd.DataFrame], dataset: Dataset, lists: ColumnLists
) -> pd.DataFrame:
    """Read and join the tables of `dataset`; return the columns that are listed, in their types.

    Parameters
    ----------
    read : callable
        Returns a table, given its name and the types of its columns.
    dataset : Dataset
    lists : ColumnLists

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        As many rows as the first table has in the window, or ``dataset.sample`` of them. Columns
        that are not listed are left out and never read into a type.

    Raises
    ------
    UserError
        If a key or column is missing, a join would double rows, a value does not fit its column's
        type, a feature holds nothing but missing values, or no row is left.
    """
    types = ColumnTypes(lists)
    base = read(dataset.base, types)
    rows = _sample(_cut(base, dataset, lists.time), dataset, lists.time)
    for join in dataset.joins:
        table = read(join.table, types_to_join(join, types))
        rows = join_table(rows, table, join, dataset, lists)
    return set_types(rows, resolve_columns(lists, rows.columns), dataset)


def columns_to_read(
    table: str, names: list[str], dataset: Dataset, lists: ColumnLists
) -> list[str]:
    """Return the columns of a table that :func:`assemble_rows` needs, in the table's order.

    All of them, where one that the configuration names is missing: the message about it lists them.
    """
    named: set[str] = set()
    taken: set[str] = set()
    for join in dataset.joins:
        if join.table == table:
            own = {*join.pairs.values(), *join.columns, *join.aggregate} - {ROWS}
            named |= own | ({join.time} if join.time else set())
    if table == dataset.base:
        added = {name for join in dataset.joins for name in join.added}
        named |= {key for join in dataset.joins for key in join.pairs} - added
        named |= {*ColumnTypes(lists)} - added
        taken = {*take_columns(lists, names)}
    if not named.issubset(names):
        return names
    return [name for name in names if name in named or name in taken]


def set_types(rows: pd.DataFrame, columns: Columns, dataset: Dataset) -> pd.DataFrame:
    """Return exactly the configured columns, each in its type.

    See :func:`~seedbed.data.values.read_values`.

    Raises
    ------
    UserError
        If a value does not fit, or a feature or the target holds nothing but missing values.
    """
    typed = pd.DataFrame(
        {
            name: read_values(
                rows[name],
                name,
                column.type,
                dataset.time_zone,
                exact=column.key or column.role in ("key", "group"),
            )
            for name, column in columns.items()
        }
    )
    for name in columns_with(columns, "feature", "target", "time", "group"):
        if typed[name].isna().all():
            raise UserError(
                f"columns: {name} ({columns[name].role}) holds nothing but missing values in "
                f"{len(typed)} rows. Take it out of columns in the conf/dataset file, "
                "or correct the source."
            )
    return typed


def _cut(base: pd.DataFrame, dataset: Dataset, name: str | None) -> pd.DataFrame:
    """Return the rows of the window, by the time column `name`."""
    start, end = dataset.window.start, dataset.window.end
    if start is None and end is None:
        return base
    if name is None:
        raise UserError(
            "dataset.window is set, and columns.time names no column. Name one in the conf/dataset "
            "file, or leave the window open."
        )
    times = read_times(base, name, dataset)
    inside = pd.Series(True, index=base.index)
    if start is not None:
        inside &= times >= moment(start, dataset.time_zone)
    if end is not None:
        inside &= times < moment(end, dataset.time_zone)
    if not inside.any():
        raise UserError(
            f"dataset.window: no row lies in [{start}, {end}); the data run from {times.min()} to "
            f"{times.max()}. Change the window with -S or in the conf/dataset file."
        )
    return base[inside].reset_index(drop=True)


def read_times(base: pd.DataFrame, name: str, dataset: Dataset) -> pd.Series:
    """Return the time column `name` of the first table, which the window goes by.

    Returns
    -------
    Series of datetime64[us, time_zone], shape (n_rows,)

    Raises
    ------
    UserError
        If there is no such column, or a value is no time.
    """
    if name not in base.columns:
        raise UserError(
            f"columns.time: {name} is not a column of table {dataset.base}"
            f"{did_you_mean(name, base.columns)}, so dataset.window cannot be applied. Correct it "
            "in the conf/dataset file."
        )
    return read_values(base[name], name, "time", dataset.time_zone)


def moment(text: str, zone: str, key: str = "dataset.window") -> pd.Timestamp:
    """Return a bound of the window as a moment; without an offset it is one of the time zone.

    `key` is where it stands, for messages.

    Raises
    ------
    UserError
        If clocks are set back or forward there, and show that time twice or never.
    """
    found = pd.Timestamp(text)
    try:
        return found.tz_localize(zone) if found.tzinfo is None else found
    except ValueError:
        raise UserError(
            f"{key}: in {zone}, clocks show {text} twice or never. Write it with an "
            f"offset, as in {found.isoformat()}+00:00, and the other end of the window too."
        ) from None


def _sample(base: pd.DataFrame, dataset: Dataset, name: str | None) -> pd.DataFrame:
    """Return `dataset.sample` rows, evenly spread in time, or all of them."""
    if dataset.sample is None or dataset.sample >= len(base):
        return base
    order = (
        base[name].argsort(kind="stable").to_numpy()
        if name in base.columns
        else np.arange(len(base))
    )
    taken = order[np.linspace(0, len(base) - 1, dataset.sample).astype("int64")]
    return base.iloc[np.sort(taken)].reset_index(drop=True)
