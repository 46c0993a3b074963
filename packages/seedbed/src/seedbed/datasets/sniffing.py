"""What kind of file a person has, and the options by which to read it the same way every time."""

import glob
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import Dataset, Source, Table
from seedbed.config.source_options import OPTIONS
from seedbed.config.sources import VARIABLE, find_option_mistakes
from seedbed.data.batches import stack_batches
from seedbed.data.source_files import ENDINGS, find_files, read_file, read_files
from seedbed.data.source_texts import with_formats, without_missing
from seedbed.data.sources import read_source
from seedbed.data.text_files import opened, refusing_damage
from seedbed.datasets.csv_dialect import sniff_csv
from seedbed.datasets.excel_sheet import sniff_excel
from seedbed.datasets.json_records import sniff_json
from seedbed.errors import UserError, did_you_mean, some_of

JSON = re.compile(rb'\{\s*["}]|\[\s*\{')
"""How JSON begins; `{x},y` is the header of a CSV file."""
FILES_OF_DATABASES = {"sqlite": b"SQLite form", "duckdb": b"DUCK"}
"""How databases that are files begin; DuckDB puts a checksum before."""


@dataclass(frozen=True)
class Sniffed:
    """How to read a table."""

    kind: str  # of source: csv, parquet, excel, json, feather, sql, api or kafka
    path: str  # a file, a folder of Parquet files or a glob; the address of a database or a topic
    # ``source.options``, where they differ from the defaults
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # a sentence on each guess


def with_options(sniffed: Sniffed, given: Mapping[str, Any]) -> Sniffed:
    """Return how a table is read, by the options that a person gave and those that were found.

    Raises UserError if one is unknown or wrong.
    """
    if not given:
        return sniffed
    options = {**sniffed.options, **given}
    _refuse_options(sniffed.kind, sniffed.path, options)
    return Sniffed(sniffed.kind, sniffed.path, options, sniffed.notes)


def _refuse_options(kind: str, path: str, options: Mapping[str, Any]) -> None:
    for mistake in find_option_mistakes(Source(kind=kind, path=path, options=dict(options))):
        raise UserError(f"{mistake.key.replace('source.options.', '--option ')} {mistake.message}.")


def sniff(path: str, target: str | None = None, given: Mapping[str, Any] | None = None) -> Sniffed:
    """Return the kind of a file, a folder of files or a glob, and the options to read it by.

    Of several files, the first decides.

    Parameters
    ----------
    target : str, optional
        The column that must be there: of several sheets, the first that has it is read.
    given : dict of str to Any, optional
        Options that a person gave: they are not looked for.

    Raises UserError if there is no such file, it is no table, or a given option is unknown or
    wrong.
    """
    place = Path(path).expanduser()
    if place.is_dir():
        kind, path = _sniff_folder(place)
    elif place.is_file() or (glob.has_magic(path) and glob.glob(str(place))):  # noqa: PTH207
        kind = ""
    else:
        if glob.has_magic(path):
            raise UserError(f"{path}: no file matches this pattern. Check the path.")
        known = [other.name for other in place.parent.glob("*") if other.is_file()]
        if VARIABLE.fullmatch(path):
            raise UserError(
                f"{path}: there is no such file, and no environment variable of this name is set. "
                "Check the path, or export the variable with the URL of a database."
            )
        raise UserError(
            f"{path}: there is no such file{did_you_mean(place.name, known)}. Check the path."
        )
    first = _files(Sniffed(kind, path))[0]
    with refusing_damage(first):
        kind = kind or _kind_of(first)
        _refuse_options(kind, path, given or {})
        options, notes = _sniff_options(kind, first, target, given or {})
    return Sniffed(kind, path, options, notes)


def _sniff_options(
    kind: str, path: Path, target: str | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    if kind == "excel":
        return sniff_excel(path, target, given)
    if kind == "json":
        return ({}, []) if "records" in given else sniff_json(path)
    return sniff_csv(path, given) if kind == "csv" else ({}, [])


def read_as_text(sniffed: Sniffed) -> pd.DataFrame:
    """Read a table such that nothing is converted but columns whose format a person gave.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        Columns of text, and of cells or JSON values of several types, are str, as they stand in the
        file; only the empty field is missing. Numbers, truths and times of Parquet, Feather, Excel
        and JSON have their type. Columns and rows at the end that hold nothing are left out.

    Raises UserError if the file cannot be read so, or has no rows.
    """
    options = OPTIONS[sniffed.kind].model_validate_json(json.dumps(sniffed.options))
    dataset = Dataset(name="table", tables=[Table(name="table")])
    if sniffed.kind in ("sql", "api", "kafka"):
        source = Source(kind=sniffed.kind, path=sniffed.path, options=sniffed.options)
        frame = read_source(source, dataset, "table", {})
    else:
        read = partial(_read_file_as_text, sniffed.kind, options)
        batches = read_files(map(str, _files(sniffed)), read)
        frame = stack_batches(
            with_formats(batch, options, path, dataset, list(batch)) for path, batch in batches
        )
    filled = frame.notna()
    named = pd.Series(frame.columns, dtype="str")
    unused = (named.str.startswith("Unnamed: ") | (named == "")) & ~filled.any().to_numpy()
    last = filled.any(axis=1).to_numpy().nonzero()[0]
    if not len(last):
        raise UserError(f"{sniffed.path}: the table has no rows. Give one with rows.")
    frame = frame.loc[: frame.index[last.max()], ~unused.to_numpy()]
    return pd.DataFrame({name: _plain_text(values) for name, values in frame.items()})


def _read_file_as_text(kind: str, options: Any, path: str) -> Iterator[pd.DataFrame]:
    for batch in read_file(kind, Path(path), options, {}, [], as_text=True):
        yield without_missing(batch, kind, {}, options.missing) if options.missing else batch


def _plain_text(values: pd.Series) -> pd.Series:
    """Return values of several types as their text."""
    from seedbed.data.one_value import value_text
    from seedbed.data.values import plain_values

    if isinstance(values.dtype, pd.StringDtype):
        return values
    values = plain_values(values)
    if values.dtype != object:
        return values
    texts = [None if pd.isna(value) else value_text(value) or str(value) for value in values]
    return pd.Series(texts, index=values.index, dtype="str")


def _files(sniffed: Sniffed) -> list[Path]:
    path = Path(sniffed.path).expanduser()
    if path.is_dir():
        return [path]
    dataset = Dataset(name="table", tables=[Table(name="table")])
    found = find_files(Source(kind=sniffed.kind, path=sniffed.path), dataset, "table")
    return list(map(Path, found))


def _sniff_folder(folder: Path) -> tuple[str, str]:
    """Return the kind and the path or glob of the one table that a folder holds."""
    found = {
        ending: sorted(folder.glob(f"*{ending}"))
        for endings in ENDINGS.values()
        for ending in endings
    }
    held = [ending for ending, files in found.items() if files]
    if held in ([], [".parquet"]) and any(folder.rglob("*.parquet")):
        return "parquet", str(folder)
    if len(held) != 1:
        names = [path.name for ending in held for path in found[ending]]
        held_are = f"files of several kinds ({some_of(names, 5)})" if names else "no table"
        raise UserError(
            f"{folder}: the folder holds {held_are}. Name a file, or a pattern of files."
        )
    files = found[held[0]]
    return "", str(files[0] if len(files) == 1 else folder / f"*{held[0]}")


def _kind_of(path: Path) -> str:
    """Return the kind of a file by its first bytes: names lie, and magic numbers do not."""
    if not path.stat().st_size:
        raise UserError(f"{path}: the file is empty. Give a file with a table.")
    with path.open("rb") as file:
        start = file.read(12)
    if database := next((name for name, magic in FILES_OF_DATABASES.items() if magic in start), ""):
        raise UserError(
            f"{path}: this is a database. Give its URL, {database}:///{path.absolute()}, and name "
            "a table with --table NAME."
        )
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"ARROW1", b"FEA1")):
        return "feather"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        return "excel"
    if start.startswith(b"PK") and path.suffix != ".zip":
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if any(name.startswith("xl/") or name == "content.xml" for name in names):
            return "excel"
        raise UserError(
            f"{path}: this is an archive of {some_of(names, 3)}, and no table. Unpack it, or let "
            "its name end in .zip if it holds one CSV or JSON file."
        )
    packed = {b"\x1f\x8b": ".gz", b"BZh": ".bz2", b"\xfd7zXZ": ".xz"}
    ending = next((end for magic, end in packed.items() if start.startswith(magic)), path.suffix)
    if ending in packed.values() and path.suffix != ending:
        raise UserError(
            f"{path}: the file is compressed, and its name does not say so. Rename it to "
            f"{path.name}{ending}."
        )
    with opened(path) as file:
        text = file.read(2**16).removeprefix(b"\xef\xbb\xbf").lstrip()
    named = path.name.endswith(ENDINGS["json"])
    return "json" if named or JSON.match(text) else "csv"
