"""Challenger against champion: the metrics of two models on the same rows, and their difference."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Problem, Task
from seedbed.errors import UserError
from seedbed.models.decision import encode_target
from seedbed.models.intervals import compare
from seedbed.models.metrics import find_metric, metrics_of
from seedbed.models.outcome import Outcome


@dataclass(frozen=True)
class Comparison:
    """What two models reach on the same rows, or why that cannot be known."""

    # `{metric: {"value", "low", "high"}}`; the difference is paired, and signed so that positive
    # means the challenger is better. Empty where there is an obstacle, or both are identical.
    champion: Mapping[str, Any] = field(default_factory=dict)
    challenger: Mapping[str, Any] = field(default_factory=dict)
    difference: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Any] = field(default_factory=dict)
    identical: bool = False  # whether both predict the same for every row
    obstacle: str | None = None  # why they cannot be compared

    def to_dict(self) -> dict[str, Any]:
        """Return what reports/verdict.json holds of it."""
        if self.obstacle:
            return {"compared": False, "why": self.obstacle}
        figures = ("champion", "challenger", "difference", "slices")
        found = {} if self.identical else {name: getattr(self, name) for name in figures}
        return {"compared": True, "identical": self.identical, **found}


def compare_answers(
    challenger: Outcome,
    champion: Outcome,
    slices: Mapping[str, pd.Series],
    clusters: NDArray[np.intp],
    problem: Problem,
    resamples: int,
    seed: int,
) -> Comparison:
    """Measure two models on the same resamples of the same n rows.

    Parameters
    ----------
    challenger, champion : Outcome
        Of the same rows, with the same truth.
    slices : mapping
        By name, the slice each row is in, shape (n,).
    clusters : ndarray, shape (n,)
        Number of the cluster that each row is in; those are resampled.
    problem : Problem
        Its metric is the one that slices are measured by.
    resamples : int
        Number of bootstrap samples.
    """
    same_scores = np.array_equal(challenger.scores, champion.scores)
    if same_scores and np.array_equal(challenger.prediction, champion.prediction):
        return Comparison(identical=True)
    deciding = find_metric(problem.metric, problem.task)
    incumbent = dict.fromkeys(metrics_of(problem.task), champion)
    found = compare(challenger, incumbent, slices, clusters, deciding, resamples, seed)
    return Comparison(found["baseline"], found["model"], found["difference"], found["slices"])


def read_outcome(
    answers: pd.DataFrame, target: pd.Series, task: Task, classes: tuple[Any, ...]
) -> Outcome:
    """Return what a model predicted beside the truth.

    Parameters
    ----------
    answers : DataFrame, shape (n_rows, n_columns)
        As :meth:`Bundle.predict` returns it, or data/predictions.
    target : Series, shape (n_rows,)
    classes : tuple
        Those of a multiclass problem, as :func:`scored_classes` returns them.

    Raises UserError if the model has scored other classes.
    """
    answers = answers.rename(columns=lambda name: str(name).removeprefix("_"))
    if task == "regression":
        scores = answers["prediction"].to_numpy(dtype=np.float64)
        return Outcome(task, encode_target(target, task, ()), scores, scores)
    if task == "binary":
        prediction = answers["prediction"].to_numpy(dtype=bool).astype(np.int8)
        scores = answers["score"].to_numpy(dtype=np.float64)
        return Outcome(task, encode_target(target, task, ()), scores, prediction, (False, True))
    known = scored_classes(answers)
    if set(known) != set(classes):
        raise UserError(
            f"it knows the classes {', '.join(sorted(known))}, and today's are {', '.join(classes)}"
        )
    scores = answers[[f"score_{label}" for label in classes]].to_numpy(dtype=np.float64)
    prediction = pd.Index(classes, dtype="str").get_indexer(answers["prediction"]).astype(np.intp)
    return Outcome(task, encode_target(target, task, classes), scores, prediction, classes)


def scored_classes(answers: pd.DataFrame) -> tuple[str, ...]:
    """Return the classes that have a column of scores, such as `score_<class>`."""
    names = (str(name).removeprefix("_") for name in answers.columns)
    return tuple(name.removeprefix("score_") for name in names if name.startswith("score_"))
