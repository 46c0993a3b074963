"""What performance may be expected to be before outcomes come, by the scores alone.

Confidence-based estimation: each row counts as of each class with the probability that the model
gives to it. NannyML calls it CBPE; of the accuracy it is the average confidence of Garg et al.
(2022), Leveraging unlabeled data to predict out-of-distribution performance, arXiv:2201.04234. It
sees what a shift of inputs does, and is blind to a change of what the inputs mean: where scores are
no longer calibrated it is wrong.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Task
from seedbed.models.comparison import read_outcome, scored_classes
from seedbed.models.intervals import CELLS, MINIMUM_CLUSTERS, interval, resample_counts
from seedbed.models.metrics import Metric
from seedbed.models.outcome import Floats, Outcome

RESAMPLES = 200
Figure = Mapping[str, float | None]
"""``value``, ``low`` and ``high`` of a 95 % interval; None where they are not defined."""


def without_truth(answers: pd.DataFrame, task: Task) -> Outcome:
    """Return what a model predicted for n rows whose outcome is not known: any truth stands there.

    Parameters
    ----------
    answers : DataFrame, shape (n, n_answers)
        As :meth:`Bundle.predict` returns it.
    """
    classes = tuple(sorted(scored_classes(answers)))
    anything: Any = {"binary": False, "multiclass": classes[:1], "regression": 0.0}[task]
    unknown = pd.Series(np.resize(np.array(anything), len(answers)))
    return read_outcome(answers, unknown, task, classes)


def expect(scores: Outcome, metric: Metric) -> float | None:
    """Return what a metric is expected to be if the scores are right as probabilities.

    A regression has no probabilities, so that None is returned.

    Parameters
    ----------
    scores : Outcome
        Of n rows; its truth is not looked at.
    """
    if scores.task == "regression":
        return None
    every, chances = _of_every_class(scores)
    return float(metric.compute(every.sample(chances[None, :]))[0])


def estimate(
    scores: Outcome, metric: Metric, clusters: NDArray[np.intp], seed: int = 0
) -> Figure | None:
    """Return what :func:`expect` does, with a bootstrap interval.

    Parameters
    ----------
    scores : Outcome
        Of n rows; its truth is not looked at.
    clusters : ndarray, shape (n,)
        Rows that are alike, which are resampled together.
    """
    value = expect(scores, metric)
    if value is None:
        return None
    if len(np.unique(clusters)) < MINIMUM_CLUSTERS:
        return {"value": value, "low": None, "high": None}
    every, chances = _of_every_class(scores)
    drawn = resample_counts(clusters, RESAMPLES, seed, max(1, CELLS // len(every)))
    copies = len(scores.classes)
    resampled = [
        metric.compute(every.sample(np.tile(counts, copies) * chances)) for counts in drawn
    ]
    low, high = interval(np.concatenate(resampled))
    return {"value": value, "low": low, "high": high}


def _of_every_class(scores: Outcome) -> tuple[Outcome, Floats]:
    """Return each row once for each class as its truth, and the chance of that."""
    n, size = len(scores), len(scores.classes)
    rows = np.tile(np.arange(n), size)
    truth = np.repeat(np.arange(size), n)
    every = Outcome(
        scores.task, truth, scores.scores[rows], scores.prediction[rows], scores.classes
    )
    return every, scores.probabilities.T.ravel()
