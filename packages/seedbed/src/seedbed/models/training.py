"""Training as a whole: cross-validation, the fit, the threshold, and the figures of all that."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.modelling import Evaluation, Model, Problem
from seedbed.config.preparation import Features, Split
from seedbed.data.tables import CLUSTER, FOLD, TARGET
from seedbed.models.cross_validation import fit_with_folds, repeated_folds, summarize_folds
from seedbed.models.decision import Decision, class_labels, encode_target, make_decision
from seedbed.models.features import (
    clusters_of,
    feature_frame,
    feature_kinds,
    mark_high_cardinality,
    slices_of,
    split_rows,
)
from seedbed.models.intervals import as_text, compare
from seedbed.models.metrics import find_metric
from seedbed.models.outcome import Outcome
from seedbed.models.predicting import predict_scores
from seedbed.models.second_baseline import describe_second_baseline, measure_second_baseline

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline, its decision rule, and its outcome on the validation rows."""

    pipeline: "Pipeline"
    decision: Decision
    outcome: Outcome
    baseline: Outcome
    details: dict[str, Any]

    @property
    def headline(self) -> dict[str, Any]:
        """The few figures that stand in `dvc exp show`."""
        name = self.details["metric"]
        folds = self.details["cross_validation"][name]
        return {
            "cv": {name: folds["mean"], "std": folds["std"]},
            "validation": {name: self.details["validation"][name]["value"]},
        }

    def __str__(self) -> str:
        """Return those figures as one line."""
        name, shown = self.details["metric"], self.headline
        mean, std = as_text(shown["cv"][name]), as_text(shown["cv"]["std"])
        validation = as_text(shown["validation"][name])
        other = describe_second_baseline(self.details)
        folds = f"{mean} ± {std} in cross-validation"
        return f"{name}: {folds}, {validation} on the validation rows{other}"


def train_model(
    rows: pd.DataFrame,
    problem: Problem,
    split: Split,
    model: Model,
    evaluation: Evaluation,
    seed: int,
    learned: Features | None = None,
) -> Trained:
    """Train on the train rows and measure on the validation rows; test rows are not looked at.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        data/features, as :func:`seedbed.data.featurizing.build_training_table` returns it.
    learned : Features, optional
        Says what the pipeline learns of features before the estimator does.

    Raises
    ------
    UserError
        If rows, problem and model do not fit together.
    """
    metric = find_metric(problem.metric, problem.task)
    train, validation = split_rows(rows, "train"), split_rows(rows, "validation")
    learned = learned or Features()
    kinds = mark_high_cardinality(feature_kinds(rows), train, learned.high_cardinality)
    classes = class_labels(train[TARGET], problem.task)
    truth = encode_target(train[TARGET], problem.task, classes)
    held_out = encode_target(validation[TARGET], problem.task, classes)
    features, undecided = feature_frame(train, kinds), Decision(problem.task, kinds, classes)
    target = undecided.fit_target(truth)
    fold = train[FOLD].to_numpy()
    repeated = repeated_folds(train[CLUSTER].to_numpy(), split, target)

    pipeline, scored = fit_with_folds(
        model, features, target, undecided, fold, split.kind, seed, learned, repeated
    )
    scores = predict_scores(pipeline, feature_frame(validation, kinds), problem.task, classes)
    decision = make_decision(problem, kinds, classes, truth, held_out, scores)

    outcome, baselines = decision.outcome(held_out, scores), decision.baseline(held_out)
    folds, baseline_folds = summarize_folds(decision, truth, scored)
    slices, clusters = slices_of(validation), clusters_of(validation)
    figures = compare(outcome, baselines, slices, clusters, metric, evaluation.bootstrap, seed)
    details = {
        "metric": metric.name,
        "direction": metric.direction,
        "threshold": decision.threshold,
        "cross_validation": folds,
        "baseline_cross_validation": baseline_folds,
        "validation": figures.pop("model"),
        **figures,
        "rows": {"train": len(train), "validation": len(validation)},
        **measure_second_baseline(
            rows, "validation", outcome, decision, model, problem, evaluation, seed
        ),
    }
    return Trained(pipeline, decision, outcome, baselines[metric.name], details)
