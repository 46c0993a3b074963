"""The report of a sweep has a row for each job and pictures of what can be drawn, whatever the jobs came to."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.sweeps.objective import Objective
from seedbed.sweeps.records import Record
from seedbed.sweeps.sweep_report import jobs_table, swept_parameters, write_report

CV, LOSS = Objective("cv.roc_auc", "maximize"), Objective("validation.log_loss", "minimize")
TIME = Objective("prediction_time", "minimize")
ALL = {"jobs.csv", "history.png", "parameters.png", "importances.png"}


def job(*overrides: str, values: list[float] | None = None, error: str = "") -> Record:
    name = "" if error else "job"
    return Record(list(overrides), 0.0, 1.234, name, values=values or [], error=error)


GRID = [
    job(f"model={model}", f"seed={seed}", values=[0.1 * seed + (model == "a"), 0.1 * seed])
    for model in "ab"
    for seed in (1, 2)
]
FAILED = job("seed=1", error="no")
OF_THEIR_OWN = [
    job(f"model={model}", f"model.{key}={value}", values=[score])
    for model, key, value, score in [
        ("a", "C", "0.001", 0.1),
        ("a", "C", "100", 0.2),
        ("b", "size", "[16]", 0.3),
        ("b", "size", "3", 0.4),
        ("größer", "size", "auto", 0.4),
    ]
]


@pytest.mark.parametrize(
    ("records", "objectives", "names"),
    [
        ([*GRID, job("model=c", error="no")], [CV, LOSS], ALL | {"front.png"}),
        ([*OF_THEIR_OWN, FAILED], [CV], ALL),
        (GRID[:2], [CV, LOSS], {"jobs.csv", "history.png", "parameters.png", "front.png"}),
        ([job(f"seed={n}", values=[0.5, n, 1.0]) for n in (1, 2)], [CV, TIME, LOSS], {"jobs.csv", "history.png", "parameters.png", "front.png"}),
        ([job(f"seed={n}", values=[0.5]) for n in range(9)], [CV], {"jobs.csv", "history.png", "parameters.png"}),
        ([job(*(f"a{n}={x}" for n in range(20)), values=[x]) for x in (0.1, 0.2)], [CV], {"jobs.csv", "history.png", "parameters.png"}),
        ([], [CV], {"jobs.csv"}),
        ([job("seed=1", values=[0.5])], [CV], {"jobs.csv"}),
        ([FAILED, FAILED], [CV, LOSS], {"jobs.csv"}),
        ([job(values=[0.5]), job(values=[0.6])], [CV], {"jobs.csv"}),
    ],
    ids=["two objectives", "spaces of their own", "few jobs", "three objectives", "one parameter", "many parameters", "no job", "one job", "failures", "the same overrides"],
)  # fmt: skip
@pytest.mark.filterwarnings("error")
def test_what_can_be_drawn_is_drawn(
    tmp_path: Path, records: list[Record], objectives: list[Objective], names: set[str]
) -> None:
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep/earlier.png").touch()
    write_report(tmp_path / "sweep", records, objectives)
    assert {file.name for file in (tmp_path / "sweep").iterdir()} == names
    assert len(pd.read_csv(tmp_path / "sweep/jobs.csv")) == len(records)


def test_the_table_has_a_row_a_job_and_a_column_a_key() -> None:
    table = jobs_table(
        [
            job("model=mlp", "+a.b=1e-3", "x=[1,2]", values=[0.5, 0.25]),
            job("model=dummy", "seed=2", "~gate.thresholds", error="no"),
        ],
        ["cv", "validation.log_loss"],
    )
    fixed = ["experiment", "cv", "validation.log_loss", "seconds", "error"]
    assert list(table) == [*fixed, "model", "a.b", "x", "seed", "gate.thresholds"]
    first, second = table.to_dict("records")
    assert [first[key] for key in fixed] == ["job", 0.5, 0.25, 1.23, ""]
    assert (first["a.b"], first["x"], second["seed"], second["error"]) == (0.001, "[1,2]", 2, "no")
    assert np.isnan([second["cv"], second["a.b"], first["seed"]]).all()


def test_parameters_with_the_most_values_come_first() -> None:
    records = [job(f"a={n % 2}", f"b={n}", "c=1", values=[0.5]) for n in range(3)]
    assert swept_parameters(jobs_table(records, ["cv"])) == ["b", "a"]
