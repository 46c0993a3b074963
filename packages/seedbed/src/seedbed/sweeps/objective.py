"""What a sweep optimises, read from a finished job: the deciding metric, another figure of train, or what a model costs."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from seedbed.config.schema import Problem
from seedbed.errors import UserError
from seedbed.models.metrics import find_metric, metrics_of
from seedbed.sweeps.cost import COSTS

Direction = Literal["maximize", "minimize"]
SHORT = {"cv": "cross_validation", "validation": "validation"}
"""The rows that may be looked at in a sweep, as details.json of train names them."""


def parse_objective(objective: str, problem: Problem) -> tuple[str, str]:
    """Return side and metric of an objective such as `cv`, `validation` or `validation.log_loss`.

    Raises
    ------
    UserError
        If train writes no such figure.
    """
    side, _, metric = objective.partition(".")
    metric = metric or problem.metric
    known = metrics_of(problem.task)
    if side not in SHORT or metric not in known:
        raise UserError(
            f"sweep.objective={objective}: train writes no such figure. Write cv or validation for the deciding metric "
            f"({problem.metric}), or with another one behind a dot: {', '.join(sorted(known))}. Of what a model costs, there "
            f"are {' and '.join(sorted(COSTS))}."
        )
    return side, metric


def report_name(objective: str, problem: Problem) -> str:
    """Return what a report calls an objective: its side and metric, as `cv.roc_auc` for `cv`, or what a model costs."""
    return objective if objective in COSTS else ".".join(parse_objective(objective, problem))


def in_full(objective: str, problem: Problem) -> str:
    """Return an objective with all that it leaves to the problem: `cv` is `cv.roc_auc (binary)`, `cv.log_loss` itself."""
    full = report_name(objective, problem)
    return full if full == objective else f"{full} ({problem.task})"


def direction_of(objective: str, problem: Problem) -> Direction:
    """Return which way the objective is better."""
    if objective in COSTS:
        return "minimize"
    return find_metric(parse_objective(objective, problem)[1], problem.task).direction


def front(values: np.ndarray, directions: Sequence[Direction]) -> np.ndarray:
    """Return which rows of `values`, shape (n_jobs, n_objectives), no other row beats in all objectives: shape (n_jobs,)."""
    signs = np.array([1.0 if direction == "maximize" else -1.0 for direction in directions])
    points = values * signs
    at_least = (points[None, :, :] >= points[:, None, :]).all(axis=2)
    better = (points[None, :, :] > points[:, None, :]).any(axis=2)
    return ~(at_least & better).any(axis=1)


def read_objective(objective: str, problem: Problem, read: Callable[[str], str]) -> float:
    """Return the objective of a job, whose files `read` returns by path.

    Raises
    ------
    UserError
        If it is not defined there, as with one class among the validation rows.
    """
    side, metric = parse_objective(objective, problem)
    details: dict[str, Any] = json.loads(read("reports/train/details.json"))
    figure = details[SHORT[side]][metric]
    value = figure["mean"] if side == "cv" else figure["value"]
    if value is None:
        raise UserError(
            f"{objective} ({metric}) is not defined for this job: see reports/train/details.json"
        )
    return float(value)
