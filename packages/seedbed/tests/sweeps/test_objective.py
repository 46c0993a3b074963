"""What a sweep optimises is a figure that train wrote, of rows that a sweep may look at."""

import json
from typing import Any

import numpy as np
import pytest

from seedbed.config.schema import Problem
from seedbed.errors import UserError
from seedbed.sweeps.objective import direction_of, front, parse_objective, read_objective

from support import STATED_PROBLEM

DETAILS: dict[str, Any] = {
    "cross_validation": {
        "roc_auc": {"mean": 0.71, "std": 0.1},
        "log_loss": {"mean": 0.5, "std": 0.2},
    },
    "validation": {
        "roc_auc": {"value": 0.65, "low": 0.6},
        "log_loss": {"value": 0.6},
        "brier": {"value": None},
    },
}


def problem(task: str = "binary", metric: str = "roc_auc") -> Problem:
    return Problem.model_validate({**STATED_PROBLEM, "task": task, "metric": metric})


def read(objective: str) -> float:
    files = {"reports/train/details.json": json.dumps(DETAILS)}
    return read_objective(objective, problem(), files.__getitem__)


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("cv", ("cv", "roc_auc")),
        ("validation", ("validation", "roc_auc")),
        ("cv.log_loss", ("cv", "log_loss")),
        ("validation.brier", ("validation", "brier")),
    ],
)
def test_an_objective_is_a_side_and_a_metric(objective: str, expected: tuple[str, str]) -> None:
    assert parse_objective(objective, problem()) == expected


@pytest.mark.parametrize(
    "objective",
    ["test", "test.roc_auc", "evaluate", "", "roc_auc", "cv.mae", "cv.nothing", "cross_validation"],
)
def test_no_other_rows_or_metrics_can_be_optimised(objective: str) -> None:
    with pytest.raises(
        UserError,
        match=r"sweep\.objective=.*train writes no such figure.*\(roc_auc\).*brier, .*roc_auc",
    ):
        parse_objective(objective, problem())


@pytest.mark.parametrize(
    ("objective", "task", "metric", "direction"),
    [
        ("cv", "binary", "roc_auc", "maximize"),
        ("cv", "binary", "log_loss", "minimize"),
        ("validation.log_loss", "binary", "roc_auc", "minimize"),
        ("validation", "regression", "mae", "minimize"),
        ("cv.r2", "regression", "mae", "maximize"),
    ],
)
def test_the_direction_is_that_of_the_metric(
    objective: str, task: str, metric: str, direction: str
) -> None:
    assert direction_of(objective, problem(task, metric)) == direction


@pytest.mark.parametrize(
    ("objective", "value"),
    [("cv", 0.71), ("cv.log_loss", 0.5), ("validation", 0.65), ("validation.log_loss", 0.6)],
)
def test_the_value_is_read_from_what_train_wrote(objective: str, value: float) -> None:
    assert read(objective) == value


def test_a_figure_that_is_not_defined_is_no_value() -> None:
    with pytest.raises(UserError, match=r"validation\.brier \(brier\) is not defined for this job"):
        read("validation.brier")


@pytest.mark.parametrize(
    ("directions", "expected"),
    [
        (["maximize", "maximize"], [True, True, False, False, False, False]),
        (["maximize", "minimize"], [False, True, False, False, False, False]),
        (["minimize", "minimize"], [False, False, False, True, True, False]),
        (["minimize", "maximize"], [True, False, False, True, True, False]),
    ],
)
def test_the_front_is_what_no_other_job_beats_in_all_objectives(
    directions: list[Any], expected: list[bool]
) -> None:
    values = np.array([[1.0, 3.0], [3.0, 0.0], [1.0, 2.0], [0.0, 0.0], [0.0, 0.0], [2.0, 0.0]])
    assert front(values, directions).tolist() == expected
