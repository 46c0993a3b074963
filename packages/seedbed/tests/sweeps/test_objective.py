"""What a sweep optimises is a figure that train wrote, of rows that a sweep may look at, or what a model costs."""

import json
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from seedbed.errors import UserError
from seedbed.sweeps.objective import (
    Objective,
    model_size,
    prediction_time,
    read_objectives,
)

from support import STATED_PROBLEM, Project

DETAILS: dict[str, Any] = {
    "cross_validation": {"roc_auc": {"mean": 0.71, "std": 0.1}},
    "validation": {"log_loss": {"value": 0.6, "low": 0.5}, "brier": {"value": None}},
}


def given(objective: Any, **problem: str) -> DictConfig:
    stated = {**STATED_PROBLEM, **problem}
    return OmegaConf.create({"problem": stated, "sweep": {"objective": objective}})


@pytest.mark.parametrize(
    ("composed", "expected"),
    [
        (given("cv"), [Objective("cv.roc_auc", "maximize")]),
        (given("cv", metric="log_loss"), [Objective("cv.log_loss", "minimize")]),
        (given("validation.brier"), [Objective("validation.brier", "minimize")]),
        (given("cv.r2", task="regression", metric="mae"), [Objective("cv.r2", "maximize")]),
        (given(["validation", "model_size"]), [Objective("validation.roc_auc", "maximize"), Objective("model_size", "minimize")]),
    ],
)  # fmt: skip
def test_an_objective_has_a_name_and_a_direction(
    composed: DictConfig, expected: list[Objective]
) -> None:
    assert read_objectives(composed, Path()) == expected


@pytest.mark.parametrize(
    "objective", ["test", "test.roc_auc", "", "roc_auc", "cv.mae", "cross_validation", ["cv", "x"]]
)
def test_no_other_rows_or_metrics_can_be_optimised(objective: Any) -> None:
    message = r"sweep\.objective=.*train writes no such figure.*\(roc_auc\).*brier, .*model_size"
    with pytest.raises(UserError, match=message):
        read_objectives(given(objective), Path())


def test_an_objective_that_is_there_twice_is_refused() -> None:
    with pytest.raises(UserError, match=r"\[cv,cv\.roc_auc\] is cv\.roc_auc, cv\.roc_auc\. Write"):
        read_objectives(given(["cv", "cv.roc_auc"]), Path())


def test_the_value_is_what_train_wrote_into_the_experiment(small: Project) -> None:
    (small.root / "reports/train").mkdir(parents=True)
    (small.root / "reports/train/details.json").write_text(json.dumps(DETAILS))
    small.commit("trained")
    for name, value in (("cv.roc_auc", 0.71), ("validation.log_loss", 0.6)):
        assert Objective(name, "maximize").measure(small.root, "HEAD") == value
    with pytest.raises(UserError, match=r"validation\.brier is not defined for this job"):
        Objective("validation.brier", "minimize").measure(small.root, "HEAD")


def test_what_a_model_costs_is_read_from_its_experiment(prepared: Path, project: Project) -> None:
    project.run("rm", "-r", "models/model", "data/features")
    files = (prepared / "models/model").rglob("*")
    assert model_size(project.root, "HEAD") == sum(file.stat().st_size for file in files)
    assert prediction_time(project.root, "HEAD") > 0
