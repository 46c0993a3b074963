"""Which sheet of a workbook holds the table, and where in it the table begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.data.excel_files import open_workbook, read_cells
from seedbed.data.headers import name_columns, tell_apart
from seedbed.errors import UserError, some_of


def sniff_excel(
    path: Path, target: str | None, given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Return how a workbook is read, and a note on each guess; nothing that is given is guessed."""
    notes: list[str] = []
    options: dict[str, Any] = {}
    if "sheet" in given:
        cells = read_cells(path, given["sheet"])
        if cells.empty:
            raise UserError(
                f"{path}: sheet {given['sheet']} is empty. Name one that holds a table."
            )
    else:
        cells = _choose_sheet(path, target, options, notes)
    top = given.get("skip_rows", _top(cells))
    if top and "skip_rows" not in given:
        options["skip_rows"] = top
        notes.append(f"the first {top} rows are no part of the table")
    if given.keys() & {"header", "names"} or len(cells) <= top:
        return options, notes
    header = cells.iloc[top].dropna()
    if not all(isinstance(name, str) for name in header):
        options["header"] = None
        notes.append(
            f"the first row ({', '.join(map(str, header))[:40]}) holds numbers or dates, so there "
            "is no header: columns are called column_1, column_2 and so on"
        )
    else:
        texts = ["" if pd.isna(name) else name for name in cells.iloc[top]]
        filled = cells.iloc[top:].notna().any().to_numpy()
        named = [name for name, kept in zip(texts, filled, strict=True) if kept]
        if names_apart := tell_apart(name_columns(named, len(named), None), notes):
            options["names"] = names_apart
    return options, notes


def _choose_sheet(
    path: Path, target: str | None, options: dict[str, Any], notes: list[str]
) -> pd.DataFrame:
    """Return the cells of the first sheet with rows, of one that has the target if any has."""
    with open_workbook(path) as book:
        names = [str(name) for name in book.sheet_names]
    sheets = {name: read_cells(path, name) for name in names}
    used = [name for name in names if len(sheets[name].dropna(how="all")) > 1]
    if not used:
        raise UserError(
            f"{path}: no sheet has a header and a row (there are {some_of(names, 5)}). Give a "
            "workbook with a table."
        )
    having = [name for name in used if target in sheets[name].iloc[_top(sheets[name])].tolist()]
    sheet = [*having, *used][0]
    if sheet != names[0]:
        options["sheet"] = sheet
    if len(names) > 1:
        others = [name for name in names if name != sheet]
        notes.append(f"sheet {sheet!r} is read; there are {some_of(others, 5)} too")
    return sheets[sheet]


def _top(cells: pd.DataFrame) -> int:
    """Return the row that holds the names: the first in which half of the cells are filled."""
    filled = cells.notna().sum(axis=1)
    return int((filled >= max(1, filled.max() / 2)).to_numpy().argmax())
