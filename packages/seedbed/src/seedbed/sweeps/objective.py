"""What a sweep optimises: a metric of train, or what a model costs, read from an experiment."""

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from seedbed.config.metrics import Direction
from seedbed.config.modelling import Problem
from seedbed.config.params import typed
from seedbed.config.repository import git_or_stop
from seedbed.errors import UserError
from seedbed.models.metrics import find_metric, metrics_of

ROWS_OF_TRAIN = {"cv": "cross_validation", "validation": "validation"}
"""The rows that a sweep may look at, as details.json of train names them."""
TIMED_ROWS = 1_000
REPEATS = 7


@dataclass(frozen=True)
class Objective:
    """A figure that a sweep optimises: a cost, or rows and metric as ``cv.roc_auc``."""

    name: str
    direction: Direction

    def measure(self, root: Path, commit: str) -> float:
        """Return its value for an experiment of the repository `root`.

        Raises UserError if it is not defined there, as with one class among the validation rows.
        """
        if self.name in COSTS:
            return COSTS[self.name](root, commit)
        path = "reports/train/details.json"
        details: dict[str, Any] = json.loads(
            git_or_stop(root, "cat-file", "blob", f"{commit}:{path}")
        )
        rows, _, metric = self.name.partition(".")
        figure = details[ROWS_OF_TRAIN[rows]][metric]
        value = figure["mean"] if rows == "cv" else figure["value"]
        if value is None:
            raise UserError(f"{self.name} is not defined for this job: see {path}")
        return float(value)


def read_objectives(composed: DictConfig, root: Path) -> list[Objective]:
    """Return what `sweep.objective` of a composed conf/ says, in order.

    Raises UserError if train writes no such figure, one is there twice, or the problem is not a
    valid one.
    """
    problem: Problem = typed(
        "problem", {"problem": OmegaConf.to_container(composed.problem, resolve=True)}, root
    )
    chosen = composed.sweep.objective
    texts = [chosen] if isinstance(chosen, str) else list(chosen)
    found = [_parse(text, problem) for text in texts]
    if len(set(found)) < len(found):
        names = ", ".join(objective.name for objective in found)
        raise UserError(f"sweep.objective=[{','.join(texts)}] is {names}. Write each once.")
    return found


def _parse(text: str, problem: Problem) -> Objective:
    if text in COSTS:
        return Objective(text, "minimize")
    rows, _, metric = text.partition(".")
    metric = metric or problem.metric
    known = metrics_of(problem.task)
    if rows not in ROWS_OF_TRAIN or metric not in known:
        raise UserError(
            f"sweep.objective={text}: train writes no such figure. Write cv or validation for the "
            f"deciding metric ({problem.metric}), or with another one behind a dot: "
            f"{', '.join(sorted(known))}. For what a model costs: {' or '.join(sorted(COSTS))}."
        )
    return Objective(f"{rows}.{metric}", find_metric(metric, problem.task).direction)


def pareto_front(values: Sequence[Sequence[float]], directions: Sequence[Direction]) -> list[bool]:
    """Return for each job whether no other beats it in all objectives, as Optuna finds it.

    Parameters
    ----------
    values : sequence of shape (n_jobs, n_objectives)
    directions : sequence of {"maximize", "minimize"}
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(directions=directions)
    study.add_trials([optuna.create_trial(values=list(row)) for row in values])
    best = {trial.number for trial in study.best_trials}
    return [number in best for number in range(len(values))]


def model_size(root: Path, commit: str) -> float:
    """Return the size in bytes of an experiment's model."""
    from dvc.api import DVCFileSystem

    return float(DVCFileSystem(str(root), rev=commit).du("models/model"))


def prediction_time(root: Path, commit: str) -> float:
    """Return the microseconds that a row takes when up to a thousand validation rows are scored.

    The median of several calls on this machine: it stands in the sweep's report only.
    """
    from dvc.api import DVCFileSystem

    from seedbed.data.tables import read_table
    from seedbed.models.decision import Decision
    from seedbed.models.features import feature_frame, split_rows
    from seedbed.models.parallel import one_blas_thread
    from seedbed.models.predicting import predict_scores
    from seedbed.models.serialization import load_pipeline

    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        files = DVCFileSystem(str(root), rev=commit)
        for path in ("models/model", "data/features"):
            files.get(path, f"{folder}/{path}", recursive=True)
        pipeline = load_pipeline(Path(folder, "models/model/pipeline.skops"))
        decision = Decision.read(Path(folder, "models/model/decision.json"))
        table = read_table(Path(folder, "data/features"))
        rows = split_rows(table, "validation").head(TIMED_ROWS)
        features = feature_frame(rows, decision.features)
        seconds = []
        for _ in range(REPEATS + 1):
            begin = time.perf_counter()
            predict_scores(pipeline, features, decision.task, decision.classes)
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:]) / len(rows) * 1e6


COSTS = {"prediction_time": prediction_time, "model_size": model_size}
"""By the name that `sweep.objective` gives them; all are to be minimized."""
