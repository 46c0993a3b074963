"""The files of a table: found by path, folder or glob, read by their kind, and stacked."""

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.data.csv_files import Needed, Types, read_csv, read_csv_batches
from seedbed.data.parquet_files import (
    parquet_files_in,
    read_feather,
    read_parquet,
    refuse_other_columns,
)
from seedbed.data.source_texts import without_missing
from seedbed.errors import UserError

ENDINGS = {
    "csv": (".csv", ".csv.gz", ".csv.zip", ".tsv", ".tsv.gz", ".tsv.zip", ".txt"),
    "parquet": (".parquet",),
    "excel": (".xlsx", ".xls", ".xlsb", ".xlsm", ".ods"),
    "json": (".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"),
    "feather": (".feather", ".arrow"),
}
"""How the file of a table ends in the folder ``source.path``, by kind."""
SHOWN = 3
"""How many of these endings a message names."""


class Files(Protocol):
    """Where files lie: on this machine, or at an address (:mod:`seedbed.data.stores`)."""

    def is_file(self, path: str) -> bool:
        """Whether there is a file."""
        ...

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Return what matches a pattern, in sorted order."""
        ...

    def parquet_in(self, folder: str) -> list[str]:
        """Return the Parquet files of a folder and of the folders in it, in sorted order."""
        ...


class LocalFiles:
    """Files of this machine: see :class:`Files`."""

    def is_file(self, path: str) -> bool:
        """Whether there is a file."""
        return Path(path).is_file()

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""
        return Path(path).exists()

    def glob(self, pattern: str) -> list[str]:
        """Return what matches a pattern, in sorted order."""
        return sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207

    def parquet_in(self, folder: str) -> list[str]:
        """Return the Parquet files of a folder and of the folders in it, in sorted order."""
        return list(map(str, parquet_files_in(Path(folder))))


def find_files(
    source: Source, dataset: Dataset, table: str, files: Files | None = None
) -> list[str]:
    """Return the files of a table, in sorted order, or the folder of Parquet files that it is.

    ``source.path`` is a file, a glob, a folder that holds a file for each table, or a folder of
    Parquet files that are one table.

    Parameters
    ----------
    files : Files, optional
        Where they lie; on this machine if it is not given.

    Raises UserError if there is none, or a path that is one table stands for several.
    """
    if source.path is None:
        raise UserError(
            f"source.path is not set, and source {source.kind} needs a file or folder: "
            "-S source.path=FOLDER."
        )
    path = source.path.rstrip("/") if files else str(Path(source.path).expanduser())
    files = files or LocalFiles()
    found = [path] if files.is_file(path) else []
    what = "one file"
    if not found and glob.has_magic(source.path) and not files.exists(path):
        found = files.glob(path)
        what = "a pattern"
        if not found:
            raise UserError(
                f"source.path: no file matches {path}. Put files there, or edit source.path."
            )
    if found and len(dataset.tables) > 1:
        raise UserError(
            f"source.path: {path} is {what}, and dataset {dataset.name} has the tables "
            f"{', '.join(dataset.table_names)}. Name the folder that holds a file for each."
        )
    return found or [_find_in_folder(path, source.kind, dataset, table, files)]


def _find_in_folder(path: str, kind: str, dataset: Dataset, table: str, files: Files) -> str:
    for ending in ENDINGS[kind]:
        if files.is_file(f"{path}/{table}{ending}"):
            return f"{path}/{table}{ending}"
    if kind == "parquet":
        if files.parquet_in(f"{path}/{table}"):
            return f"{path}/{table}"
        if len(dataset.tables) == 1 and files.parquet_in(path):
            return path
    if not files.exists(path):
        raise UserError(
            f"source.path: there is no file and no folder {path}. Put the file there, or set "
            "source.path to where it is."
        )
    names = " or ".join(f"{table}{ending}" for ending in ENDINGS[kind][:SHOWN])
    raise UserError(
        f"source.path: {path} holds no {names}. Put the file there, or set source.path to where "
        "it is."
    )


def read_file(
    kind: str,
    path: Path,
    options: Any,
    types: Types,
    missing: Sequence[str],
    *,
    as_text: bool = False,
    needed: Needed = lambda names: names,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of one file by its kind: Excel and JSON whole, others in batches.

    Parameters
    ----------
    kind : str
        One of :data:`ENDINGS`.
    options : Options
        Of that kind, see :data:`seedbed.config.sources.OPTIONS`.
    types : mapping of str to {"number", "category", "boolean", "time"}
        Of the columns that are configured.
    missing : sequence of str
        The texts that stand for a missing value.
    as_text : bool
        Whether every column of text is left as it stands in the file; `missing` is not used then.
    needed : callable, optional
        Returns which columns are needed, given all of them; only Parquet leaves out others, and CSV
        goes in batches if all of them are listed.

    Raises UserError if the file cannot be read as such a table.
    """
    if kind == "csv":
        if as_text:
            yield read_csv(path, types, missing, options, as_text=True)
        else:
            yield from read_csv_batches(path, types, missing, options, needed)
        return
    batches: Iterable[pd.DataFrame]
    if kind == "parquet":
        batches = read_parquet(path, needed)
    elif kind == "feather":
        batches = read_feather(path)
    elif kind == "excel":
        from seedbed.data.excel_files import read_excel

        batches = [read_excel(path, options)]
    else:
        from seedbed.data.json_files import read_json

        batches = [read_json(path, options)]
    for batch in batches:
        yield batch if as_text else without_missing(batch, kind, types, missing)


def read_files(
    paths: Iterable[str], read: Callable[[str], Iterable[pd.DataFrame]]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of several files of one table, and which file they are from.

    Parameters
    ----------
    paths : iterable of str
    read : callable
        Yields the rows of a file.

    Yields
    ------
    path : str
    rows : DataFrame, shape (n_rows, n_columns)
        Columns are in the order of the first file; the index is the number of each row in its file.

    Raises UserError if a file has other columns than the first.
    """
    first = ""
    names: list[str] = []
    for path in paths:
        rows = 0
        for batch in read(path):
            if not names:
                first, names = path, list(batch.columns)
            refuse_other_columns(batch.columns, names, path, first)
            yield path, batch[names].set_axis(pd.RangeIndex(rows, rows + len(batch)))
            rows += len(batch)
