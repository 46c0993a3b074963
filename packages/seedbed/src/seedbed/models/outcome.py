"""What a model predicted for rows, beside the truth; and resamples of those rows."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from seedbed.config.metrics import NoNumberError
from seedbed.config.modelling import Task

Floats = NDArray[np.float64]

POOLED = 5_000_000
"""Most scores that are pooled over the classes."""


@dataclass(frozen=True)
class Outcome:
    """Truth, scores and decisions of n rows."""

    task: Task
    # shape (n,): 0 or 1 (binary), index into `classes` (multiclass), or the target in its own unit
    # (regression)
    truth: NDArray
    # shape (n,) or (n, n_classes): probability of the positive class (binary), of each class
    # (multiclass), or the prediction (regression)
    scores: Floats
    # shape (n,): what was decided, coded like `truth`; in a regression the same as `scores`
    prediction: NDArray
    classes: tuple = ()  # labels, sorted; (False, True) when binary and empty in a regression

    def __post_init__(self) -> None:
        # A metric of a project's own must not change what the next one is measured on.
        for name in ("truth", "scores", "prediction"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, rows: NDArray) -> "Outcome":
        """Return the outcome of some rows (indices, shape (m,))."""
        return Outcome(
            self.task, self.truth[rows], self.scores[rows], self.prediction[rows], self.classes
        )

    def sample(self, counts: Floats | None = None) -> "Sample":
        """Return resamples of the rows, given how often each holds each row, shape (b, n).

        Without counts it is the one sample that holds every row once.
        """
        return Sample(self, np.ones((1, len(self))) if counts is None else counts)

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of each class, shape (n, n_classes)."""
        if self.task == "binary":
            return np.column_stack([1 - self.scores, self.scores])
        return self.scores

    @cached_property
    def pooled(self) -> "Outcome":
        """The binary outcome in which each row counts once per class, as of it or not.

        Curves drawn from it are micro-averages; of many rows of many classes every second, third
        ... row is enough for them. A binary outcome is itself.
        """
        if self.task == "binary":
            return self
        step = -(-self.scores.size // POOLED)
        truth = np.eye(len(self.classes), dtype=np.int8)[self.truth[::step]].ravel()
        return Outcome("binary", truth, self.scores[::step].ravel(), truth, (False, True))

    @cached_property
    def rankings(self) -> list[tuple[NDArray, NDArray, NDArray]]:
        """By class, rows by falling score, which are of it, and where equal scores end.

        A binary outcome has the ranking of the positive class alone.
        """
        if self.task == "binary":
            return [_ranking(self.scores, self.truth == 1)]
        codes = range(len(self.classes))
        return [_ranking(self.scores[:, code], self.truth == code) for code in codes]


class Sample:
    """An outcome whose rows are counted 0, 1, 2 ... times: many resamples of it at once.

    Metrics are functions of a sample, so one definition serves the plain value (every row counted
    once) and the bootstrap.

    Parameters
    ----------
    outcome : Outcome
        Of n rows.
    counts : ndarray, shape (b, n)
        How often each of b resamples holds each row.
    """

    def __init__(self, outcome: Outcome, counts: Floats) -> None:
        self.outcome = outcome
        self.counts = counts
        self._ranked: dict[int, tuple[Floats, Floats]] = {}

    def mean(self, values: NDArray) -> Floats:
        """Mean of a value per row, shape (n,), over each resample: shape (b,)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.counts @ values.astype(np.float64) / self._total

    def each(self, function: Callable[[NDArray, NDArray, Floats], float]) -> Floats:
        """Call `function(truth, scores, weights)`, such as scikit-learn's, for each resample.

        Raises NoNumberError if it returns anything but one number; :class:`Metric` says of which.
        """
        truth, scores = self.outcome.truth, self.outcome.scores
        values = [function(truth, scores, counts) for counts in self.counts]
        for value in values:
            if not isinstance(value, Real | np.bool_):
                raise NoNumberError(
                    "calls sample.each with a function that returns a value of type "
                    f"{type(value).__name__}, where one number is needed. Return a number, or NaN "
                    "where there is none."
                )
        return np.array(values, dtype=np.float64)

    @cached_property
    def confusion(self) -> NDArray:
        """Rows by true and decided class, shape (b, n_classes, n_classes)."""
        size = len(self.outcome.classes)
        cell = self.outcome.truth.astype(np.intp) * size + self.outcome.prediction.astype(np.intp)
        flat = [np.bincount(cell, weights=counts, minlength=size * size) for counts in self.counts]
        return np.stack(flat).reshape(-1, size, size)

    def ranked(self, label: int = 0) -> tuple[Floats, Floats]:
        """Return true and false positives at each cut-off, from strict to lenient, shape (b, cuts).

        Parameters
        ----------
        label : int
            A class against all others; of a binary outcome there is the positive one, 0.
        """
        if self.outcome.task != "binary":  # hundreds of classes would not fit in memory together
            return self._cumulated(label)
        if label not in self._ranked:
            self._ranked[label] = self._cumulated(label)
        return self._ranked[label]

    @cached_property
    def _total(self) -> Floats:
        return self.counts.sum(axis=1)

    def _cumulated(self, label: int) -> tuple[Floats, Floats]:
        order, positive, ends = self.outcome.rankings[label]
        counts = self.counts[:, order]
        taken = np.cumsum(counts, axis=1)[:, ends]
        tp = np.cumsum(counts * positive, axis=1)[:, ends]
        return tp, taken - tp


def _ranking(score: Floats, positive: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    return order, positive[order], ends
