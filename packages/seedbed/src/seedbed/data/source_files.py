"""The files of a table: found by path, folder or glob, read by their kind, and stacked."""

import glob
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from seedbed.config.schema import Dataset, Source
from seedbed.data.csv_files import NOT_KNOWN, Types, read_csv
from seedbed.data.integers import EXACT, whole_numbers
from seedbed.data.parquet_files import (
    Needed,
    parquet_files_in,
    read_feather,
    read_parquet,
    refuse_other_columns,
)
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
    source : Source
    dataset : Dataset
    table : str
    files : Files, optional
        Where they lie; on this machine if it is not given.

    Raises
    ------
    UserError
        If there is none, or a path that is one table stands for several.
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
    names = " or ".join(f"{table}{ending}" for ending in ENDINGS[kind][:SHOWN])
    raise UserError(
        f"source.path: {path} holds no {names}, and is no such file itself. Put the file there, or "
        "set source.path to where it is."
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
) -> pd.DataFrame:
    """Read one file by its kind.

    Parameters
    ----------
    kind : str
        One of :data:`ENDINGS`.
    path : Path
    options : Options
        Of that kind, see :data:`seedbed.config.sources.OPTIONS`.
    types : mapping of str to {"number", "category", "boolean", "time"}
        Of the columns that are configured.
    missing : sequence of str
        The texts that stand for a missing value.
    as_text : bool
        Whether every column of text is left as it stands in the file; `missing` is not used then.
    needed : callable, optional
        Returns which columns are needed, given all of them; only Parquet leaves out others.

    Raises
    ------
    UserError
        If the file cannot be read as such a table.
    """
    if kind == "csv":
        return read_csv(path, types, missing, options, as_text=as_text)
    if kind == "parquet":
        frame = read_parquet(path, needed)
    elif kind == "feather":
        frame = read_feather(path)
    elif kind == "excel":
        from seedbed.data.excel_files import read_excel

        frame = read_excel(path, options)
    else:
        from seedbed.data.json_files import read_json

        frame = read_json(path, options)
    return frame if as_text else without_missing(frame, kind, types, missing)


def without_missing(
    frame: pd.DataFrame, kind: str, types: Types, missing: Sequence[str]
) -> pd.DataFrame:
    """Return a table in which texts that stand for a missing value are missing; `frame` changes."""
    for name in frame.columns:
        kind_of_column = types.get(name)
        # A cell of Excel and a value of JSON have no type that a column must have.
        may_be_text = kind in ("excel", "json", "kafka") and kind_of_column not in (
            None,
            "category",
        )
        unknown = [*missing, *(NOT_KNOWN if may_be_text else ())]
        if unknown and (
            frame[name].dtype == object or isinstance(frame[name].dtype, pd.StringDtype)
        ):
            frame[name] = frame[name].mask(frame[name].isin(unknown))
    return frame


def parse_texts(values: pd.Series, form: str, where: str, name: str) -> pd.Series:
    """Return a column of text as numbers or times, by how they are written.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        What is no text, such as a number that Excel holds, stays as it is; whole numbers that are
        times, such as seconds since 1970, are read by their digits.
    form : str
        See :func:`seedbed.data.formats.parse`.
    where, name : str
        The file and the column, for messages.

    Raises
    ------
    UserError
        If a text is not written so; it names file, column, row and value.
    """
    from seedbed.data.formats import parse
    from seedbed.data.number_formats import NUMBERS

    if form not in NUMBERS and values.dtype.kind in "iuf" and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64").astype("str")
    is_text = values.notna()
    if not isinstance(values.dtype, pd.StringDtype):
        is_text = values.map(lambda value: isinstance(value, str)).astype(bool)
    texts = values[is_text].astype("str")
    texts = texts[texts.str.strip() != ""]
    found = parse(texts, form)
    lost = (found.isna() & texts.notna()).to_numpy()
    if lost.any():
        row = values.index.get_loc(texts.index[lost.argmax()])
        raise UserError(
            f"{where}: {lost.sum()} of {len(values)} values are not written as {form!r} "
            f"(source.options.formats.{name}), the first in row {row}: "
            f"{texts.iloc[lost.argmax()][:60]!r}. Correct the format or the file, or add the value "
            "to source.options.missing."
        )
    if is_text.all() or values[~is_text].isna().all():
        return found.reindex(values.index)
    others = values.mask(is_text).astype(object)
    return others.where(~values.index.isin(found.index), found.reindex(values.index).astype(object))


def stack(parts: Mapping[Any, pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of files one after the other, columns in the order of the first file.

    Raises
    ------
    UserError
        If a file has other columns than the first.
    """
    first = next(iter(parts))
    if len(parts) == 1:
        return parts[first]
    names = list(parts[first].columns)
    for path, frame in parts.items():
        refuse_other_columns(frame.columns, names, path, first)
    # A file without rows has no types.
    filled = [frame for frame in parts.values() if len(frame)] or [parts[first]]
    return pd.DataFrame({name: _stack_column([part[name] for part in filled]) for name in names})


def _stack_column(parts: list[pd.Series]) -> pd.Series:
    whole = [part for part in parts if part.dtype.kind in "iu"]
    stacked = pd.concat(parts, ignore_index=True)
    if whole and stacked.dtype == "float64" and max(part.abs().max() for part in whole) >= EXACT:
        # The column of one file lacks a value, and the other's integers must not be rounded.
        numbers = pd.concat([part.astype(object) for part in parts], ignore_index=True)
        if (stacked.dropna() % 1 == 0).all():
            return (
                found if (found := whole_numbers(numbers, stacked.index)) is not None else numbers
            )
    return stacked
