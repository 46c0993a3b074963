"""CSV files: read whole, and one that is damaged, cut off or ambiguous is refused."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES, ColumnType
from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_checks import arrow_options, refuse_cut_off, refuse_short_rows, refusing
from seedbed.data.csv_parsing import Digits, parse_csv, refuse_long_rows
from seedbed.data.headers import name_columns, refuse_repeated
from seedbed.data.text_files import has_wide_letters, opened
from seedbed.errors import UserError

Types = Mapping[str, ColumnType]
Needed = Callable[[list[str]], list[str]]
"""Returns which columns of a table are needed, given all of them."""
BATCH = 2**16
"""Rows that are read at once."""
NOT_KNOWN = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A"),
    *("NaN", "nan", "NULL", "null", "None"),
)
"""What stands for a missing number, truth or time; in text (NA is Namibia) only "" does."""
WEB_PAGE = ("<!doctype html", "<html")
BLOCK = 2**22
"""Bytes that Arrow reads at once: of smaller blocks, the parts of many columns take more memory
than their texts."""


def only_needed(frame: pd.DataFrame, needed: Needed) -> pd.DataFrame:
    """Return the columns of a table that are needed."""
    return frame.loc[:, frame.columns.isin(needed(list(frame.columns)))]


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
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        A type of text, and a column in ``options.formats``, is read as the text that stands there
        (007 stays 007); a number, or a column that is not listed, as what it looks like. Whole
        numbers keep every digit: where one is missing and a float would round, they are Int64.
    missing : sequence of str
        What stands for a missing value, beside the empty field and ``options.missing``.
    options : CsvOptions, optional
        How the file is written.
    as_text : bool
        Whether to read every column as text in which only the empty field is missing.

    Raises UserError if the file is missing, empty, damaged, cut off or in another encoding, two
    columns have one name, or a row has more or fewer values than there are columns.
    """
    options = options or CsvOptions()
    names, first = _begin(path, options)
    if as_text:
        with refusing(path, options):
            if (table := _read_fast(path, options, first)) is not None:
                return table.set_axis(names, axis=1)
        types = dict.fromkeys(names, "category")
    (frame,) = _read(path, types, missing, options, names, None)
    return frame


def read_csv_batches(
    path: Path,
    types: Types,
    missing: Sequence[str],
    options: CsvOptions,
    needed: Needed,
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a CSV file as :func:`read_csv` reads them, at most BATCH at a time.

    The type of a column that is not listed depends on all rows: if one of them is needed, which
    `needed` returns of all, the file is read whole.

    Raises UserError as :func:`read_csv`.
    """
    names, _ = _begin(path, options)
    is_listed = all(name in types for name in needed(names))  # also by a glob
    yield from _read(path, types, missing, options, names, BATCH if is_listed else None)


def _begin(path: Path, options: CsvOptions) -> tuple[list[str], list[str]]:
    if not path.is_file():
        raise UserError(
            f"{path}: there is no such file. Check the path in the conf/dataset or conf/source "
            "file."
        )
    with refusing(path, options):
        names, first = read_names(path, options)
    refuse_long_rows(path, options, _header(names, options))
    return names, first


def _read(
    path: Path,
    types: Types,
    missing: Sequence[str],
    options: CsvOptions,
    names: list[str],
    rows: int | None,
) -> Iterator[pd.DataFrame]:
    """Yield so many rows at a time, or all."""
    texts = {name for name in names if types.get(name) in (*TEXT_TYPES, "time")}
    texts |= options.formats.keys()
    few, many = ["", *missing, *options.missing], [*NOT_KNOWN, *missing, *options.missing]
    unknown = {name: few if types.get(name) in TEXT_TYPES else many for name in names}
    reading = {
        "na_values": unknown,
        "low_memory": False,
        "chunksize": rows,
        **_header(names, options),
    }
    parts = parse_csv(
        path,
        options,
        dtype={name: "str" for name in names if name in texts},
        float_precision="round_trip",  # else the last bit differs from JSON's and Parquet's
        **reading,
    )
    digits = Digits(path, options, reading)
    is_even = options.fill_short_rows
    for place, frame in enumerate(parts):
        if len(frame) and not is_even and frame.iloc[:, -1].isna().any():
            with refusing(path, options):
                refuse_short_rows(path, options, len(names))
            is_even = True
        for name in frame.columns.difference(texts):
            if types.get(name) and isinstance(frame[name].dtype, pd.StringDtype):
                # pandas leaves the empty text in a column of numbers beyond 2^63.
                frame[name] = frame[name].mask(frame[name].isin(unknown[name]))
        digits.restore(place, frame)
        yield frame


def _header(names: list[str], options: CsvOptions) -> dict[str, Any]:
    """Return what pandas is told of the names: nothing where they stand in the first line."""
    if options.header is None:
        return {"header": None, "names": names}
    return {} if options.names is None else {"header": 0, "names": names}


def read_first_row(path: Path, options: CsvOptions) -> list[str]:
    """Return the texts of the row that holds the names, or of the first where none does."""
    (row,) = parse_csv(path, options, header=None, nrows=1, dtype="str")
    return row.iloc[0].astype("str").tolist()


def read_names(path: Path, options: CsvOptions) -> tuple[list[str], list[str]]:
    """Return the columns' names, and the first row as it stands in the file.

    pandas renames a second column of one name in silence.

    Raises UserError if two columns have one name, the separator is another, or the file is a web
    page or was cut off.
    """
    first = read_first_row(path, options)
    if first[0].strip().lower().startswith(WEB_PAGE):
        raise UserError(
            f"{path}: this is a web page ({first[0].strip()[:30]!r}), not a CSV file. A server "
            "answers so where an address needs a login or has moved: open it in a browser, and "
            "give the address of the file itself."
        )
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
    refuse_cut_off(path, options, len(names))
    return names, first


def _read_fast(path: Path, options: CsvOptions, first: list[str]) -> pd.DataFrame | None:
    """Return a table of text, read in a fraction of pandas' time, or None where pandas must."""
    import pyarrow as pa
    from pyarrow import csv

    generated = [f"f{place}" for place in range(len(first))]
    columns = generated if options.header is None else first
    try:
        reading, parsing = arrow_options(options)
        reading.block_size = BLOCK
        with opened(path, text=not has_wide_letters(options.encoding)) as file:
            table = csv.read_csv(
                file,
                reading,
                parsing,
                csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.large_string()),
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
    except (pa.ArrowException, ValueError):
        return None  # pandas says what is wrong
    last = table.slice(max(0, len(table) - 1)).to_pylist()
    if any("\n" in (value or "") for row in last for value in row.values()):
        return None  # a quote that is never closed, maybe
    return table.to_pandas()
