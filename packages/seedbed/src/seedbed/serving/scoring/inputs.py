"""The inputs of `seedbed score`: files of three kinds, a table or a query of a database."""

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from seedbed.config.schema import Source
from seedbed.config.source_options import CsvOptions
from seedbed.config.sources import read_options
from seedbed.data.parquet_files import parquet_files_in
from seedbed.data.source_files import ENDINGS
from seedbed.errors import UserError
from seedbed.serving.scoring.batches import Batch, Done
from seedbed.serving.scoring.reading import Wording

KINDS = ("csv", "parquet", "json")
"""The kinds of files that are read in batches."""


@dataclass(frozen=True)
class Wanted:
    """What is read of an input."""

    columns: tuple[str, ...]
    # those of them that the model needs as numbers, and the output not as they are written
    numbers: frozenset[str]
    kept: tuple[str, ...]  # those that go to the output
    size: int  # rows of a batch


class Input(Protocol):
    """Rows in an order that stays the same."""

    name: str  # for messages; never with a password
    columns: tuple[str, ...]
    rows: int | None  # how many there are, where that is known without reading them
    # what must not change between a run that was stopped and the one that goes on, as JSON
    identity: dict[str, Any]
    wording: Wording

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done."""
        ...


def open_files(text: str, options: dict[str, Any] | None, defaults: Source | None) -> Input:
    """Return an input of files.

    Parameters
    ----------
    text : str
        A file, a folder of Parquet files, or a glob.
    options : dict, optional
        How the files are written: what stands under ``source.options``.
    defaults : Source, optional
        How the project's own source is written; it counts for files of its kind.

    Raises UserError if there is no such file, its kind is not known, or an option is wrong.
    """
    from seedbed.serving.scoring.csv_input import CsvInput
    from seedbed.serving.scoring.json_input import JsonInput
    from seedbed.serving.scoring.parquet_input import ParquetInput

    paths = _find(text)
    kind = _kind_of(paths)
    if options is None and defaults is not None and defaults.kind == kind:
        options = defaults.options
    read = read_options(Source(kind=kind, options=options or {}))
    if kind == "parquet":
        return ParquetInput(text, paths, read)
    return CsvInput(text, paths, read) if kind == "csv" else JsonInput(text, paths, read)


def wording_of(options: Any) -> Wording:
    """Return how texts are understood by the options of a kind of file."""
    if isinstance(options, CsvOptions):
        missing, formats = tuple(options.missing), options.formats
        return Wording(missing, formats, options.decimal, options.thousands)
    return Wording(tuple(options.missing), options.formats)


def identity_of(paths: Sequence[Path], options: Any) -> dict[str, Any]:
    """Return by what a changed file is known: its size, and when it was written last."""
    found = [(path, path.stat()) for path in paths]
    files = [[str(path), about.st_size, about.st_mtime_ns] for path, about in found]
    return {"files": files, "reading options": options.model_dump(mode="json")}


def _find(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        if found := parquet_files_in(path):
            return found
        raise UserError(
            f"{text}: no *.parquet file lies in this folder. Name a file, or files of one kind by "
            f"a glob in quotes, such as '{path}/*.csv'."
        )
    found = sorted(Path(name) for name in glob.glob(str(path), recursive=True))  # noqa: PTH207
    files = [name for name in found if name.is_file()]
    if not files:
        raise UserError(
            f"{text}: there is no such file, and no file matches it. Correct the path; a table of "
            "a database is named by --table or --query beside its address."
        )
    return files


def _kind_of(paths: Sequence[Path]) -> str:
    kinds: dict[str, Path] = {}
    for path in paths:
        kind = next((kind for kind in KINDS if path.name.endswith(ENDINGS[kind])), None)
        if kind is None:
            endings = ", ".join(ending for kind in KINDS for ending in ENDINGS[kind])
            raise UserError(
                f"{path}: its name does not tell what kind of file this is. Rename it so that it "
                f"ends in one of {endings}."
            )
        kinds.setdefault(kind, path)
    if len(kinds) > 1:
        raise UserError(
            f"{' and '.join(map(str, kinds.values()))} are of different kinds. Score files of one "
            "kind at a time: narrow the glob."
        )
    return next(iter(kinds))
