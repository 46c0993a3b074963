"""Evaluation as a whole: what a trained model is worth on rows that nothing was chosen by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.modelling import Evaluation, Model, Problem
from seedbed.data.tables import CLUSTER, ROW, SLICE, TARGET, TIME
from seedbed.models.decision import Decision, encode_target
from seedbed.models.features import clusters_of, feature_frame, slices_of, split_rows
from seedbed.models.importance import permutation_importance, sample_rows
from seedbed.models.intervals import as_text, compare, with_interval
from seedbed.models.metrics import find_metric
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.predicting import predict_scores
from seedbed.models.second_baseline import describe_second_baseline, measure_second_baseline

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Evaluated:
    """A model's outcome on the test rows beside the baseline's, and the figures of that."""

    outcome: Outcome
    baseline: Outcome
    details: dict[str, Any]
    predictions: pd.DataFrame

    @property
    def headline(self) -> dict[str, Any]:
        """The few figures that stand in `dvc exp show`."""
        name = self.details["metric"]
        figure = self.details["test"][name]
        return {"test": {name: figure["value"], "low": figure["low"], "high": figure["high"]}}

    def __str__(self) -> str:
        """Return those figures, and the baseline's, as one line."""
        name = self.details["metric"]
        figure = with_interval(self.details["test"][name])
        baseline = as_text(self.details["baseline"][name]["value"])
        other = describe_second_baseline(self.details)
        return f"{name}: {figure} on the test rows; the baseline has {baseline}{other}"


def evaluate_model(
    pipeline: "Pipeline",
    decision: Decision,
    rows: pd.DataFrame,
    problem: Problem,
    evaluation: Evaluation,
    seed: int,
    model: Model | None = None,
) -> Evaluated:
    """Measure a fitted pipeline on the test rows of data/features.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
    model : Model, optional
        What was fitted, for the second baseline, where the evaluation asks for one.

    Raises
    ------
    UserError
        If there are no test rows, or they do not fit the model.
    """
    metric = find_metric(problem.metric, problem.task)
    test = split_rows(rows, "test")
    features = feature_frame(test, decision.features)
    truth = encode_target(test[TARGET], problem.task, decision.classes)
    scores = predict_scores(pipeline, features, problem.task, decision.classes)
    outcome, baselines = decision.outcome(truth, scores), decision.baseline(truth)
    slices, clusters = slices_of(test), clusters_of(test)
    figures = compare(outcome, baselines, slices, clusters, metric, evaluation.bootstrap, seed)
    repeats = evaluation.importance_repeats
    size = sample_rows(len(features), features.shape[1], evaluation.importance_rows, repeats)
    importance = permutation_importance(
        pipeline, decision, features, truth, metric, size, repeats, seed
    )
    details = {
        "metric": metric.name,
        "direction": metric.direction,
        "threshold": decision.threshold,
        "test": figures.pop("model"),
        **figures,
        "importance": importance,
        "importance_rows": size,
        "rows": {"test": len(test)},
    }
    if model is not None:
        details |= measure_second_baseline(
            rows, "test", outcome, decision, model, problem, evaluation, seed
        )
    baseline = baselines[metric.name]
    predictions = predictions_table(test, decision, scores, baseline)
    return Evaluated(outcome, baseline, details, predictions)


def predictions_table(
    rows: pd.DataFrame, decision: Decision, scores: Floats, baseline: Outcome
) -> pd.DataFrame:
    """Return data/predictions: key, truth, decision, scores and the baseline's answer, per row.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        Of data/features.
    scores : ndarray, shape (n_rows,) or (n_rows, n_classes)
    """
    columns, constant = decision.answers(scores), baseline.scores
    if decision.task == "regression":  # so that a classifier's and a regression's look alike
        columns["score"] = scores
    elif decision.task == "multiclass":
        constant = decision.labels(baseline.prediction)
    columns["baseline"] = constant
    kept = [name for name in rows.columns if str(name).startswith((TIME, CLUSTER, SLICE))]
    table = pd.DataFrame(columns, index=rows.index).add_prefix("_")
    return pd.concat([rows[[ROW, TARGET]], table, rows[kept]], axis=1)
