"""Sources: where the tables of a dataset come from, one function a kind."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from seedbed.config.extensions import check_function
from seedbed.config.project import project_module
from seedbed.config.schema import Dataset, Source
from seedbed.config.sources import SOURCES, why_no_source
from seedbed.data.batches import as_batches, begun_anew, stack_batches
from seedbed.data.csv_files import Needed, Types, only_needed
from seedbed.data.databases import database_file
from seedbed.data.headers import refuse_repeated
from seedbed.data.package_tables import read_package
from seedbed.data.parquet_files import refuse_other_columns
from seedbed.data.source_files import ENDINGS
from seedbed.data.source_tables import (
    read_elsewhere,
    read_table_files,
)
from seedbed.data.stores import is_address
from seedbed.data.values import plain_values
from seedbed.errors import CodeError, UserError

Found: TypeAlias = pd.DataFrame | Iterable[pd.DataFrame]
"""A table, or batches of it."""
Reader = Callable[[Source, Dataset, str, Types], Found]
KindReader = Callable[[Source, Dataset, str, Types, Needed], Found]
WATCHED = Path("data/source")
"""What stage ingest depends on in dvc.yaml."""


def read_source(
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed = lambda names: names,
) -> pd.DataFrame:
    """Read one table of the dataset, whole: the batches of :func:`read_batches` as one.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)

    Raises
    ------
    UserError
        As :func:`read_batches`, or if the read breaks off three times.
    """

    def stacked() -> pd.DataFrame:
        return stack_batches(read_batches(source, dataset, table, types, needed))

    return begun_anew(stacked)


def read_batches(
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed = lambda names: names,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one table of the dataset in batches, its columns as they come.

    Rows of databases, Parquet and Feather come a batch at a time; of other files, a file.

    Parameters
    ----------
    source : Source
        Its `kind` chooses the reader.
    dataset : Dataset
    table : str
        A name in ``dataset.tables``.
    types : mapping of str to {"number", "category", "boolean", "time"}
        Of the columns that are configured, by their name in this table: a CSV file has none.
    needed : callable, optional
        Returns which columns are needed, given all of them. Parquet and databases leave the others
        where they are.

    Yields
    ------
    DataFrame, shape (n_rows, n_columns)
        At least one, each of at least one row. All have the same columns, of unique names; the
        types of a column may differ. Rows at the end of CSV and Excel files that hold nothing, as
        Excel writes them, are left out.

    Raises
    ------
    UserError
        If the table is missing, empty, damaged, not UTF-8, or two of its columns have one name.
    BrokenOff
        If the read breaks off: see :func:`~seedbed.data.batches.begun_anew`.
    """
    source = source.of(dataset.table(table))
    batches = as_batches(_reader_of(source.kind)(source, dataset, table, types, needed))
    names: list[str] | None = None
    for batch in batches:
        if batch.empty:
            continue
        found = list(batch.columns)
        names = names or found
        if found != names:
            refuse_other_columns(found, names, f"{table}, a later batch", "the first batch")
        yield pd.DataFrame({name: plain_values(batch[name]) for name in names}, copy=False)
    if names is None:
        place = source.path or table
        if len(dataset.tables) > 1:
            place = f"{source.path or source.kind}, table {table}"
        raise UserError(
            f"{place}: the table has no rows. Give it rows, or correct source.path or "
            "source.options."
        )


def source(read: Reader) -> Reader:
    """Register the decorated function as a kind of source, under its own name.

    It takes what :func:`read_batches` takes but `needed`, and returns one table, or yields batches
    of it. Options of its own stand under ``source.options``; a password is read from the
    environment variable that an option names.

    Raises
    ------
    UserError
        If there is a source of this name already, or what is decorated is no function of
        four arguments.
    """
    check_function("source", read, ["source", "dataset", "table", "types"])
    if read.__name__ in READERS:
        raise UserError(f"seedbed itself has a source {read.__name__!r}. Give yours another name.")
    SOURCES.add(read.__name__, read, read)
    return read


def _reader_of(kind: str) -> KindReader:
    if kind in READERS:
        return READERS[kind]
    # Named here too, so that an edit of it makes ingest stale.
    project_module("sources")
    found = SOURCES.find(kind)
    if found is None:
        raise UserError(f"source.kind: {why_no_source(kind)}. Edit the conf/source file.")
    return _checking(found)


def _checking(read: Reader) -> KindReader:
    """Return a reader of the project as one of seedbed's own, which leaves columns out."""

    def read_checked(
        source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
    ) -> Iterator[pd.DataFrame]:
        found = read(source, dataset, table, types)
        if not isinstance(found, Iterable) or isinstance(found, (Mapping, str, pd.Series)):
            raise _no_table(found, source.kind)
        for batch in as_batches(found):
            if not isinstance(batch, pd.DataFrame):
                raise _no_table(batch, source.kind)
            where = f"source {source.kind}, table {table}"
            if odd := [name for name in batch.columns if not isinstance(name, str)]:
                raise CodeError(
                    f"{where}: a column is called {odd[0]!r}, which is no text. Name the columns "
                    "of the DataFrame in the project's sources.py."
                )
            if named := [name for name in batch.index.names if name is not None]:
                raise CodeError(
                    f"{where}: the DataFrame has the index {', '.join(map(str, named))}, which "
                    "would be lost. Return its reset_index() in the project's sources.py."
                )
            refuse_repeated(batch.columns, where)
            yield only_needed(batch, needed)

    return read_checked


def _no_table(found: object, kind: str) -> CodeError:
    return CodeError(
        f"source.kind: {kind} gives a value of type {type(found).__name__}, where a pandas "
        "DataFrame is needed. Return one, or yield several, in the project's sources.py."
    )


def is_elsewhere(source: Source) -> bool:
    """Whether rows come from a database, a topic or an address that seedbed itself reads."""
    return source.kind in ("sql", "api", "kafka") or (
        source.kind in ENDINGS and is_address(source.path)
    )


def find_unwatched(source: Source) -> str | None:
    """Return a sentence if the source's files lie where DVC does not see them change, or None."""
    if source.path is None:
        return None
    file = database_file(source.path)
    # A link in the folder counts as being there.
    path = os.path.abspath(file or Path(source.path).expanduser())  # noqa: PTH100
    if (file or not is_elsewhere(source)) and Path(path).is_relative_to(WATCHED.absolute()):
        return None
    if is_elsewhere(source):
        where = f"not in {WATCHED}" if file else "outside of this repository"
        return (
            f"source.path: {source.path} is {where}, so `dvc repro` will not see when it changes. "
            "`seedbed freshness` says whether it has."
        )
    return (
        f"source.path: {source.path} is not in {WATCHED}, so `dvc repro` will not see when it "
        "changes. "
        "Put the files, or links to them, there, or call `dvc repro --force --single-item ingest` "
        "then."
    )


READERS: dict[str, KindReader] = {
    "package": read_package,
    "csv": read_table_files,
    "parquet": read_table_files,
    "excel": read_table_files,
    "json": read_table_files,
    "feather": read_table_files,
    "sql": read_elsewhere,
    "api": read_elsewhere,
    "kafka": read_elsewhere,
}
