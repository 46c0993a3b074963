"""Cross-validation on the train rows, along the folds that `_fold` gives them."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.schema import Model
from seedbed.errors import UserError
from seedbed.models.decision import Decision, baseline_scores
from seedbed.models.metrics import metrics_of
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.pipeline import build_pipeline, fit_pipeline, predict_scores
from seedbed.progress import track


def cross_validation_folds(fold: NDArray, split_kind: str) -> list[tuple[NDArray, NDArray]]:
    """Return (rows to fit on, rows to score) of each fold, as indices.

    Parameters
    ----------
    fold : ndarray of int, shape (n_rows,)
        Fold of each train row.
    split_kind : {"time", "random", "group"}
        Time chains forward: folds are blocks of time, the first is never scored, and each is scored by a model of
        the blocks before it. Otherwise each fold is scored by a model of all others.

    Raises
    ------
    UserError
        If there are fewer than two folds.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise UserError(f"split.folds: the {len(fold)} train rows are all in one fold, and cross-validation needs two. "
                        "Use more rows (dataset.sample, dataset.window) or fewer folds.")
    if split_kind == "time":
        return [(np.flatnonzero(fold < number), np.flatnonzero(fold == number)) for number in numbers[1:]]
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in numbers]


def cross_validated_scores(
    model: Model, features: pd.DataFrame, target: NDArray, decision: Decision, fold: NDArray, split_kind: str, seed: int,
) -> Iterator[tuple[NDArray, NDArray, Floats]]:
    """Fit a fresh pipeline per fold and yield (rows fitted on, rows scored, what it says of those).

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        Of the train rows; `target` (labels or numbers) and `fold` have the same length.
    decision : Decision
        Gives task, classes and kinds of features; its threshold is not used.

    Raises
    ------
    UserError
        If the rows that a fold fits on are all of one class.
    """
    folds = cross_validation_folds(fold, split_kind)
    for number, (fitted, scored) in enumerate(track(folds, len(folds), "fold"), start=1):
        if decision.task != "regression" and len(np.unique(target[fitted])) < 2:
            raise UserError(f"split.folds: the {len(fitted)} rows that fold {number} fits on are of one class only. "
                            "Use fewer folds, or more rows (dataset.sample, dataset.window).")
        pipeline = build_pipeline(model, decision.task, decision.features, seed, split_kind, fold[fitted])
        fit_pipeline(pipeline, features.iloc[fitted], target[fitted], model.name)
        yield fitted, scored, predict_scores(pipeline, features.iloc[scored], decision.task, decision.classes)


def summarize_folds(
    decision: Decision, truth: NDArray, said: list[tuple[NDArray, NDArray, Floats]],
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Return mean, spread and values over the folds of each metric, for the model and for the dummy.

    Parameters
    ----------
    decision : Decision
        Its threshold decides in every fold.
    truth : ndarray, shape (n_rows,)
        Coded target of the train rows.
    said : list
        What :func:`cross_validated_scores` yielded.

    Returns
    -------
    tuple of dict
        `{metric: {"mean", "std", "folds"}}`; the spread is the sample standard deviation (n - 1), and null stands
        for what is not defined.
    """
    models = [decision.outcome(truth[scored], scores) for _, scored, scores in said]
    dummies = [decision.baseline(truth[scored], baseline_scores(decision.task, truth[fitted], len(decision.classes)))
               for fitted, scored, _ in said]
    return _summary(decision, models), _summary(decision, dummies)


def _summary(decision: Decision, outcomes: list[Outcome]) -> dict[str, dict]:
    summary = {}
    for name, metric in metrics_of(decision.task).items():
        values = [metric.of(outcome) for outcome in outcomes]
        defined = [value for value in values if np.isfinite(value)]
        summary[name] = {
            "mean": float(np.mean(defined)) if defined else None,
            "std": float(np.std(defined, ddof=1)) if len(defined) > 1 else None,
            "folds": [value if np.isfinite(value) else None for value in values],
        }
    return summary
