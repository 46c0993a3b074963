"""Excel workbooks: one sheet is one table, its cells as they are typed there."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.source_options import ExcelOptions
from seedbed.data.headers import name_columns, refuse_repeated
from seedbed.data.integers import typed_objects
from seedbed.data.one_value import value_text
from seedbed.data.text_files import refuse_bomb
from seedbed.errors import UserError, did_you_mean, one_line


def read_excel(path: Path, options: ExcelOptions) -> pd.DataFrame:
    """Read a sheet of a workbook (.xlsx, .xlsb, .xls or .ods).

    Numbers, texts, truths and dates are what the cells hold: a text of digits stays text. Columns
    without a name and a value, and rows without a value at the end, are left out.

    Raises UserError if the file is no workbook, there is no such sheet, or two columns have one
    name.
    """
    cells = read_cells(path, options.sheet).iloc[options.skip_rows :]
    if cells.empty:
        raise UserError(
            f"{path}: sheet {options.sheet} is empty. Name the sheet that holds the table in "
            "source.options.sheet."
        )
    header = None
    if options.header is not None:
        if len(cells) < options.header:
            raise UserError(
                f"{path}: sheet {options.sheet} has {len(cells)} rows, and source.options.header "
                f"is {options.header}. Name the row that holds the names."
            )
        header = [
            "" if pd.isna(name) else str(value_text(name))
            for name in cells.iloc[options.header - 1]
        ]
        cells = cells.iloc[options.header :]
    used = cells.notna().any().to_numpy()
    if header is not None:
        used = [bool(name) or has_values for name, has_values in zip(header, used, strict=True)]
        header = [name for name, kept in zip(header, used, strict=True) if kept]
    cells = cells.loc[:, used]
    names = name_columns(header, cells.shape[1], options.names)
    refuse_repeated(
        names,
        f"{path}, sheet {options.sheet}",
        "Rename or remove one, or list names of your own in source.options.names.",
    )
    return cells.set_axis(names, axis=1).reset_index(drop=True).apply(typed_objects)


def read_cells(path: Path, sheet: str | int) -> pd.DataFrame:
    """Return the cells of a sheet as Python objects, None where one is empty or an error.

    Raises UserError if the file is no workbook, or has no such sheet.
    """
    with open_workbook(path) as book:
        names: list[Any] = book.sheet_names
        place = sheet - 1 if isinstance(sheet, int) else None
        if sheet not in names if place is None else place >= len(names):
            meant = did_you_mean(sheet, names)
            raise UserError(
                f"{path}: there is no sheet {sheet}{meant}; the workbook has "
                f"{', '.join(names)}. Edit source.options.sheet."
            )
        cells = book.parse(
            sheet if place is None else place, header=None, dtype=object, na_filter=False
        )
    return cells.where(cells != "", None).map(
        lambda cell: cell.total_seconds() if isinstance(cell, timedelta) else cell
    )


def open_workbook(path: Path) -> pd.ExcelFile:
    """Return a workbook, opened.

    Raises UserError if the file is missing, is no workbook, is protected by a password or is a
    bomb.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file. Edit source.path.")
    refuse_bomb(path)
    try:
        return pd.ExcelFile(path, engine="calamine")
    # calamine, zipfile and pandas each raise errors of their own.
    except Exception as error:
        raise UserError(
            f"{path}: this is no Excel workbook that can be read ({one_line(error)}). A workbook "
            "with a password must be saved without; else save the sheet as CSV, or fetch the file "
            "again."
        ) from error
