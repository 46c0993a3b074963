"""CSV files: read whole, and one that is damaged, cut off or ambiguous is refused."""

import bz2
import gzip
import lzma
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES, ColumnType
from seedbed.errors import UserError, one_line

Types = Mapping[str, ColumnType]
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
NOT_KNOWN = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A"),
    *("NaN", "nan", "NULL", "null", "None"),
)
"""What stands for a missing number, truth or time; in text (NA is Namibia) only "" does."""


def read_csv(path: Path, types: Types, missing: Sequence[str]) -> pd.DataFrame:
    """Read a CSV file whole, or say what is wrong with it.

    Parameters
    ----------
    path : Path
        Compressed if it ends in .gz, .bz2, .xz or .zip (with one file in it).
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        Types of text are read as what stands there (007 stays 007); a number, or a column that is
        not listed, as what it looks like.
    missing : sequence of str
        What stands for a missing value, beside the empty field.

    Raises
    ------
    UserError
        If the file is missing, empty, damaged, cut off or not UTF-8, or two columns have one name.
    """
    if not path.is_file():
        raise UserError(
            f"{path}: there is no such file. Check the path in the conf/dataset or conf/source "
            "file."
        )
    with _refusing(path):
        names = _read_header(path)
        unknown = {
            name: ["", *missing] if types.get(name) in TEXT_TYPES else [*NOT_KNOWN, *missing]
            for name in names
        }
        return _parse(
            path,
            dtype={name: "str" for name in names if types.get(name) in (*TEXT_TYPES, "time")},
            na_values=unknown,
            low_memory=False,
            float_precision="round_trip",  # else the last bit differs from JSON's and Parquet's
        )


def _parse(path: Path, **options: Any) -> pd.DataFrame:
    with _opened(path) as file:
        # Without index_col=False, rows longer than the header make their first column the index.
        common = {"encoding": "utf-8-sig", "keep_default_na": False, "index_col": False}
        return pd.read_csv(file, engine="c", on_bad_lines="error", **common, **options)


def _read_header(path: Path) -> list[str]:
    """Return the names in the first line: pandas renames a second column of one name in silence."""
    header = _parse(path, header=None, nrows=1, dtype="str").iloc[0]
    names = [str(name) or f"Unnamed: {place}" for place, name in enumerate(header)]
    refuse_repeated(names, str(path))
    if len(names) == 1 and (other := next((sign for sign in ";\t|" if sign in names[0]), None)):
        raise UserError(
            f"{path}: the header has no comma, and {other!r} in it: {names[0][:60]!r}. Columns are "
            "separated by commas here. Write the file anew, as by "
            f"pandas.read_csv(..., sep={other!r}).to_csv(..., index=False)."
        )
    if (last := _last_line(path)) is not None and '"' not in last:
        fields = last.rstrip("\r\n").count(",") + 1
        if fields < len(names) or (last.endswith(",") and fields == len(names)):
            raise UserError(
                f"{path}: the last line ends after {fields - last.endswith(',')} of {len(names)} "
                f"columns ({last[:60]!r}), so the file was cut off. Fetch it again; if it is "
                "whole, "
                "end that line with a line feed."
            )
    return names


def _last_line(path: Path) -> str | None:
    """Return an uncompressed file's last line: pandas fills a cut-off one with missing values."""
    if path.suffix != ".csv":
        return None
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65536))
        lines = file.read().splitlines(keepends=True)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines[-1].decode("utf-8", errors="replace") if len(lines) > 1 else None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Yield the bytes of a file, decompressed by its ending."""
    if path.suffix != ".zip":
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        # macOS puts an entry of its own beside each file.
        names = archive.namelist()
        inside = [name for name in names if not name.startswith("__MACOSX/") and name[-1] != "/"]
        if len(inside) != 1:
            raise UserError(
                f"{path}: the archive holds {len(inside)} files ({', '.join(inside[:3])}), and one "
                "is "
                "expected. Leave one in it, or unpack it."
            )
        with archive.open(inside[0]) as file:
            yield file


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Say in a sentence what is wrong with a CSV file that cannot be read."""
    try:
        with warnings.catch_warnings():
            # pandas warns where rows have more values than the header has names.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            yield
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: {_first_not_utf8(path)} is not UTF-8. Convert the file: iconv -f LATIN1 -t "
            f"UTF-8 {path.name} > new.csv."
        ) from None
    except pd.errors.EmptyDataError:
        raise UserError(
            f"{path}: the file is empty. Give a file with a header line and rows."
        ) from None
    except pd.errors.ParserWarning:
        raise UserError(
            f"{path}: rows have more values than the header has names, so nobody can tell which "
            "value "
            "is whose. Name every column, or correct the rows: a comma at the end of a row makes "
            "one "
            "more value."
        ) from None
    except pd.errors.ParserError as error:
        raise UserError(
            f"{path}: this is not a whole CSV file ({one_line(error)}). Fetch it again or correct "
            "that line."
        ) from error
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"{path}: the compressed file is damaged or cut off ({one_line(error)}). Fetch it "
            "again."
        ) from error


def _first_not_utf8(path: Path) -> str:
    """Return the place of the first byte that is not UTF-8: pandas counts from a chunk's start."""
    before = 0
    with _opened(path) as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"byte {before + error.start}, in line {number},"
            before += len(line)
    return "a byte"


def refuse_repeated(names: Iterable[str], where: str) -> None:
    """Refuse columns of which two have one name.

    Raises
    ------
    UserError
        If there are; it names `where` they are.
    """
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        raise UserError(
            f"{where}: the column {', '.join(repeated)} is there more than once. Rename or remove "
            "one."
        )
