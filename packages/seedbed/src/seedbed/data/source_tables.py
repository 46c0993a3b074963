"""The tables of files and of databases: read in batches, and texts by their format."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.config.sources import read_options
from seedbed.data.batches import with_all_columns, without_empty_end
from seedbed.data.csv_files import Needed, Types, only_needed
from seedbed.data.parquet_files import read_parquet, read_parquet_files, refusing
from seedbed.data.source_files import find_files, read_file, read_files
from seedbed.data.source_texts import with_formats, without_missing
from seedbed.data.store_errors import reaching
from seedbed.data.stores import Store, is_address
from seedbed.progress import track


def read_table_files(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the rows of the file of a table, or of several of the same columns."""
    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    store = Store(str(source.path)) if is_address(source.path) else None
    found = find_files(source, dataset, table, store)
    asked = _Asked(needed)

    def read(path: str) -> Iterator[pd.DataFrame]:
        if source.kind == "parquet":
            batches = (
                _read_remote_parquet(store, path, asked)
                if store
                else read_parquet(Path(path), asked)
            )
            for batch in batches:
                yield without_missing(batch, source.kind, types, missing)
            return
        with _at_hand(store, path) as file:
            batches = read_file(source.kind, file, options, types, missing, needed=asked)
            if source.kind in ("csv", "excel"):
                batches = without_empty_end(batches)
            for batch in batches:
                yield only_needed(batch, asked)

    shown = track(found, len(found), f"files of {table}") if store else found
    for path, batch in read_files(shown, read):
        yield with_formats(batch, options, path, dataset, asked.names)


class _Asked:
    """What is needed of a table, and which columns it has."""

    def __init__(self, needed: Needed) -> None:
        self._needed = needed
        self.names: list[str] = []

    def __call__(self, names: list[str]) -> list[str]:
        self.names = names
        return self._needed(names)


@contextmanager
def _at_hand(store: Store | None, path: str) -> Iterator[Path]:
    """Yield a file of this machine, or a copy of one that is elsewhere."""
    if store is None:
        yield Path(path)
        return
    with store.fetched(path) as file:
        yield file


def _read_remote_parquet(store: Store, path: str, needed: Needed) -> Iterator[pd.DataFrame]:
    """Yield only the columns that are needed, from where they are."""
    files = None if store.is_file(path) else store.parquet_in(path)
    with reaching(path), refusing(path, "Parquet"):
        yield from read_parquet_files(
            [path] if files is None else files,
            needed,
            folder=None if files is None else path,
            filesystem=store.for_arrow(),
        )


def read_elsewhere(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a database, of the pages of a JSON API, or of a topic of Kafka."""
    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    asked = _Asked(needed)
    where = f"{source.path}, table {table}"
    rows = 0
    for batch in _batch_reader(source.kind)(source, dataset, table, types, asked):
        part = without_missing(batch, source.kind, types, missing)
        numbered = part.set_axis(pd.RangeIndex(rows, rows + len(part)))
        rows += len(part)
        yield with_formats(numbered, options, where, dataset, asked.names)


def _batch_reader(kind: str) -> Callable[..., Iterator[pd.DataFrame]]:
    """Return what reads a kind of source; what it needs is imported only then."""
    if kind == "sql":
        from seedbed.data.sql_tables import read_sql

        return read_sql
    if kind == "api":
        from seedbed.data.json_api import read_api

        return read_api
    from seedbed.data.kafka_topics import read_kafka

    return lambda *asked: with_all_columns(read_kafka(*asked))
