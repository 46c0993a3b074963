"""CSV files: read whole, and one that is damaged, cut off or ambiguous is refused."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.config.sources import CsvOptions
from seedbed.data.headers import name_columns, refuse_repeated
from seedbed.data.text_files import (
    PACKED,
    decoding,
    find_undecodable,
    has_wide_letters,
    opened,
    refusing_damage,
    uneven_rows,
)
from seedbed.data.values import EXACT, whole_numbers
from seedbed.errors import UserError, one_line

Types = Mapping[str, ColumnType]
NOT_KNOWN = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A"),
    *("NaN", "nan", "NULL", "null", "None"),
)
"""What stands for a missing number, truth or time; in text (NA is Namibia) only "" does."""
NAMED = 3
"""How many lines a message names."""


def read_csv(
    path: Path,
    types: Types,
    missing: Sequence[str],
    options: CsvOptions | None = None,
    *,
    as_text: bool = False,
) -> pd.DataFrame:
    """Read a CSV file whole, or say what is wrong with it.

    Parameters
    ----------
    path : Path
        Compressed if it ends in .gz, .bz2, .xz or .zip (with one file in it).
    types : mapping of str to {"number", "category", "boolean", "time"}
        A category, and a column in ``options.formats``, is read as the text that stands there (007
        stays 007); a number, or a column that is not listed, as what it looks like. Whole numbers
        keep every digit: where one is missing and a float would round, they are Int64.
    missing : sequence of str
        What stands for a missing value, beside the empty field and ``options.missing``.
    options : CsvOptions, optional
        How the file is written.
    as_text : bool
        Whether to read every column as text in which only the empty field is missing.

    Raises
    ------
    UserError
        If the file is missing, empty, damaged, cut off or in another encoding, two columns have one
        name, or a row has more or fewer values than there are columns.
    """
    options = options or CsvOptions()
    if not path.is_file():
        raise UserError(
            f"{path}: there is no such file. Check the path in the conf/dataset or conf/source "
            "file."
        )
    with _refusing(path, options):
        names, first = _read_names(path, options)
        if as_text and (table := _read_fast(path, options, first)) is not None:
            return table.set_axis(names, axis=1)
        texts = set(
            names
            if as_text
            else (name for name in names if types.get(name) in ("category", "time"))
        ).union(options.formats)
        few, many = ["", *missing, *options.missing], [*NOT_KNOWN, *missing, *options.missing]
        unknown = {
            name: few if as_text or types.get(name) == "category" else many for name in names
        }
        reading = {"na_values": unknown, "low_memory": False, **_header(names, options)}
        frame = _parse(
            path,
            options,
            dtype={name: "str" for name in names if name in texts},
            float_precision="round_trip",  # else the last bit differs from JSON's and Parquet's
            **reading,
        )
        if len(frame) and not options.fill_short_rows and frame.iloc[:, -1].isna().any():
            _refuse_short_rows(path, options, len(names))
        for name in frame.columns.difference(texts):
            if types.get(name) and isinstance(frame[name].dtype, pd.StringDtype):
                # pandas leaves the empty text in a column of numbers beyond 2^63.
                frame[name] = frame[name].mask(frame[name].isin(unknown[name]))
        rounded = [
            name
            for name in frame.columns
            if frame[name].dtype == "float64" and frame[name].abs().max() >= EXACT
        ]
        if rounded:
            digits = _parse(path, options, usecols=rounded, dtype="str", **reading)
            for name in rounded:
                frame[name] = _restore_digits(digits[name], frame[name], options.thousands)
        return frame


def _parse(path: Path, options: CsvOptions, **more: Any) -> pd.DataFrame:
    quoting = {"quoting": 3} if options.quote is None else {"quotechar": options.quote}
    with opened(path, text=not has_wide_letters(options.encoding)) as file:
        return pd.read_csv(
            file,
            engine="c",
            sep=options.separator,
            encoding=decoding(options.encoding),
            escapechar=options.escape,
            decimal=options.decimal,
            thousands=options.thousands,
            skiprows=options.skip_rows + (options.header or 1) - 1,
            keep_default_na=False,
            # Else rows longer than the header make their first column the index.
            index_col=False,
            on_bad_lines="error",
            **quoting,
            **more,
        )


def _header(names: list[str], options: CsvOptions) -> dict[str, Any]:
    """Return what pandas is told of the names: nothing where they stand in the first line."""
    if options.header is None:
        return {"header": None, "names": names}
    return {} if options.names is None else {"header": 0, "names": names}


def _restore_digits(texts: pd.Series, floats: pd.Series, thousands: str | None) -> pd.Series:
    """Return numbers with all their digits, as text where no integer holds them, else floats."""
    digits = texts.str.strip()
    if thousands is not None:
        digits = digits.str.replace(thousands, "", regex=False)
    if not digits.dropna().str.fullmatch(r"[+-]?[0-9]+").all():
        return floats
    found = whole_numbers(digits, texts.index)
    return digits if found is None else found


def _read_names(path: Path, options: CsvOptions) -> tuple[list[str], list[str]]:
    """Return the columns' names, and the first row as it stands in the file.

    pandas renames a second column of one name in silence.
    """
    first = _parse(path, options, header=None, nrows=1, dtype="str").iloc[0].astype("str").tolist()
    header = None if options.header is None else first
    names = name_columns(header, len(first), options.names)
    refuse_repeated(
        names, str(path), "Rename or remove one, or list names of your own in source.options.names."
    )
    signs = [sign for sign in (",", ";", "\t", "|") if sign in first[0]]
    if len(names) == 1 and signs and options.separator not in first[0]:
        called = {",": "comma"}.get(options.separator, repr(options.separator))
        raise UserError(
            f"{path}: the header has no {called}, and {signs[0]!r} in it: {first[0][:60]!r}. "
            f"If columns are separated by that, set source.options.separator to {signs[0]!r}."
        )
    last = _last_line(path, options)
    if last is not None and (options.quote is None or options.quote not in last):
        bare = last.rstrip("\r\n")
        values, whole = bare.count(options.separator) + 1, bare != last
        is_short = values < len(names) and not (whole and options.fill_short_rows)
        is_open = not whole and last.endswith(options.separator) and values == len(names)
        if is_short or is_open:
            raise UserError(
                f"{path}: the last line ends after {values - last.endswith(options.separator)} of "
                f"{len(names)} columns ({last[:60]!r}), so the file was cut off. Fetch it again; "
                "if it is whole, end that line with a line feed."
            )
    return names, first


def _read_fast(path: Path, options: CsvOptions, first: list[str]) -> pd.DataFrame | None:
    """Return a table of text, read in a fraction of pandas' time, or None where pandas must."""
    import pyarrow as pa
    from pyarrow import csv

    generated = [f"f{place}" for place in range(len(first))]
    columns = generated if options.header is None else first
    try:
        with opened(path, text=not has_wide_letters(options.encoding)) as file:
            table = csv.read_csv(
                file,
                csv.ReadOptions(
                    encoding=options.encoding,
                    skip_rows=options.skip_rows + (options.header or 1) - 1,
                    autogenerate_column_names=options.header is None,
                ),
                csv.ParseOptions(
                    delimiter=options.separator,
                    quote_char=options.quote or False,
                    escape_char=options.escape or False,
                    newlines_in_values=True,
                ),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.large_string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
    except (pa.ArrowException, UnicodeDecodeError):
        return None  # pandas says what is wrong
    last = table.slice(max(0, len(table) - 1)).to_pylist()
    if any("\n" in (value or "") for row in last for value in row.values()):
        return None  # a quote that is never closed, maybe
    return table.to_pandas()


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


def _refuse_short_rows(path: Path, options: CsvOptions, width: int) -> None:
    """Refuse rows that end early: pandas takes what is not there for missing."""
    if uneven := _uneven(path, options, width):
        raise UserError(
            f"{path}: {uneven}, and there are {width} columns. Correct these rows; if only what "
            "is missing at their end was left out, set source.options.fill_short_rows to true."
        )


def _uneven(path: Path, options: CsvOptions, width: int) -> str:
    """Return which lines have another number of values, as a sentence; empty if none has."""
    skip = options.skip_rows + (options.header or 1) - 1
    rows = uneven_rows(path, options.encoding, options.separator, options.quote, skip, width)
    found = list(islice(rows, NAMED + 1))
    lines = [f"line {line} has {values} value{'s'[: values != 1]}" for line, values in found]
    return ", ".join(lines[:NAMED]) + (" and so on" if len(found) > NAMED else "")


@contextmanager
def _refusing(path: Path, options: CsvOptions) -> Iterator[None]:
    """Say in a sentence what is wrong with a CSV file that cannot be read."""
    try:
        with warnings.catch_warnings(), refusing_damage(path):
            # pandas warns where rows have more values than the header has names.
            warnings.simplefilter("error", pd.errors.ParserWarning)
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
    except pd.errors.ParserWarning:
        raise UserError(
            f"{path}: rows have more values than the header has names, so nobody can tell which "
            f"value is whose{_where_uneven(path, options)}. Name every column, or correct the "
            "rows: a comma at the end of a row makes one more value."
        ) from None
    except pd.errors.ParserError as error:
        raise UserError(
            f"{path}: this is not a whole CSV file ({one_line(error)}"
            f"{_where_uneven(path, options)}). Fetch it again or correct that line."
        ) from error


def _where_uneven(path: Path, options: CsvOptions) -> str:
    try:
        first = _parse(path, options, header=None, nrows=1, dtype="str")
        found = _uneven(path, options, len(first.columns))
    except (UserError, ValueError):
        return ""
    return f": {found}, and the first row {len(first.columns)}" if found else ""
