"""explore: a profile of the raw rows for people."""

from pathlib import Path

import pandas as pd

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Column, ColumnLists, Problem
from seedbed.data.exploring import summarize, target_by_column, target_by_period, target_values
from seedbed.data.exploring_page import exploration_page
from seedbed.data.tables import read_table
from seedbed.files import replacing_folder, write_json, write_text
from seedbed.stages import stage


@stage
def explore(columns: ColumnLists, problem: Problem) -> None:
    """Write reports/explore from data/raw."""
    raw = read_table(Path("data/raw"))
    write_exploration(Path("reports/explore"), raw, resolve_columns(columns, raw), problem)


def write_exploration(
    path: Path, raw: pd.DataFrame, columns: dict[str, Column], problem: Problem
) -> None:
    """Write the page and its numbers into a folder."""
    target = target_values(raw, columns, problem)
    by_column = target_by_column(raw, columns, target)
    by_period = target_by_period(raw, columns, target)
    page = exploration_page(raw, columns, problem, target, by_column, by_period)
    with replacing_folder(path) as folder:
        write_text(folder / "profile.html", page)
        write_json(folder / "summary.json", summarize(raw, columns, target, by_column))
