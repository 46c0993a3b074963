"""From scores to decisions: what models/model/decision.json holds."""

from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import ConfigDict, TypeAdapter, ValidationError

from seedbed.config.modelling import Problem, Task
from seedbed.config.section import first_mistake
from seedbed.errors import UserError
from seedbed.files import write_json
from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.threshold import choose_threshold

Kind = Literal["number", "category", "high_cardinality", "text", "image"]


@dataclass(frozen=True)
class Decision:
    """Which features a fitted pipeline needs, and how its scores become decisions.

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
        What the baseline scores every row: share of each class among the train rows; in a
        regression mean and median of their targets.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    task: Task
    features: dict[str, Kind]
    classes: tuple[Any, ...] = ()
    threshold: float | None = None
    baseline_scores: tuple[float, ...] = ()

    def decide(self, scores: Floats) -> NDArray:
        """Return the index of each row's class, shape (n,); in a regression the scores."""
        if self.task == "binary":
            return (scores >= (0.5 if self.threshold is None else self.threshold)).astype(np.int8)
        return np.argmax(scores, axis=1) if self.task == "multiclass" else scores

    def labels(self, codes: NDArray) -> NDArray | pd.Index:
        """Return the label of each class index, shape (n,); in a regression the values."""
        if self.task == "binary":
            return codes.astype(bool)
        if self.task == "multiclass":
            return pd.Index(self.classes, dtype="str").take(codes)
        return codes

    def fit_target(self, codes: NDArray) -> NDArray:
        """Return what an estimator is fitted on: the labels of classes, or the values."""
        labels = self.labels(codes)
        return np.asarray(labels, dtype=str if self.task == "multiclass" else None)

    def answers(self, scores: Floats) -> dict[str, NDArray | pd.Index]:
        """Return the columns that answer the question for rows with these scores.

        These are `prediction` and `score` (binary: the probability of the positive class) or one
        `score_<class>` for each class of a multiclass problem.
        """
        found = {"prediction": self.labels(self.decide(scores))}
        if self.task == "binary":
            return {**found, "score": scores}
        return found | {f"score_{label}": scores[:, n] for n, label in enumerate(self.classes)}

    def outcome(self, truth: NDArray, scores: Floats) -> Outcome:
        """Set the model's scores beside the truth (coded by :func:`encode_target`)."""
        return Outcome(self.task, truth, scores, self.decide(scores), self.classes)

    def baseline(
        self, truth: NDArray, scores: tuple[float, ...] | None = None
    ) -> dict[str, Outcome]:
        """Return what the model is compared with: the best constant answer, for each metric.

        Which constant is the best depends on the metric: by accuracy the most frequent class, by F1
        and recall "yes", however rare; by the mean absolute error the median. It is chosen on these
        very rows. That is more than a model is granted, and a model that does not beat it is worth
        nothing.

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

        def merit(metric: Metric, constant: Outcome) -> float:
            value = metric.sign * metric.of(constant)
            return value if np.isfinite(value) else -np.inf

        return {
            name: max(constants, key=partial(merit, metric))
            for name, metric in metrics_of(self.task).items()
        }

    def _constants(self, truth: NDArray, scores: tuple[float, ...]) -> list[Outcome]:
        if self.task == "regression":
            values = [np.full(len(truth), score) for score in scores]
            return [Outcome(self.task, truth, value, value) for value in values]
        binary = self.task == "binary"
        everywhere = np.full(len(truth), scores[1]) if binary else np.tile(scores, (len(truth), 1))
        # Of more than two classes the most frequent one is the best by each metric.
        frequent = int(np.bincount(truth).argmax())
        codes = [frequent, 1 - frequent] if binary else [frequent]
        return [
            Outcome(self.task, truth, everywhere, np.full(len(truth), code), self.classes)
            for code in codes
        ]

    def write(self, path: Path) -> None:
        """Write decision.json."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Decision":
        """Read decision.json.

        Raises UserError if it is missing or holds something else.
        """
        try:
            return TypeAdapter(cls).validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError) as error:
            why = first_mistake(error) if isinstance(error, ValidationError) else "it is missing"
            raise UserError(
                f"{path}: no decision rule can be read from it ({why}). Run `dvc repro train`, or "
                "`dvc pull`."
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
        Coded targets. Train rows give the baseline, validation rows the threshold.
    scores : ndarray, shape (n_validation,) or (n_validation, n_classes)
        The model's scores of the validation rows.
    """
    threshold = None
    if problem.task == "binary":
        threshold = choose_threshold(validation == 1, scores, problem.threshold)
    prior = baseline_scores(problem.task, train, len(classes))
    return Decision(problem.task, features, classes, threshold, prior)


def baseline_scores(task: Task, train: NDArray, n_classes: int) -> tuple[float, ...]:
    """Return the constant scores these targets suggest: class shares, or mean and median."""
    if task == "regression":
        return float(np.mean(train)), float(np.median(train))
    shares = np.bincount(train.astype(np.intp), minlength=n_classes) / len(train)
    return tuple(float(share) for share in shares)


def class_labels(target: pd.Series, task: Task) -> tuple[Any, ...]:
    """Return the classes among the train rows, sorted.

    Raises UserError if there is only one.
    """
    if task == "regression":
        return ()
    found = sorted(target.unique().tolist())
    if len(found) < 2:
        raise UserError(
            f"columns.target: all {len(target)} train rows are of one class, "
            f"{found[0] if found else 'none'}. A classifier needs two: look at columns.target and "
            "problem.positive in the conf/dataset file, or widen dataset.window."
        )
    return tuple(found)


def encode_target(target: pd.Series, task: Task, classes: tuple[Any, ...]) -> NDArray:
    """Return the target as numbers: 0/1, an index into `classes`, or itself (float).

    Raises UserError if a row is of a class that no train row is of.
    """
    if task == "regression":
        return target.to_numpy(dtype=np.float64)
    if task == "binary":
        return target.to_numpy(dtype=bool).astype(np.int8)
    codes = pd.Index(classes, dtype="str").get_indexer(target.astype("str"))
    if (codes < 0).any():
        unseen = sorted(target[codes < 0].unique().tolist())
        raise UserError(
            f"columns.target: {int((codes < 0).sum())} rows are of class "
            f"{', '.join(map(str, unseen[:5]))}, of which there is no train row. Leave such rows "
            "out, or join the class with another one."
        )
    return codes.astype(np.intp)
