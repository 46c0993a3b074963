"""How a CSV file is written: separator, quotes, header, lines at the top that are no table."""

import io
import tempfile
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_checks import refusing, rows_are_even, uneven_rows
from seedbed.data.csv_files import read_first_row
from seedbed.data.headers import name_columns, tell_apart
from seedbed.data.text_files import decoding, has_wide_letters, opened
from seedbed.datasets.encodings import find_encoding
from seedbed.errors import UserError

HEAD = 2**21
"""So many letters at the beginning of the file are looked at for its dialect."""
LONGEST_LINE = 2**20
"""A longer line is no row of a table, or holds a quote that is never closed."""
NONE = "(empty)"
"""What DuckDB says where there is no quote."""
MOST = 10_000
"""How many rows that end early are counted."""
SEPARATORS = (",", ";", "\t", "|")


def sniff_csv(path: Path, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the options by which to read a CSV file, where they are not the defaults, and notes.

    Parameters
    ----------
    given : dict of str to Any
        Checked options that a person gave: they stay as they are.

    Raises UserError if the file is empty, holds a header only, or is no table.
    """
    encoding, guess = (given["encoding"], None) if "encoding" in given else find_encoding(path)
    notes = [guess] if guess else []
    head, is_whole = _read_head(path, encoding)
    if not head.strip():
        raise UserError(f"{path}: the file is empty. Give a file with a header line and rows.")
    _refuse_no_table(path, head)
    found = _sniff(head)
    options: dict[str, Any] = {"encoding": encoding, **_dialect(found, head, notes), **given}
    top = options["skip_rows"]
    body = [line for line in head.split("\n")[top:] if line.strip()]
    if options["header"] and is_whole and len(body) == 1:
        raise UserError(
            f"{path}: there is a header ({body[0][:60]!r}) and no row. Give a file with rows."
        )
    _find_short_rows(path, options, notes)
    _tell_names_apart(path, options, notes)
    defaults = CsvOptions().model_dump()
    return {key: value for key, value in options.items() if defaults[key] != value}, notes


def _read_head(path: Path, encoding: str) -> tuple[str, bool]:
    """Return the beginning of a file, whole lines ended by line feeds, and whether it is all."""
    with (
        opened(path, text=not has_wide_letters(encoding)) as file,
        io.TextIOWrapper(file, decoding(encoding), errors="replace") as text,
    ):
        head = text.read(HEAD)
        is_whole = not text.read(1)
    if is_whole:
        return head, True
    # A row may hold line ends within quotes: the last line with all quotes closed ends one.
    end = head.rfind("\n")
    while end > 0 and head.count('"', 0, end) % 2 and len(head) - end < LONGEST_LINE:
        end = head.rfind("\n", 0, end)
    return head[: end + 1] if len(head) - end < LONGEST_LINE else head, False


def _refuse_no_table(path: Path, head: str) -> None:
    longest = max(head.split("\n"), key=len)
    if len(longest) > LONGEST_LINE:
        raise UserError(
            f"{path}: a line has more than {LONGEST_LINE:,} letters ({longest[:40]!r}...), so this "
            "is no table of rows, or a quote is never closed. Check how the file was written."
        )
    if head.lstrip().startswith(("<", "%PDF", "{\\rtf")):
        raise UserError(
            f"{path}: this is no table, it begins with {head.lstrip()[:30]!r}. Give a CSV, "
            "Parquet, JSON, Excel or Feather file."
        )


def _sniff(head: str) -> dict[str, Any] | None:
    """Return what DuckDB finds of the dialect, None where it finds none."""
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        # A copy: DuckDB knows three encodings only, and one sort of line end in a file.
        copy = Path(folder, "head.csv")
        copy.write_text(head, encoding="utf-8", newline="\n")
        try:
            query = "FROM sniff_csv(?, sample_size=-1, max_line_size=?)"
            rows = duckdb.connect().execute(query, [str(copy), 4 * LONGEST_LINE])
            return dict(zip([about[0] for about in rows.description], rows.fetchone(), strict=True))
        except duckdb.Error:
            return None


def _dialect(found: dict[str, Any] | None, head: str, notes: list[str]) -> dict[str, Any]:
    lines = head.split("\n")
    if above := _count_above(lines):
        rest = "\n".join(lines[above:])
        notes.append(f"the first {above} lines are no part of the table ({lines[0][:40]!r})")
        below = _dialect(_sniff(rest), rest, notes)
        return {**below, "skip_rows": above + below["skip_rows"]}
    if found and not all(map(_may_be_title, lines[: found["SkipRows"]])):
        found = None
    top = int(found["SkipRows"]) if found else 0
    first = next((line for line in lines[top:] if line.strip()), "")
    likely = max(SEPARATORS, key=first.count)
    if found and len(found["Columns"]) == 1 and likely in first:
        # Where rows differ in their length, DuckDB sees one column.
        found = None
    separator = found["Delimiter"] if found and len(found["Columns"]) > 1 else likely
    quote = found["Quote"] if found and found["Quote"] != NONE else '"'
    escape = found["Escape"] if found and found["Escape"] not in (NONE, quote) else None
    if top:
        notes.append(f"the first {top} lines are no part of the table ({lines[0][:40]!r})")
    has_header = not _is_data(first, separator, quote) or (found is not None and found["HasHeader"])
    if not has_header:
        notes.append(
            f"the first row ({first[:40]!r}) looks like the others, so there is no header: columns "
            "are called column_1, column_2 and so on"
        )
    elif found and all(kind["type"] == "VARCHAR" for kind in found["Columns"]):
        notes.append(f"every column is text, and the first row ({first[:40]!r}) is taken as header")
    return {
        "separator": separator if separator in first else ",",
        "quote": quote,
        "escape": escape,
        "skip_rows": top,
        "header": 1 if has_header else None,
    }


def _count_above(lines: list[str]) -> int:
    """Return how many lines at the top are comments, or the ``sep=;`` that Excel writes."""
    if lines[0].lower().startswith("sep="):
        return 1
    count = next((place for place, line in enumerate(lines) if not line.startswith("#")), 0)
    # The header may begin with this sign too.
    last_is_header = count and any(sign in lines[count - 1] for sign in SEPARATORS)
    if last_is_header and (count == 1 or _as_many(lines[count - 1], lines[count])):
        return count - 1
    return 0 if count == 1 and not any(sign in lines[1] for sign in SEPARATORS) else count


def _as_many(line: str, other: str) -> bool:
    return all(line.count(sign) == other.count(sign) for sign in SEPARATORS)


def _may_be_title(line: str) -> bool:
    """Whether a line at the top may be a title, and is no row of the table."""
    return not any(sign in line.replace(", ", " ") for sign in SEPARATORS)


def _is_data(line: str, separator: str, quote: str) -> bool:
    """Whether a value in a line is a number: a name is none."""
    values = pd.Series([value.strip(f" {quote}") for value in line.split(separator)], dtype="str")
    return bool(pd.to_numeric(values.str.replace(",", "."), errors="coerce").notna().any())


def _find_short_rows(path: Path, options: dict[str, Any], notes: list[str]) -> None:
    """Let rows that end early be filled, if there are some and none is too long."""
    dialect = CsvOptions(**options)
    if rows_are_even(path, dialect):
        return
    width = next(uneven_rows(path, dialect, 0), (0, 0))[1]
    uneven = list(islice(uneven_rows(path, dialect, width), MOST))
    if uneven and all(values < width for _, values in uneven):
        options["fill_short_rows"] = True
        count = f"{len(uneven):,}{' or more' * (len(uneven) == MOST)}"
        notes.append(
            f"rows with fewer than {width} values: {count}, the first in line {uneven[0][0]}; what "
            "is not there at their end is missing"
        )


def _tell_names_apart(path: Path, options: dict[str, Any], notes: list[str]) -> None:
    """Give a second column of one name another."""
    if options["header"] is not None:
        dialect = CsvOptions(**options)
        with refusing(path, dialect):
            first = read_first_row(path, dialect)
        options["names"] = tell_apart(name_columns(first, len(first), None), notes)
