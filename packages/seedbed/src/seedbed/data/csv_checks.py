"""What is wrong with a CSV file: cut off, of rows of different length, of another encoding."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from seedbed.config.source_options import CsvOptions
from seedbed.data.text_files import (
    PACKED,
    decoding,
    find_undecodable,
    has_wide_letters,
    opened,
    refusing_damage,
)
from seedbed.errors import UserError, one_line

if TYPE_CHECKING:
    from pyarrow.csv import ParseOptions, ReadOptions

NAMED = 3
"""How many lines a message names."""


def uneven_rows(path: Path, options: CsvOptions, width: int) -> Iterator[tuple[int, int]]:
    """Yield the line, counted from 1, and the number of values of each row that has not `width`.

    Empty lines are no rows. What stands above the names is passed over.
    """
    csv.field_size_limit(2**31 - 1)  # else a text of 128 KiB is an error
    separator, quote = options.separator, options.quote
    signs = [sign for sign in (quote, options.escape) if sign is not None]
    with (
        opened(path) as file,
        io.TextIOWrapper(file, decoding(options.encoding), errors="replace") as text,
    ):
        lines = enumerate(text, 1)
        for number, line in lines:
            if number <= options.top or not line.rstrip("\n"):
                continue
            values = line.count(separator) + 1
            if any(sign in line for sign in signs):
                # It takes as many lines as the row has.
                row = chain([line], (more for _, more in lines))
                rows = csv.reader(
                    row,
                    delimiter=separator,
                    quotechar=quote,
                    escapechar=options.escape,
                    quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
                )
                values = len(next(rows))
            if values != width:
                yield number, values


def rows_are_even(path: Path, options: CsvOptions) -> bool:
    """Whether every row has as many values as the first, by Arrow's parser.

    It is many times as fast as :func:`uneven_rows`, but does not say which rows have not, and takes
    some files for damaged that are not: False is no proof.
    """
    from pyarrow import ArrowException, csv, large_string

    first = csv.ConvertOptions(include_columns=["f0"], column_types={"f0": large_string()})
    try:
        reading, parsing = arrow_options(options)
        reading.autogenerate_column_names = True
        with opened(path) as file:
            for _ in csv.open_csv(file, reading, parsing, first):
                pass
    except (ArrowException, ValueError):
        return False
    return True


def arrow_options(options: CsvOptions) -> tuple["ReadOptions", "ParseOptions"]:
    """Return how Arrow reads a file.

    Raises ValueError if a separator or a quote is no letter of ASCII.
    """
    from pyarrow import csv

    reading = csv.ReadOptions(
        encoding=options.encoding,
        skip_rows=options.top,
        autogenerate_column_names=options.header is None,
        use_threads=False,  # which would hold many blocks at once
    )
    parsing = csv.ParseOptions(
        delimiter=options.separator,
        quote_char=options.quote or False,
        escape_char=options.escape or False,
        newlines_in_values=True,
    )
    return reading, parsing


def refuse_cut_off(path: Path, options: CsvOptions, width: int) -> None:
    """Refuse a file whose last line ends early: pandas fills it with missing values.

    Raises UserError if it does.
    """
    last = _last_line(path, options)
    if last is not None and (options.quote is None or options.quote not in last):
        bare = last.rstrip("\r\n")
        values, whole = bare.count(options.separator) + 1, bare != last
        is_short = values < width and not (whole and options.fill_short_rows)
        is_open = not whole and last.endswith(options.separator) and values == width
        if is_short or is_open:
            raise UserError(
                f"{path}: the last line ends after {values - last.endswith(options.separator)} of "
                f"{width} columns ({last[:60]!r}), so the file was cut off. Fetch it again; "
                "if it is whole, end that line with a line feed."
            )


def _last_line(path: Path, options: CsvOptions) -> str | None:
    """Return an uncompressed file's last line: pandas fills a cut-off one with missing values."""
    if path.suffix in PACKED or has_wide_letters(options.encoding):
        return None
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 65536))
        lines = file.read().splitlines(keepends=True)
    while lines and not lines[-1].strip():
        lines.pop()
    return lines[-1].decode(options.encoding, errors="replace") if len(lines) > 1 else None


def refuse_short_rows(path: Path, options: CsvOptions, width: int) -> None:
    """Refuse rows that end early: pandas takes what is not there for missing."""
    if uneven := _uneven(path, options, width):
        raise UserError(
            f"{path}: {uneven}, and there are {width} columns. Correct these rows; if only what "
            "is missing at their end was left out, set source.options.fill_short_rows to true."
        )


def _uneven(path: Path, options: CsvOptions, width: int) -> str:
    """Return which lines have another number of values, as a sentence; empty if none has."""
    found = list(islice(uneven_rows(path, options, width), NAMED + 1))
    lines = [
        f"line {line} has {values} {'value' if values == 1 else 'values'}" for line, values in found
    ]
    return ", ".join(lines[:NAMED]) + (" and so on" if len(found) > NAMED else "")


@contextmanager
def refusing(path: Path, options: CsvOptions) -> Iterator[None]:
    """Say in a sentence what is wrong with a CSV file that cannot be read."""
    try:
        with refusing_damage(path):
            yield
    except (UnicodeDecodeError, UnicodeError):
        name = "UTF-8" if decoding(options.encoding) == "utf-8-sig" else options.encoding
        raise UserError(
            f"{path}: {find_undecodable(path, options.encoding)} is not {name}. Name the file's "
            "encoding in source.options.encoding, such as cp1252, cp1250 or utf-16; in a file of "
            "several encodings, correct the line."
        ) from None
    except pd.errors.EmptyDataError:
        raise UserError(
            f"{path}: the file is empty. Give a file with a header line and rows."
        ) from None
    except pd.errors.ParserError as error:
        raise UserError(
            f"{path}: this is not a whole CSV file ({one_line(error)}"
            f"{where_uneven(path, options)}). Fetch it again or correct that line."
        ) from error


def where_uneven(path: Path, options: CsvOptions) -> str:
    """Return which lines have not as many values as the first row, to stand after a sentence."""
    try:
        width = next(uneven_rows(path, options, 0), (0, 0))[1]
        found = _uneven(path, options, width)
    except (UserError, ValueError):
        return ""
    return f": {found}, and the first row {width}" if found else ""
