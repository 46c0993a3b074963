"""What a model said about rows, beside the truth; and what any resample of those rows makes of it."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seedbed.config.schema import Task

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Truth, scores and decisions of n rows.

    Attributes
    ----------
    task : {"binary", "multiclass", "regression"}
    truth : ndarray, shape (n,)
        0 or 1 (binary), index into `classes` (multiclass), or the target in its own unit (regression).
    scores : ndarray, shape (n,) or (n, n_classes)
        Probability of the positive class (binary), of each class (multiclass), or the prediction (regression).
    prediction : ndarray, shape (n,)
        What was decided, coded like `truth`; in a regression the same as `scores`.
    classes : tuple
        Labels, sorted; (False, True) when binary and empty in a regression.
    """

    task: Task
    truth: NDArray
    scores: Floats
    prediction: NDArray
    classes: tuple = ()

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray) -> "Outcome":
        """Return the outcome of some rows (indices, shape (m,))."""
        return Outcome(
            self.task, self.truth[rows], self.scores[rows], self.prediction[rows], self.classes
        )

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of each class, shape (n, n_classes)."""
        return (
            np.column_stack([1 - self.scores, self.scores])
            if self.task == "binary"
            else self.scores
        )

    @cached_property
    def rankings(self) -> list[tuple[NDArray, NDArray, NDArray]]:
        """Per class: rows by falling score, whether each is of the class, and where groups of equal scores end.

        Binary outcomes have one entry, that of the positive class.
        """
        columns = (
            [(self.scores, self.truth == 1)]
            if self.task == "binary"
            else [(self.scores[:, code], self.truth == code) for code in range(len(self.classes))]
        )
        return [_ranking(score, positive) for score, positive in columns]


class Sample:
    """An outcome whose rows are counted 0, 1, 2 ... times: many resamples of it at once.

    Metrics are functions of a sample, so one definition serves the plain value (every row counted once)
    and the bootstrap.

    Parameters
    ----------
    outcome : Outcome
        Of n rows.
    counts : ndarray, shape (b, n)
        How often each of b resamples holds each row.
    """

    def __init__(self, outcome: Outcome, counts: Floats | None = None) -> None:
        self.outcome = outcome
        self.counts = np.ones((1, len(outcome))) if counts is None else counts

    @cached_property
    def total(self) -> Floats:
        """Rows in each resample, shape (b,)."""
        return self.counts.sum(axis=1)

    def mean(self, values: NDArray) -> Floats:
        """Mean of a value per row, shape (n,), over each resample: shape (b,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.counts @ values.astype(np.float64) / self.total

    @cached_property
    def confusion(self) -> NDArray:
        """Rows by true and decided class, shape (b, n_classes, n_classes)."""
        size = len(self.outcome.classes)
        cell = self.outcome.truth.astype(np.intp) * size + self.outcome.prediction.astype(np.intp)
        flat = [np.bincount(cell, weights=counts, minlength=size * size) for counts in self.counts]
        return np.stack(flat).reshape(-1, size, size)

    @cached_property
    def ranked(self) -> list[tuple[Floats, Floats]]:
        """Per entry of `rankings`: true and false positives at each cut-off, from strict to lenient, shape (b, cuts)."""
        return [self._cumulated(*ranking) for ranking in self.outcome.rankings]

    def _cumulated(self, order: NDArray, positive: NDArray, ends: NDArray) -> tuple[Floats, Floats]:
        counts = self.counts[:, order]
        taken = np.cumsum(counts, axis=1)[:, ends]
        tp = np.cumsum(counts * positive, axis=1)[:, ends]
        return tp, taken - tp


def _ranking(score: Floats, positive: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    return order, positive[order], ends
