"""Permutation importance: how much worse the deciding metric gets when one feature is shuffled."""

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.decision import Decision
from seedbed.models.metrics import Metric
from seedbed.models.parallel import run_side_by_side
from seedbed.models.pipeline import predict_scores

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def permutation_importance(
    pipeline: "Pipeline",
    decision: Decision,
    features: pd.DataFrame,
    truth: NDArray,
    metric: Metric,
    rows: int,
    repeats: int,
    seed: int,
) -> dict[str, dict[str, Any]]:
    """Return how much each feature is worth to a fitted pipeline, on a sample of rows.

    Of two features that say the same each can replace the other, and both then look worth little.
    Source: Breiman (2001), Random Forests, doi:10.1023/A:1010933404324, section 10.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
    truth : ndarray, shape (n_rows,)
        Coded target.
    rows : int
        Size of the sample; all rows if there are fewer.
    repeats : int
        Shuffles of each feature.

    Returns
    -------
    dict
        By feature, the most important first: mean and standard deviation over the repeats of what the metric loses,
        in its own unit, positive when shuffling makes it worse; None where it is not defined.
    """
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(len(features), min(rows, len(features)), replace=False))
    sample, target = features.iloc[chosen].reset_index(drop=True), truth[chosen]
    whole = metric.of(
        decision.outcome(target, predict_scores(pipeline, sample, decision.task, decision.classes))
    )
    orders = [random.permutation(len(sample)) for _ in range(repeats)]
    repeated = sample.iloc[np.tile(np.arange(len(sample)), repeats)].reset_index(drop=True)

    def lost(name: str) -> list[float]:
        shuffled = repeated.assign(**{name: sample[name].iloc[np.concatenate(orders)].array})
        said = np.split(
            predict_scores(pipeline, shuffled, decision.task, decision.classes), repeats
        )
        return [
            metric.sign * (whole - metric.of(decision.outcome(target, scores))) for scores in said
        ]

    losses = run_side_by_side([partial(lost, name) for name in decision.features], "importances")
    found = {
        name: {"mean": _or_none(np.mean(values)), "std": _or_none(np.std(values))}
        for name, values in zip(decision.features, losses, strict=True)
    }
    return dict(sorted(found.items(), key=lambda item: (-(item[1]["mean"] or 0.0), item[0])))


def _or_none(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
