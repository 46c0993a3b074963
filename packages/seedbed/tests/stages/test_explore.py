"""The exploration report is a folder with a page, a summary and pictures."""

from pathlib import Path

import pandas as pd
import pytest

from project.stages.explore import explore
from seedbed.config.schema import ColumnLists, Problem
from seedbed.data.tables import write_table
from seedbed.files import read_json


@pytest.mark.parametrize("timed", [True, False])
def test_the_report_is_written_with_a_time_or_without(
    timed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = pd.DataFrame(
        {
            "km": [float(number % 7) for number in range(60)],
            "y": [float(n % 7 > 3) for n in range(60)],
        }
    )
    columns = ColumnLists(target="y", number=["km"], time="at" if timed else None)
    if timed:
        rows["at"] = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC")
    write_table(rows, Path("data/raw"))
    problem = Problem(question="Why?", task="binary", above=0.5, metric="roc_auc")
    explore(columns, problem)
    expected = {"profile.html", "summary.json", "correlations.png", "missing.png", "target.png"}
    assert {file.name for file in Path("reports/explore").iterdir()} == expected | (
        {"time.png"} if timed else set()
    )
    assert read_json(Path("reports/explore/summary.json"))["rows"] == 60
    assert "Why?" in Path("reports/explore/profile.html").read_text(encoding="utf-8")
