"""Cross-validation on the train rows, along the folds that `_fold` gives them."""

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Model
from seedbed.config.preparation import Features, Split
from seedbed.data.splits import hashed_positions
from seedbed.errors import UserError
from seedbed.models.decision import Decision, baseline_scores
from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.parallel import run_in_parallel
from seedbed.models.pipeline import build_pipeline, fit_pipeline
from seedbed.models.predicting import predict_scores

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FoldScores = tuple[NDArray, NDArray, Floats]
"""Rows fitted on, rows scored (indices), and the scores of the latter."""


def cross_validation_folds(fold: NDArray, split_kind: str) -> list[tuple[NDArray, NDArray]]:
    """Return (rows to fit on, rows to score) of each fold, as indices.

    Parameters
    ----------
    fold : ndarray of int, shape (n_rows,)
        Fold of each train row.
    split_kind : {"time", "random", "stratified", "group"}
        Time chains forward: folds are blocks of time, the first is never scored, and each is scored
        by a model of the blocks before it. Otherwise each fold is scored by a model of all others.

    Raises UserError if there are fewer than two folds.
    """
    numbers = np.unique(fold)
    if len(numbers) < 2:
        raise UserError(
            f"split.folds: the {len(fold)} train rows are all in one fold, and cross-validation "
            "needs two. Use more rows (dataset.sample, dataset.window) or fewer folds."
        )
    if split_kind == "time":
        return [
            (np.flatnonzero(fold < number), np.flatnonzero(fold == number))
            for number in numbers[1:]
        ]
    return [(np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in numbers]


def repeated_folds(clusters: NDArray[np.uint64], split: Split, target: NDArray) -> list[NDArray]:
    """Return the fold of each train row in each repetition after the first.

    Rows of a cluster stay together, as they do in the folds that the data come with. Repeating
    narrows what the choice of folds adds to the figures, not what the sample does (Kim 2009,
    doi:10.1016/j.csda.2009.04.009).

    Parameters
    ----------
    clusters : ndarray of uint64, shape (n_rows,)
    target : ndarray, shape (n_rows,)
        The class of each row, which a stratified split spreads evenly.
    """
    classes = target if split.kind == "stratified" else None
    return [
        (positions * split.folds).astype("int8")
        for positions in (
            hashed_positions(clusters, f"repeat {repeat} {split.seed}", classes)
            for repeat in range(1, split.repeats)
        )
    ]


def fit_with_folds(
    model: Model,
    features: pd.DataFrame,
    target: NDArray,
    decision: Decision,
    fold: NDArray,
    split_kind: str,
    seed: int,
    learned: Features | None = None,
    repeated: Sequence[NDArray] = (),
) -> tuple["Pipeline", list[FoldScores]]:
    """Fit a pipeline on all rows, and a fresh one on each fold's, in parallel.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
        Of the train rows; `target` (labels or numbers) and `fold` have the same length.
    decision : Decision
        Gives task, classes and kinds of features; its threshold is not used.
    learned : Features, optional
        See :func:`~seedbed.models.pipeline.build_pipeline`.
    repeated : sequence of ndarray
        Other folds of the same rows, by which they are cross-validated again.

    Returns
    -------
    tuple
        The fitted pipeline, and per fold (rows fitted on, rows scored, their scores).

    Raises UserError if the rows that a fold fits on are all of one class.
    """
    from sklearn.exceptions import ConvergenceWarning

    folds = [
        pair
        for numbers in (fold, *repeated)
        for pair in cross_validation_folds(numbers, split_kind)
    ]
    for number, (rows, _) in enumerate(folds, start=1):
        if decision.task != "regression" and len(np.unique(target[rows])) < 2:
            raise UserError(
                f"split.folds: the {len(rows)} rows that fold {number} fits on are of one class "
                "only. Use fewer folds, or more rows (dataset.sample, dataset.window)."
            )

    def build(rows: NDArray) -> "Pipeline":
        kinds = decision.features
        return build_pipeline(model, decision.task, kinds, seed, split_kind, fold[rows], learned)

    def fit(pipeline: "Pipeline", rows: NDArray) -> "Pipeline":
        return fit_pipeline(pipeline, features.iloc[rows], target[rows], model.name)

    def score(pipeline: "Pipeline", rows: NDArray, scored: NDArray) -> Floats:
        fit(pipeline, rows)
        return predict_scores(pipeline, features.iloc[scored], decision.task, decision.classes)

    # All are built before the first is fitted: building imports what conf/ names, and a thread may
    # see half of a module that another one imports. The longest fit comes first, so that no core is
    # left with it at the end.
    everything = np.arange(len(fold))
    order = sorted(range(len(folds)), key=lambda place: -len(folds[place][0]))
    calls = [
        partial(fit, build(everything), everything),
        *(partial(score, build(folds[place][0]), *folds[place]) for place in order),
    ]
    with warnings.catch_warnings():
        # A network's max_iter is its number of epochs, a choice; of others the warning counts.
        warnings.filterwarnings(
            "ignore", category=ConvergenceWarning, module="sklearn.neural_network"
        )
        # A quantile transform of few targets takes as many quantiles as there are targets.
        warnings.filterwarnings("ignore", message="n_quantiles .* is greater than the total number")
        pipeline, *scores = run_in_parallel(calls, "fits")
    by_fold = dict(zip(order, scores, strict=True))
    return pipeline, [(*rows, by_fold[place]) for place, rows in enumerate(folds)]


def summarize_folds(
    decision: Decision, truth: NDArray, scored: list[FoldScores]
) -> tuple[dict[str, dict], dict[str, dict]]:
    """Return mean, spread and values over the folds of each metric, for model and baseline.

    Parameters
    ----------
    decision : Decision
        Its threshold decides in every fold.
    truth : ndarray, shape (n_rows,)
        Coded target of the train rows.
    scored : list
        What :func:`fit_with_folds` returned.

    Returns
    -------
    tuple of dict
        `{metric: {"mean", "std", "folds"}}`; the spread is the sample standard deviation (n - 1),
        and None stands for what is not defined.
    """
    metrics, models, baselines = metrics_of(decision.task), [], []
    for fitted, rows, scores in scored:
        models.append(dict.fromkeys(metrics, decision.outcome(truth[rows], scores)))
        prior = baseline_scores(decision.task, truth[fitted], len(decision.classes))
        baselines.append(decision.baseline(truth[rows], prior))
    return _summary(metrics, models), _summary(metrics, baselines)


def _summary(metrics: Mapping[str, Metric], outcomes: list[dict[str, Outcome]]) -> dict[str, dict]:
    summary = {}
    for name, metric in metrics.items():
        values = [metric.of(outcome[name]) for outcome in outcomes]
        defined = [value for value in values if np.isfinite(value)]
        summary[name] = {
            "mean": float(np.mean(defined)) if defined else None,
            "std": float(np.std(defined, ddof=1)) if len(defined) > 1 else None,
            "folds": [value if np.isfinite(value) else None for value in values],
        }
    return summary
