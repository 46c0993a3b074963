"""Plain `dvc exp show` stays a table that a person reads, however many columns the data have."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.data.tables import column_names

from support import Project, copy_repository, stages_in

MOST = 100
DATASET = """# @package _global_
# Measurements with many columns: dvc exp run -S dataset=wide
defaults:
  - override /source: csv
  - override /split: random
source: {path: data/source}
dataset:
  name: wide
  tables: [{name: wide}]
  window: {start: null, end: null}
  sample: null
problem: {question: Which?, task: regression, metric: rmse}
columns:
  target: y
  number: ["x*"]
"""


def shown(project: Project) -> list[str]:
    """Return the columns of `dvc exp show` for what is committed."""
    project.commit()
    return project.dvc("exp", "show", "--csv").splitlines()[0].split(",")


def test_the_flights_project_has_few_columns_and_the_deciding_metric_stands_first(
    project: Project,
) -> None:
    columns = shown(project)
    assert len(columns) <= MOST, columns
    figures = [name for name in columns if "." in name][:4]
    assert figures == ["cv.roc_auc", "cv.std", "validation.roc_auc", "test.roc_auc"]


@pytest.mark.slow
def test_two_thousand_columns_are_shown_as_few_are(tmp_path: Path) -> None:
    fresh = copy_repository(tmp_path)
    (fresh.root / "conf/dataset/wide.yaml").write_text(DATASET, encoding="utf-8")
    fresh.edit("conf/config.yaml", "dataset: flights ", "dataset: wide ")
    fresh.run("seedbed", "compose", "--reset")
    counts = {}
    for width in (3, 2000):
        rows = np.random.default_rng(0).normal(size=(60, width + 1))
        names = ["y", *(f"x{number}" for number in range(width))]
        table = pd.DataFrame(rows, columns=names).assign(note="not listed", other="neither")
        table.to_csv(fresh.root / "data/source/wide.csv", index=False)
        printed = fresh.dvc("repro", "ingest")
        assert "ingest" in stages_in(printed)
        assert "left out, since columns does not list them: note, other" in printed
        assert len(column_names(fresh.root / "data/raw")) == width + 1
        counts[width] = len(shown(fresh))
    assert counts[3] == counts[2000] <= MOST
