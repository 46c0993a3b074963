"""The metrics: one function each, with its facts in the decorator.

A metric takes a :class:`~seedbed.models.outcome.Sample` and returns one value per resample.
Formulas are those of scikit-learn's user guide, "Metrics and scoring"
(https://scikit-learn.org/stable/modules/model_evaluation.html); tests compare each one with
scikit-learn's own function, with sample weights.
"""

import numpy as np

from seedbed.config import metrics as registry
from seedbed.config.extensions import place_of
from seedbed.config.metrics import Metric, find_metric, metric
from seedbed.config.modelling import Task
from seedbed.config.project import project_module
from seedbed.errors import CodeError
from seedbed.models.outcome import Floats, Outcome, Sample

HALVES = 3
"""Of one half alone, a metric that ignores the counts may have the same value by chance."""
__all__ = ["Metric", "find_metric", "metric", "metrics_of"]


def metrics_of(task: Task) -> dict[str, Metric]:
    """Return the metrics that are defined for a task, by name, in the order of reports."""
    # Named here, so that an edit of the project's own makes the stages stale that measure.
    project_module("metrics")
    return registry.metrics_of(task)


def refuse_other_counts(found: Metric, outcome: Outcome) -> None:
    """Refuse a metric for which a row that is counted 0 times is not as if it were not there.

    Its intervals would be those of other rows, or have no width.

    Raises CodeError if it gives other values for half of the rows, drawn at random, where the
    others are counted 0 times, and for that half alone.
    """
    halves = np.random.default_rng(0).random((HALVES, len(outcome))) < 0.5
    counted = found.compute(outcome.sample(halves.astype(np.float64)))
    for half, value in zip(halves, counted, strict=True):
        alone = found.of(outcome.take(np.flatnonzero(half)))
        if not np.isclose(value, alone, rtol=1e-6, atol=1e-9, equal_nan=True):
            raise CodeError(
                f"{place_of(found.function)}: the metric {found.name} of half of the rows is "
                f"{alone:g}, and {value:g} when the others are there and counted 0 times, so that "
                "its intervals would be wrong. Let it use the counts: sample.mean(...), or the "
                "weights that sample.each(...) hands on."
            )


@metric("maximize", "binary")
def roc_auc(sample: Sample) -> Floats:
    """Chance that a positive row scores above a negative one, ties counting half.

    Fawcett 2006, doi:10.1016/j.patrec.2005.10.010.
    """
    return _area_under_roc(*sample.ranked())


@metric("maximize", "binary")
def average_precision(sample: Sample) -> Floats:
    """Sum over cut-offs of precision times the gain in recall, without interpolation."""
    tp, fp = sample.ranked()
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(tp / (tp + fp))
        return (np.diff(tp, axis=1, prepend=0) * precision).sum(axis=1) / tp[:, -1]


@metric("minimize", "binary", "multiclass")
def log_loss(sample: Sample) -> Floats:
    """Mean negative log of the probability given to the true class, in nats."""
    outcome = sample.outcome
    given = outcome.probabilities[np.arange(len(outcome)), outcome.truth.astype(np.intp)]
    tiny = np.finfo(np.float64).eps
    return sample.mean(-np.log(np.clip(given, tiny, 1 - tiny)))


@metric("minimize", "binary")
def brier(sample: Sample) -> Floats:
    """Mean squared distance between probability and truth (Brier 1950)."""
    return sample.mean((sample.outcome.scores - sample.outcome.truth) ** 2)


@metric("maximize", "binary", "multiclass")
def accuracy(sample: Sample) -> Floats:
    """Share of rows decided right."""
    return sample.mean(sample.outcome.truth == sample.outcome.prediction)


@metric("maximize", "binary", "multiclass")
def balanced_accuracy(sample: Sample) -> Floats:
    """Mean over the classes that occur of the share of their rows decided right."""
    right = np.diagonal(sample.confusion, axis1=1, axis2=2)
    return _mean_of_defined(right, sample.confusion.sum(axis=2))


@metric("maximize", "binary")
def f1(sample: Sample) -> Floats:
    """Harmonic mean of precision and recall of the positive class, at the threshold."""
    cells = sample.confusion
    return _ratio(2 * cells[:, 1, 1], 2 * cells[:, 1, 1] + cells[:, 0, 1] + cells[:, 1, 0])


@metric("maximize", "binary")
def precision(sample: Sample) -> Floats:
    """Share of the rows decided positive that are; 0 when none is decided positive."""
    return _ratio(sample.confusion[:, 1, 1], sample.confusion[:, :, 1].sum(axis=1))


@metric("maximize", "binary")
def recall(sample: Sample) -> Floats:
    """Share of the positive rows that were decided positive; 0 when there are none."""
    return _ratio(sample.confusion[:, 1, 1], sample.confusion[:, 1, :].sum(axis=1))


@metric("maximize", "multiclass")
def f1_macro(sample: Sample) -> Floats:
    """Unweighted mean of the F1 of each class that occurs in truth or decision."""
    right = np.diagonal(sample.confusion, axis1=1, axis2=2)
    return _mean_of_defined(2 * right, sample.confusion.sum(axis=1) + sample.confusion.sum(axis=2))


@metric("maximize", "multiclass")
def roc_auc_ovr(sample: Sample) -> Floats:
    """Unweighted mean over classes of the ROC AUC of that class against all others."""
    classes = range(len(sample.outcome.classes))
    return np.mean([_area_under_roc(*sample.ranked(code)) for code in classes], axis=0)


@metric("minimize", "regression")
def rmse(sample: Sample) -> Floats:
    """Root of the mean squared error, in the target's unit."""
    return np.sqrt(sample.mean((sample.outcome.truth - sample.outcome.scores) ** 2))


@metric("minimize", "regression")
def mae(sample: Sample) -> Floats:
    """Mean absolute error, in the target's unit."""
    return sample.mean(np.abs(sample.outcome.truth - sample.outcome.scores))


@metric("maximize", "regression")
def r2(sample: Sample) -> Floats:
    """Share of the target's variance that is explained; NaN when it does not vary."""
    # Centred: E[y^2] - E[y]^2 cancels digits otherwise.
    truth = sample.outcome.truth - np.mean(sample.outcome.truth)
    variance = sample.mean(truth**2) - sample.mean(truth) ** 2
    error = sample.mean((sample.outcome.truth - sample.outcome.scores) ** 2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(variance > 0, 1 - error / variance, np.nan)


def _area_under_roc(tp: Floats, fp: Floats) -> Floats:
    before = np.concatenate([np.zeros((len(tp), 1)), tp[:, :-1]], axis=1)
    area = (np.diff(fp, axis=1, prepend=0) * (tp + before)).sum(axis=1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return area / (tp[:, -1] * fp[:, -1])


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _mean_of_defined(part: Floats, whole: Floats) -> Floats:
    defined = whole > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(defined, _ratio(part, whole), 0).sum(axis=1) / defined.sum(axis=1)
