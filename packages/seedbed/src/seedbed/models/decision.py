"""From scores to decisions: what models/model/decision.json holds, used by everything that decides."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.schema import Problem, Task
from seedbed.errors import UserError
from seedbed.files import read_json, write_json
from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.threshold import choose_threshold

Kind = Literal["number", "category"]


@dataclass(frozen=True)
class Decision:
    """How a fitted pipeline is asked and its scores are read.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
    features : dict
        Kind of each feature, by name, in the pipeline's order.
    classes : tuple
        Labels of the classes, sorted; (False, True) when binary and empty in a regression.
    threshold : float or None
        Binary: a score at or above it is positive.
    baseline_scores : tuple of float
        What a dummy may say of every row: share of each class among the train rows; in a regression mean and median of
        their targets.
    """

    task: Task
    features: dict[str, Kind]
    classes: tuple[Any, ...] = ()
    threshold: float | None = None
    baseline_scores: tuple[float, ...] = ()

    def decide(self, scores: Floats) -> NDArray:
        """Return the decided class of each row as an index, shape (n,); in a regression the scores themselves."""
        if self.task == "binary":
            return (scores >= (0.5 if self.threshold is None else self.threshold)).astype(np.int8)
        return np.argmax(scores, axis=1) if self.task == "multiclass" else scores

    def labels(self, codes: NDArray) -> NDArray | pd.Index:
        """Return the label of each class index, shape (n,); in a regression the values themselves."""
        if self.task == "binary":
            return codes.astype(bool)
        return (
            pd.Index(self.classes, dtype="str").take(codes) if self.task == "multiclass" else codes
        )

    def outcome(self, truth: NDArray, scores: Floats) -> Outcome:
        """Set the model's scores beside the truth (coded by :func:`encode_target`)."""
        return Outcome(self.task, truth, scores, self.decide(scores), self.classes)

    def baseline(
        self, truth: NDArray, scores: tuple[float, ...] | None = None
    ) -> dict[str, Outcome]:
        """Return what the model is held against: a dummy that says the same of every row.

        Which constant answer is the best depends on the metric: by accuracy the most frequent class, by F1 and recall
        "yes", however rare; by the mean absolute error the median. So each metric has the one that is best by it on these
        very rows: more than a model is granted, and a model that does not beat it is worth nothing.

        Parameters
        ----------
        truth : ndarray, shape (n,)
            Coded by :func:`encode_target`.
        scores : tuple of float, optional
            Those of other train rows than the decision's own (a fold's).

        Returns
        -------
        dict
            An outcome of these rows by the name of each metric of the task.
        """
        constants = self._constants(truth, self.baseline_scores if scores is None else scores)

        def best(metric: Metric) -> Outcome:
            return max(
                constants,
                key=lambda constant: np.nan_to_num(metric.sign * metric.of(constant), nan=-np.inf),
            )

        return {name: best(metric) for name, metric in metrics_of(self.task).items()}

    def _constants(self, truth: NDArray, said: tuple[float, ...]) -> list[Outcome]:
        if self.task == "regression":
            values = [np.full(len(truth), value) for value in said]
            return [Outcome(self.task, truth, value, value) for value in values]
        scores = (
            np.full(len(truth), said[1])
            if self.task == "binary"
            else np.tile(said, (len(truth), 1))
        )
        frequent = int(
            np.bincount(truth).argmax()
        )  # with more classes than two, the best one by each metric there is
        answers = [frequent, 1 - frequent] if self.task == "binary" else [frequent]
        return [
            Outcome(self.task, truth, scores, np.full(len(truth), answer), self.classes)
            for answer in answers
        ]

    def write(self, path: Path) -> None:
        """Write decision.json."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Decision":
        """Read decision.json.

        Raises
        ------
        UserError
            If it is missing or holds something else.
        """
        try:
            values = read_json(path)
            return cls(
                **{
                    **values,
                    "classes": tuple(values["classes"]),
                    "baseline_scores": tuple(values["baseline_scores"]),
                }
            )
        except (FileNotFoundError, ValueError, TypeError, KeyError) as error:
            raise UserError(
                f"{path}: no decision rule can be read from it ({error}). Run `dvc repro train`, or `dvc pull`."
            ) from None


def make_decision(
    problem: Problem,
    features: dict[str, Kind],
    classes: tuple[Any, ...],
    train: NDArray,
    validation: NDArray,
    scores: Floats,
) -> Decision:
    """Return the decision rule of a fitted model.

    Parameters
    ----------
    train, validation : ndarray, shapes (n_train,) and (n_validation,)
        Coded targets. Train rows give the dummy, validation rows the threshold.
    scores : ndarray, shape (n_validation,) or (n_validation, n_classes)
        What the model says of the validation rows.
    """
    prior = baseline_scores(problem.task, train, len(classes))
    if problem.task == "regression":
        return Decision(problem.task, features, baseline_scores=prior)
    if problem.task == "multiclass":
        return Decision(problem.task, features, classes, None, prior)
    threshold = choose_threshold(validation == 1, scores, problem.threshold)
    return Decision(problem.task, features, classes, threshold, prior)


def baseline_scores(task: Task, train: NDArray, n_classes: int) -> tuple[float, ...]:
    """Return what a dummy fitted on these targets may say of any row: class shares, or mean and median."""
    if task == "regression":
        return float(np.mean(train)), float(np.median(train))
    return tuple(
        float(share)
        for share in np.bincount(train.astype(np.intp), minlength=n_classes) / len(train)
    )


def class_labels(target: pd.Series, task: Task) -> tuple[Any, ...]:
    """Return the classes among the train rows, sorted.

    Raises
    ------
    UserError
        If there is only one.
    """
    if task == "regression":
        return ()
    found = sorted(target.unique().tolist())
    if len(found) < 2:
        raise UserError(
            f"columns.target: all {len(target)} train rows are of one class, {found[0] if found else 'none'}. "
            "A classifier needs two: look at columns.target and problem.positive in the conf/dataset file, or widen dataset.window."
        )
    return tuple(found)


def encode_target(target: pd.Series, task: Task, classes: tuple[Any, ...]) -> NDArray:
    """Return the target as numbers: 0/1, an index into `classes`, or itself (float).

    Raises
    ------
    UserError
        If a row is of a class that no train row is of.
    """
    if task == "regression":
        return target.to_numpy(dtype=np.float64)
    if task == "binary":
        return target.to_numpy(dtype=bool).astype(np.int8)
    codes = pd.Index(classes, dtype="str").get_indexer(target.astype("str"))
    if (codes < 0).any():
        unseen = sorted(target[codes < 0].unique().tolist())
        raise UserError(
            f"columns.target: {int((codes < 0).sum())} rows are of class {', '.join(map(str, unseen[:5]))}, of which there is "
            "no train row. Leave such rows out, or choose a split that spreads the classes (split=random)."
        )
    return codes.astype(np.intp)
