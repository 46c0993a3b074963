"""CSV files: read whole, and one that is damaged, cut off or ambiguous is refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES, ColumnType
from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_checks import arrow_options, refuse_cut_off, refuse_short_rows, refusing
from seedbed.data.headers import name_columns, refuse_repeated
from seedbed.data.integers import EXACT, whole_numbers
from seedbed.data.text_files import decoding, has_wide_letters, opened
from seedbed.errors import UserError

Types = Mapping[str, ColumnType]
NOT_KNOWN = (
    *("", "NA", "N/A", "n/a", "<NA>", "#N/A"),
    *("NaN", "nan", "NULL", "null", "None"),
)
"""What stands for a missing number, truth or time; in text (NA is Namibia) only "" does."""
BLOCK = 2**22
"""Bytes that Arrow reads at once: of smaller blocks, the parts of many columns take more memory
than their texts."""


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
    with refusing(path, options):
        names, first = read_names(path, options)
        if as_text and (table := _read_fast(path, options, first)) is not None:
            return table.set_axis(names, axis=1)
        texts = set(
            names
            if as_text
            else (name for name in names if types.get(name) in (*TEXT_TYPES, "time"))
        ).union(options.formats)
        few, many = ["", *missing, *options.missing], [*NOT_KNOWN, *missing, *options.missing]
        unknown = {
            name: few if as_text or types.get(name) in TEXT_TYPES else many for name in names
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
            refuse_short_rows(path, options, len(names))
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
            skiprows=options.top,
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


def read_first_row(path: Path, options: CsvOptions) -> list[str]:
    """Return the texts of the row that holds the names, or of the first where none does."""
    return _parse(path, options, header=None, nrows=1, dtype="str").iloc[0].astype("str").tolist()


def read_names(path: Path, options: CsvOptions) -> tuple[list[str], list[str]]:
    """Return the columns' names, and the first row as it stands in the file.

    pandas renames a second column of one name in silence.

    Raises
    ------
    UserError
        If two columns have one name, the separator is another, or the file was cut off.
    """
    first = read_first_row(path, options)
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
