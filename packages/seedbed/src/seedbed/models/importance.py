"""Permutation importance: how much worse the deciding metric gets when one feature is shuffled."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.decision import Decision
from seedbed.models.metrics import Metric
from seedbed.models.parallel import run_in_parallel
from seedbed.models.predicting import predict_scores

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

CELLS = 100_000_000
"""Most values that all predictions together read: of wide tables fewer rows are looked at."""


def permutation_importance(
    pipeline: "Pipeline",
    decision: Decision,
    features: pd.DataFrame,
    truth: NDArray,
    metric: Metric,
    rows: int,
    repeats: int,
    seed: int,
) -> dict[str, Any]:
    """Return how much each feature is worth to a fitted pipeline, on a sample of rows.

    Of two features that hold the same each can replace the other, and both then look worth little.
    Source: Breiman (2001), Random Forests, doi:10.1023/A:1010933404324, section 10.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
    truth : ndarray, shape (n_rows,)
        Coded target.
    rows : int
        Size of the sample, as :func:`sample_rows` returns it.
    repeats : int
        Shuffles of each feature.

    Returns
    -------
    dict
        By feature, the most important first: mean and standard deviation over the repeats of what
        the metric loses, in its own unit, positive when shuffling makes it worse; None where it is
        not defined.
    """
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(len(features), rows, replace=False))
    sample, target = features.iloc[chosen].reset_index(drop=True), truth[chosen]

    def value(scores: NDArray) -> float:
        return metric.of(decision.outcome(target, scores))

    whole = value(predict_scores(pipeline, sample, decision.task, decision.classes))
    orders = np.concatenate([random.permutation(rows) for _ in range(repeats)])
    repeated = sample.iloc[np.tile(np.arange(rows), repeats)].reset_index(drop=True)

    def losses(name: str) -> list[float]:
        shuffled = repeated.assign(**{name: sample[name].iloc[orders].array})
        scores = predict_scores(pipeline, shuffled, decision.task, decision.classes)
        return [metric.sign * (whole - value(part)) for part in np.split(scores, repeats)]

    lost = run_in_parallel([partial(losses, name) for name in decision.features], "importances")
    found = {
        name: {"mean": _or_none(np.mean(values)), "std": _or_none(np.std(values))}
        for name, values in zip(decision.features, lost, strict=True)
    }
    return dict(sorted(found.items(), key=lambda item: (-(item[1]["mean"] or 0.0), item[0])))


def sample_rows(rows: int, features: int, wanted: int, repeats: int) -> int:
    """Return how many of `rows` are looked at: those asked for, fewer of wide tables."""
    return min(rows, wanted, max(100, CELLS // (features**2 * repeats)))


def _or_none(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
