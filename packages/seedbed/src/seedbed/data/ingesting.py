"""Raw rows: the tables of a dataset joined into one, typed, cut to the window and the sample."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pandas as pd

from seedbed.config.columns import ColumnTypes, find_absent, take_columns
from seedbed.config.joins import ROWS, Join
from seedbed.config.schema import ColumnLists, Dataset
from seedbed.data.batches import as_batches, begun_anew, read_ahead, stack_batches
from seedbed.data.csv_files import Types
from seedbed.data.joining import JoinedTable, types_to_join
from seedbed.data.tables import write_files
from seedbed.data.typed_rows import TypedRows, spooled
from seedbed.data.window import cut_to_window, draw_sample

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

        def assemble() -> Iterator[pd.DataFrame]:
            return typed.read(_join(_choose(read, dataset, lists), joined))

        # Types are known once all rows have been read: until then they lie beside the target.
        with read_ahead(assemble) as batches, spooled(batches, path) as files:
            schema = typed.schema()
            write_files(files, schema, path)
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
    return draw_sample(cut_to_window(batches, dataset, lists.time), dataset, lists.time)


def _numbered(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    rows = 0
    for batch in batches:
        yield batch.set_axis(pd.RangeIndex(rows, rows + len(batch)))
        rows += len(batch)


def columns_to_read(
    table: str, names: list[str], dataset: Dataset, lists: ColumnLists
) -> list[str]:
    """Return the columns of a table that :func:`assemble_rows` needs, in the table's order.

    All of them, where a name or a glob of the configuration has none: the message about it lists
    them.
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
        if any(find_absent(lists, [*names, *added])):
            return names
        taken = {*take_columns(lists, names)}
    if not named.issubset(names):
        return names
    return [name for name in names if name in named or name in taken]
