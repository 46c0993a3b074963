"""Evaluation as a whole: what a trained model is worth on rows that nothing was chosen by."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seedbed.config.schema import Evaluation, Problem
from seedbed.data.tables import CLUSTER, ROW, SLICE, TARGET, TIME
from seedbed.models.decision import Decision, encode_target
from seedbed.models.features import feature_frame
from seedbed.models.importance import permutation_importance
from seedbed.models.metrics import find_metric
from seedbed.models.outcome import Floats, Outcome
from seedbed.models.pipeline import predict_scores
from seedbed.models.report import compare, told
from seedbed.models.sides import clusters_of, slices_of, split_rows

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Evaluated:
    """What a model said of the test rows beside the dummy, and the figures of that."""

    outcome: Outcome
    baseline: Outcome
    details: dict[str, Any]
    predictions: pd.DataFrame

    @property
    def headline(self) -> dict[str, Any]:
        """The few figures that stand in `dvc exp show`."""
        figure = self.details["test"][self.details["metric"]]
        return {
            "test": {
                self.details["metric"]: figure["value"],
                "low": figure["low"],
                "high": figure["high"],
            }
        }

    def in_words(self) -> str:
        """Return those figures, and the baseline's, as one line."""
        name = self.details["metric"]
        figure, baseline = self.details["test"][name], self.details["baseline"][name]
        between = (
            f" ({told(figure['low'])} to {told(figure['high'])})"
            if figure["low"] is not None
            else ""
        )
        return f"{name}: {told(figure['value'])}{between} on the test rows; the baseline has {told(baseline['value'])}"


def evaluate_model(
    pipeline: "Pipeline",
    decision: Decision,
    rows: pd.DataFrame,
    problem: Problem,
    evaluation: Evaluation,
    seed: int,
) -> Evaluated:
    """Measure a fitted pipeline on the test rows of data/features.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)

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
    baseline = baselines[metric.name]
    figures = compare(
        outcome, baselines, slices_of(test), clusters_of(test), metric, evaluation.bootstrap, seed
    )
    importance = permutation_importance(
        pipeline,
        decision,
        features,
        truth,
        metric,
        evaluation.importance_rows,
        evaluation.importance_repeats,
        seed,
    )
    details = {
        "metric": metric.name,
        "direction": metric.direction,
        "threshold": decision.threshold,
        "test": figures["model"],
        "baseline": figures["baseline"],
        "difference": figures["difference"],
        "slices": figures["slices"],
        "bootstrap": figures["bootstrap"],
        "importance": importance,
        "rows": {"test": len(test)},
    }
    return Evaluated(
        outcome, baseline, details, predictions_table(test, decision, scores, baseline)
    )


def predictions_table(
    rows: pd.DataFrame, decision: Decision, scores: Floats, baseline: Outcome
) -> pd.DataFrame:
    """Return data/predictions: key, truth, decision, scores and what the dummy said, per row.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        Of data/features.
    scores : ndarray, shape (n_rows,) or (n_rows, n_classes)
    """
    said = (
        {f"_score_{label}": scores[:, code] for code, label in enumerate(decision.classes)}
        if scores.ndim == 2
        else {"_score": scores}
    )
    dummy = (
        decision.labels(baseline.prediction) if decision.task == "multiclass" else baseline.scores
    )
    kept = [
        name
        for name in rows.columns
        if name in (TIME, CLUSTER) or str(name).startswith(SLICE)
    ]
    table = pd.DataFrame(
        {
            ROW: rows[ROW],
            TARGET: rows[TARGET],
            "_prediction": decision.labels(decision.decide(scores)),
            **said,
            "_baseline": np.asarray(dummy) if decision.task != "multiclass" else dummy,
        }
    )
    return pd.concat([table, rows[kept]], axis=1)
