"""Sources: where the tables of a dataset come from, one function a kind."""

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from seedbed.config.project import project_module
from seedbed.config.schema import Dataset, Source
from seedbed.config.sources import SOURCES, Options, read_options, why_no_source
from seedbed.data.csv_files import Types, read_csv
from seedbed.data.databases import sqlite_file
from seedbed.data.headers import refuse_repeated
from seedbed.data.parquet_files import Needed, read_parquet_files, refusing
from seedbed.data.source_files import (
    ENDINGS,
    find_files,
    parse_texts,
    read_file,
    stack,
    without_missing,
)
from seedbed.data.stores import Store, is_address, reaching
from seedbed.data.values import plain_values
from seedbed.errors import UserError, did_you_mean
from seedbed.progress import track

Reader = Callable[[Source, Dataset, str, Types], pd.DataFrame]
KindReader = Callable[[Source, Dataset, str, Types, Needed], pd.DataFrame]
WATCHED = Path("data/source")
"""What stage ingest depends on in dvc.yaml."""


def read_source(
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed = lambda names: names,
) -> pd.DataFrame:
    """Read one table of the dataset, its columns as they come.

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

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        Unique column names, at least one row. Rows at the end that hold nothing, as Excel writes
        them, are left out.

    Raises
    ------
    UserError
        If the table is missing, empty, damaged, not UTF-8, or two of its columns have one name.
    """
    source = source.of(dataset.table(table))
    frame = _reader_of(source.kind)(source, dataset, table, types, needed)
    if source.kind not in ("sql", "kafka") and len(frame) and frame.iloc[-1].isna().all():
        filled = frame.notna().any(axis=1).to_numpy().nonzero()[0]
        frame = frame.iloc[: filled.max() + 1 if len(filled) else 0]
    if frame.empty:
        raise UserError(
            f"{table}: the table has no rows. Give a source with rows (source.path, or "
            f"dataset.tables.{table})."
        )
    plain = {name: plain_values(values) for name, values in frame.items()}
    return pd.DataFrame(plain, copy=False)


def source(read: Reader) -> Reader:
    """Register the decorated function as a kind of source, under its own name.

    It takes what :func:`read_source` takes, and returns one table. Options of its own stand under
    ``source.options``; a password is read from the environment variable that an option names.

    Raises
    ------
    UserError
        If there is a source of this name already.
    """
    if read.__name__ in READERS:
        raise UserError(
            f"{read.__module__}: seedbed itself has a source {read.__name__!r}. "
            "Give yours another name."
        )
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
    return _leaving_out(found)


def _leaving_out(read: Reader) -> KindReader:
    """Return a reader of whole tables as one that leaves out the columns that are not needed."""

    def read_needed(
        source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
    ) -> pd.DataFrame:
        frame = read(source, dataset, table, types)
        return frame.loc[:, frame.columns.isin(needed(list(frame.columns)))]

    return read_needed


def is_elsewhere(source: Source) -> bool:
    """Whether rows come from a database, a topic or an address that seedbed itself reads."""
    return source.kind in ("sql", "api", "kafka") or (
        source.kind in ENDINGS and is_address(source.path)
    )


def find_unwatched(source: Source) -> str | None:
    """Return a sentence if the source's files lie where DVC does not see them change, or None."""
    if source.path is None:
        return None
    file = sqlite_file(source.path)
    if file is None and is_elsewhere(source):
        return (
            f"source.path: {source.path} is outside of this repository, so `dvc repro` will not "
            "see when it changes. `seedbed freshness` says whether it has."
        )
    # A link in the folder counts as being there.
    path = os.path.abspath(file or Path(source.path).expanduser())  # noqa: PTH100
    if Path(path).is_relative_to(WATCHED.absolute()):
        return None
    return (
        f"source.path: {source.path} is not in {WATCHED}, so `dvc repro` will not see when it "
        "changes. "
        "Put the files, or links to them, there, or call `dvc repro --force --single-item ingest` "
        "then."
    )


def _read_package(source: Source, dataset: Dataset, table: str, types: Types) -> pd.DataFrame:
    where = dataset.table(table)
    if where.package is None:
        raise UserError(
            f"dataset.tables.{table}: source package needs a package here, and there is none. "
            "Name one in the conf/dataset file, or choose -S source=csv."
        )
    try:
        found = importlib.util.find_spec(where.package)
    except ModuleNotFoundError:
        found = None
    if found is None or found.origin is None:
        raise UserError(
            f"dataset.tables.{table}.package: the package {where.package} is not installed. "
            "Add it to pyproject.toml, then run `make lock setup`."
        )
    if where.loader is not None:
        return _load(where.package, where.loader, table)
    if where.file is None:
        raise UserError(
            f"dataset.tables.{table}: neither file nor loader is set. Set one in the conf/dataset "
            "file."
        )
    # The package itself is not imported: data packages age, their files do not.
    return read_csv(Path(found.origin).parent / where.file, types, where.missing)


def _load(package: str, loader: str, table: str) -> pd.DataFrame:
    load = getattr(importlib.import_module(package), loader, None)
    if load is None:
        raise UserError(
            f"dataset.tables.{table}.loader: {package} has no {loader}. Edit the conf/dataset file."
        )
    options = {"scaled": False} if loader == "load_diabetes" else {}
    frame = pd.DataFrame(load(as_frame=True, **options).frame)
    refuse_repeated(map(str, frame.columns), f"{package}.{loader}")
    return frame


def _read_files(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> pd.DataFrame:
    """Read the file of a table, or several of the same columns one after the other."""
    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    store = Store(str(source.path)) if is_address(source.path) else None
    found = find_files(source, dataset, table, store)
    asked = _Asked(needed)
    parts: dict[str, pd.DataFrame] = {}
    for path in track(found, len(found), f"files of {table}") if store else found:
        if store and source.kind == "parquet":
            frame = _read_remote_parquet(store, path, asked)
            frame = without_missing(frame, source.kind, types, missing)
        else:
            with _at_hand(store, path) as file:
                frame = read_file(source.kind, file, options, types, missing, needed=asked)
        if source.kind != "parquet":
            frame = frame.loc[:, frame.columns.isin(asked(list(frame.columns)))]
        parts[path] = _with_formats(frame, options, path, dataset, asked.names)
    return stack(parts)


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


def _read_remote_parquet(store: Store, path: str, needed: Needed) -> pd.DataFrame:
    """Read only the columns that are needed, from where they are."""
    files = None if store.is_file(path) else store.parquet_in(path)
    with reaching(path), refusing(path, "Parquet"):
        return read_parquet_files(
            [path] if files is None else files,
            needed,
            folder=None if files is None else path,
            filesystem=store.filesystem,
        )


def _read_sql(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> pd.DataFrame:
    from seedbed.data.sql_tables import read_sql

    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    asked = _Asked(needed)
    frame = read_sql(source, dataset, table, types, asked)
    frame = without_missing(frame, source.kind, types, missing)
    return _with_formats(frame, options, f"{source.path}, table {table}", dataset, asked.names)


def _read_api(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> pd.DataFrame:
    from seedbed.data.json_api import read_api

    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    asked = _Asked(needed)
    batches = dict(enumerate(read_api(source, dataset, table, types, asked)))
    frame = stack(batches) if batches else pd.DataFrame()
    frame = without_missing(frame, "json", types, missing)
    return _with_formats(frame, options, f"{source.path}, table {table}", dataset, asked.names)


def _read_kafka(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> pd.DataFrame:
    from seedbed.data.kafka_topics import read_kafka
    from seedbed.data.messages import stack_batches

    options = read_options(source)
    missing = [*dataset.table(table).missing, *options.missing]
    asked = _Asked(needed)
    frame = stack_batches(read_kafka(source, dataset, table, types, asked))
    frame = without_missing(frame, source.kind, types, missing)
    return _with_formats(frame, options, f"topic of table {table}", dataset, asked.names)


def _with_formats(
    frame: pd.DataFrame, options: Options, where: str, dataset: Dataset, names: list[str]
) -> pd.DataFrame:
    """Return a table whose columns of text are read by ``source.options.formats``.

    `names` are those of all columns, also of those that are left out.
    """
    for name, form in options.formats.items():
        if name in frame.columns:
            frame[name] = parse_texts(frame[name], form, f"{where}, column {name}", name)
        elif len(dataset.tables) == 1 and name not in names:
            raise UserError(
                f"source.options.formats.{name}: {where} has no such column"
                f"{did_you_mean(name, names)}. Correct the name, or remove the line."
            )
    return frame


READERS: dict[str, KindReader] = {
    "package": _leaving_out(_read_package),
    "csv": _read_files,
    "parquet": _read_files,
    "excel": _read_files,
    "json": _read_files,
    "feather": _read_files,
    "sql": _read_sql,
    "api": _read_api,
    "kafka": _read_kafka,
}
