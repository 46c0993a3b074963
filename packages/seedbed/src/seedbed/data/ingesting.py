"""Raw rows: the tables of a dataset joined into one, typed, cut to the window and the sample."""

import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from seedbed.config.columns import ColumnTypes, take_columns
from seedbed.config.joins import ROWS, Join
from seedbed.config.schema import ColumnLists, Dataset
from seedbed.data.batches import as_batches, begun_anew, stack_batches
from seedbed.data.csv_files import Types
from seedbed.data.joining import JoinedTable, types_to_join
from seedbed.data.roles import Columns
from seedbed.data.tables import write_batches
from seedbed.data.typed_rows import TypedRows, spooled
from seedbed.data.values import read_values
from seedbed.errors import UserError, did_you_mean

Read = Callable[[str, Types], pd.DataFrame | Iterable[pd.DataFrame]]
"""Returns a table, or batches of it, given its name and the types of its columns."""


def assemble_rows(read: Read, dataset: Dataset, lists: ColumnLists) -> pd.DataFrame:
    """Read and join the tables of `dataset`; return the columns that are listed, in their types.

    Parameters
    ----------
    read : callable
        Returns a table or batches of it, given its name and the types of its columns.
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
    joined = _read_joined(read, dataset, lists)

    def assemble() -> pd.DataFrame:
        typed = TypedRows(dataset, lists)
        batches = list(typed.read(_join(_choose(read, dataset, lists), joined)))
        dtypes = typed.dtypes()
        return pd.concat([batch.astype(dtypes) for batch in batches], ignore_index=True)

    return begun_anew(assemble)


def write_rows(
    read: Read, dataset: Dataset, lists: ColumnLists, path: Path
) -> tuple[int, list[str]]:
    """Write what :func:`assemble_rows` returns as a Parquet folder, in bounded memory.

    Of the first table only a batch is in memory, and of a sample the time of each row; joined
    tables are whole. The bytes are those of :func:`seedbed.data.tables.write_table`, however the
    first table is cut into batches. A read that breaks off begins anew with nothing left of it.

    Returns
    -------
    rows : int
    names : list of str
        Of the columns.

    Raises
    ------
    UserError
        As :func:`assemble_rows`; `path` is as it was then.
    """
    joined = _read_joined(read, dataset, lists)

    def write() -> tuple[int, list[str]]:
        typed = TypedRows(dataset, lists)
        # Types are known once all rows have been read: until then they lie beside the target.
        with spooled(typed.read(_join(_choose(read, dataset, lists), joined)), path) as spool:
            schema = typed.schema()
            write_batches(spool.read(schema), schema, path)
        return typed.rows, schema.names

    return begun_anew(write)


def _read_joined(read: Read, dataset: Dataset, lists: ColumnLists) -> list[JoinedTable]:
    """Read the tables to join, each whole."""
    types = ColumnTypes(lists)

    def whole(join: Join) -> pd.DataFrame:
        asked = join.table, types_to_join(join, types)
        return begun_anew(lambda: stack_batches(as_batches(read(*asked))))

    return [JoinedTable(whole(join), join, dataset, lists) for join in dataset.joins]


def _join(batches: Iterable[pd.DataFrame], joined: list[JoinedTable]) -> Iterator[pd.DataFrame]:
    for batch in batches:
        for table in joined:
            batch = table.add_to(batch)  # noqa: PLW2901
        yield batch


def _choose(read: Read, dataset: Dataset, lists: ColumnLists) -> Iterator[pd.DataFrame]:
    """Yield the rows of the window and the sample; their index is their number in the table."""
    batches = _numbered(as_batches(read(dataset.base, ColumnTypes(lists))))
    return _sample(_cut(batches, dataset, lists.time), dataset, lists.time)


def _numbered(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    rows = 0
    for batch in batches:
        yield batch.set_axis(pd.RangeIndex(rows, rows + len(batch)))
        rows += len(batch)


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
    typed = TypedRows(dataset, columns)
    (found,) = typed.read([rows])
    return found.astype(typed.dtypes())


def _cut(
    batches: Iterable[pd.DataFrame], dataset: Dataset, name: str | None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of the window, by the time column `name`."""
    window = dataset.window
    if window.start is None and window.end is None:
        yield from batches
        return
    if name is None:
        raise UserError(
            "dataset.window is set, and columns.time names no column. Name one in the conf/dataset "
            "file, or leave the window open."
        )
    start, end = (
        None if text is None else moment(text, dataset.time_zone)
        for text in (window.start, window.end)
    )
    found = False
    extremes: list[pd.Timestamp] = []
    for batch in batches:
        times = read_times(batch, name, dataset)
        inside = pd.Series(True, index=batch.index)
        if start is not None:
            inside &= times >= start
        if end is not None:
            inside &= times < end
        if inside.any():
            found = True
            yield batch[inside]
        elif not found:
            extremes += [times.min(), times.max()]
    if not found:
        times = pd.Series(extremes)
        raise UserError(
            f"dataset.window: no row lies in [{window.start}, {window.end}); the data run from "
            f"{times.min()} to {times.max()}. Change the window with -S or in the conf/dataset "
            "file."
        )


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
    return read_values(base[name], name, "time", dataset.time_zone, numbered=True)


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


def _sample(
    batches: Iterable[pd.DataFrame], dataset: Dataset, name: str | None
) -> Iterator[pd.DataFrame]:
    """Yield `dataset.sample` rows, evenly spread in time, or all of them."""
    if dataset.sample is None:
        yield from batches
        return
    times: list[np.ndarray] = []
    counts: list[int] = []
    with tempfile.TemporaryFile() as spool:
        for batch in batches:
            pickle.dump(batch, spool, protocol=5)
            is_timed = name is not None and name in batch.columns
            moments = read_times(batch, str(name), dataset) if is_timed else pd.Series(batch.index)
            times.append(moments.to_numpy("datetime64[us]" if is_timed else None))
            counts.append(len(batch))
        order = np.argsort(np.concatenate(times), kind="stable")
        times.clear()
        wanted = min(dataset.sample, len(order))
        taken = np.sort(order[np.linspace(0, len(order) - 1, wanted).astype("int64")])
        del order
        spool.seek(0)
        before = 0
        for count in counts:
            batch = pickle.load(spool)
            first, end = np.searchsorted(taken, [before, before + count])
            if end > first:
                yield batch.iloc[taken[first:end] - before]
            before += count
