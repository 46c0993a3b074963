"""Stage explore: a profile of the raw rows for people."""

from pathlib import Path

import pandas as pd

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Column, ColumnLists, Problem
from seedbed.data.exploring import (
    correlations,
    profile_page,
    summarize,
    target_by_feature,
    target_by_month,
    target_values,
)
from seedbed.data.exploring_plots import draw_correlations, draw_missing, draw_target, draw_time
from seedbed.data.tables import read_table
from seedbed.files import replacing_folder, write_json, write_text
from seedbed.stages import stage


@stage
def explore(columns: ColumnLists, problem: Problem) -> None:
    """Write reports/explore."""
    raw = read_table(Path("data/raw"))
    write_exploration(Path("reports/explore"), raw, resolve_columns(columns, raw), problem)


def write_exploration(
    path: Path, raw: pd.DataFrame, columns: dict[str, Column], problem: Problem
) -> None:
    """Write the profile, the summary and the pictures into a folder."""
    target = target_values(raw, columns, problem)
    by_feature = target_by_feature(raw, columns, target)
    by_month = target_by_month(raw, columns, target)
    with replacing_folder(path) as folder:
        write_text(folder / "profile.html", profile_page(raw, f"Raw rows: {problem.question}"))
        write_json(folder / "summary.json", summarize(raw, columns, problem, by_feature))
        draw_correlations(folder / "correlations.png", correlations(raw, columns))
        draw_missing(folder / "missing.png", raw)
        draw_target(folder / "target.png", by_feature, columns, problem)
        if by_month is not None:
            draw_time(folder / "time.png", by_month, columns, problem)
