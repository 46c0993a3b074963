"""Training as a whole: cross-validation, the fit, the threshold, and the figures of all that."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seedbed.config.schema import Evaluation, Model, Problem, Split
from seedbed.data.tables import FOLD, TARGET
from seedbed.models.cross_validation import fit_with_folds, summarize_folds
from seedbed.models.decision import Decision, class_labels, encode_target, make_decision
from seedbed.models.features import feature_frame, feature_kinds
from seedbed.models.metrics import find_metric
from seedbed.models.outcome import Outcome
from seedbed.models.pipeline import predict_scores
from seedbed.models.report import compare, told
from seedbed.models.sides import clusters_of, slices_of, split_rows

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline, its decision rule, and what it said of the validation rows beside the dummy."""

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

    def in_words(self) -> str:
        """Return those figures as one line."""
        name, found = self.details["metric"], self.headline
        mean, std, validation = map(
            told, (found["cv"][name], found["cv"]["std"], found["validation"][name])
        )
        return f"{name}: {mean} ± {std} in cross-validation, {validation} on the validation rows"


def train_model(
    rows: pd.DataFrame,
    problem: Problem,
    split: Split,
    model: Model,
    evaluation: Evaluation,
    seed: int,
) -> Trained:
    """Train on the train rows and measure on the validation rows; test rows are not looked at.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        data/features, as :func:`seedbed.data.featurizing.build_training_table` returns it.

    Raises
    ------
    UserError
        If rows, problem and model do not fit together.
    """
    metric = find_metric(problem.metric, problem.task)
    train, validation = (split_rows(rows, name) for name in ("train", "validation"))
    kinds = feature_kinds(rows)
    classes = class_labels(train[TARGET], problem.task)
    truth, held = (
        encode_target(part[TARGET], problem.task, classes) for part in (train, validation)
    )
    features, unrated = feature_frame(train, kinds), Decision(problem.task, kinds, classes)
    target = np.asarray(unrated.labels(truth), dtype=str if problem.task == "multiclass" else None)
    fold = train[FOLD].to_numpy()

    pipeline, said = fit_with_folds(model, features, target, unrated, fold, split.kind, seed)
    scores = predict_scores(pipeline, feature_frame(validation, kinds), problem.task, classes)
    decision = make_decision(problem, kinds, classes, truth, held, scores)

    outcome, baseline = decision.outcome(held, scores), decision.baseline(held)
    folds, dummy_folds = summarize_folds(decision, truth, said)
    figures = compare(
        outcome,
        baseline,
        slices_of(validation),
        clusters_of(validation),
        metric,
        evaluation.bootstrap,
        seed,
    )
    return Trained(
        pipeline,
        decision,
        outcome,
        baseline[metric.name],
        {
            "metric": metric.name,
            "direction": metric.direction,
            "threshold": decision.threshold,
            "cross_validation": folds,
            "baseline_cross_validation": dummy_folds,
            "validation": figures["model"],
            "baseline": figures["baseline"],
            "difference": figures["difference"],
            "slices": figures["slices"],
            "bootstrap": figures["bootstrap"],
            "rows": {"train": len(train), "validation": len(validation)},
        },
    )
