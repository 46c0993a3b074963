"""The model card: what a model answers, for whom, how well, and where not to trust it.

After Mitchell et al. (2019), Model Cards for Model Reporting,
https://doi.org/10.1145/3287560.3287596.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedbed.config.schema import Dataset, Model, Problem, Split
from seedbed.data.splits import PARTS
from seedbed.models.second_baseline import KEY as SECOND
from seedbed.serving.markdown import bullets, cell, count, figure, table, with_interval
from seedbed.serving.signature import InputColumn, Signature

SPLITS = {
    "time": "Split by time: the model is tested on later rows than it was trained on.",
    "random": "Split at random, by a hash of each row's key: the model is tested on rows of the "
    "same time as it was trained on.",
    "group": "Split by groups: the model is tested on groups that it was not trained on.",
}
RESAMPLED = {
    "time": "whole stretches of time, {clusters} in all, since rows of one time are alike",
    "random": "single rows",
    "group": "whole groups, {clusters} in all",
}
FEW_RESAMPLES = 200
"""Of fewer, less than five lie beyond each end of a 95 % interval."""


@dataclass(frozen=True)
class Facts:
    """What a card tells.

    Attributes
    ----------
    periods : dict
        First and last moment of each side of the split as text, where rows have a time.
    excluded : list of str
        The columns that no model may see, since they are known only after the outcome.
    metrics : dict
        As :func:`summarize` gives it.
    """

    dataset: Dataset
    problem: Problem
    split: Split
    model: Model
    signature: Signature
    metrics: Mapping[str, Any]
    periods: Mapping[str, tuple[str, str]]
    excluded: list[str]


def summarize(train: Mapping[str, Any], evaluated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that a bundle keeps, of what train and evaluate reported in full.

    Parameters
    ----------
    train, evaluated : mapping
        reports/train/details.json and reports/evaluate/details.json.
    """
    return {
        "metric": evaluated["metric"],
        "direction": evaluated["direction"],
        "threshold": evaluated["threshold"],
        "rows": {**train["rows"], **evaluated["rows"]},
        "cross_validation": {
            name: {"mean": found["mean"], "std": found["std"]}
            for name, found in train["cross_validation"].items()
        },
        "validation": {"model": train["validation"], "baseline": train["baseline"]},
        "test": {
            "model": evaluated["test"],
            "baseline": evaluated["baseline"],
            "difference": evaluated["difference"],
        },
        "slices": evaluated["slices"],
        "bootstrap": evaluated["bootstrap"],
        **({SECOND: evaluated[SECOND]} if SECOND in evaluated else {}),
    }


def write_card(facts: Facts) -> str:
    """Return a model card in Markdown, without date or path: the same model has the same card."""
    problem, metrics = facts.problem, facts.metrics
    parts = [
        f"# Model card: {facts.dataset.name}, {facts.model.name}",
        f"**{problem.question}**",
        bullets(_purpose(facts)),
        "## Data",
        bullets(_data(facts)),
        table(["side", "rows", "from", "to"], [_side(name, facts) for name in PARTS]),
        "## Model",
        bullets(_model(facts.model, problem)),
        "## How good it is",
        f"On the {count(metrics['rows']['test'])} test rows, by which nothing was chosen, with 95 "
        "% intervals from "
        f"{metrics['bootstrap']['resamples']} bootstrap samples of "
        f"{RESAMPLED[facts.split.kind].format(**metrics['bootstrap'])}. "
        "The baseline says the same of every row, and that is the constant answer that is best by "
        "the metric. "
        "The last column is how much better the model is on the same rows: negative means worse.",
        table(
            ["metric", "model", "baseline", "better by"],
            [_measured(name, metrics["test"]) for name in metrics["test"]["model"]],
        ),
        *_second_baseline(metrics),
        "The metric that decides, from training to test:",
        table([metrics["metric"], "model"], _stages(metrics)),
        *_slices(metrics),
        "## Limitations",
        bullets(_limitations(facts)),
        "## Input",
        "Other columns may be sent along and are not looked at. What lies beyond these values is "
        "answered like the rest; "
        "`Bundle.warn` says which columns of given rows do.",
        table(
            ["column", "type", "may be missing", "in training"],
            [_input(column) for column in facts.signature.columns],
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _purpose(facts: Facts) -> list[str]:
    problem = facts.problem
    return [
        *problem.card,
        "What conf/gate asks on the test rows was reached: else there would be no bundle.",
        "Intended use: To answer this question for single rows of the same kind as the "
        f"{facts.dataset.name} data, at "
        "that moment and with what is known then.",
        "Not intended: As an explanation of causes, for rows of another kind, or as the only "
        "ground of a decision "
        "about a person.",
    ]


def _data(facts: Facts) -> list[str]:
    window, sample = facts.dataset.window, facts.dataset.sample
    return [
        f"Window: {f'from {window.start}' if window.start else 'from the first row'} "
        f"{f'to before {window.end}' if window.end else 'to the last row'}"
        + (f", of which a sample of {count(sample)} rows." if sample else "."),
        SPLITS[facts.split.kind],
        "Never seen by the model, since known only after the outcome: "
        f"{', '.join(facts.excluded) or 'no column'}.",
    ]


def _side(name: str, facts: Facts) -> list[str]:
    return [name, count(facts.metrics["rows"][name]), *facts.periods.get(name, ("", ""))]


def _model(model: Model, problem: Problem) -> list[str]:
    estimator = model.regression if problem.task == "regression" else model.classification
    arguments = {
        name: value
        for name, value in {**estimator, **model.arguments}.items()
        if name != "_target_"
    }
    lines = [
        f"Estimator: `{estimator.get('_target_')}`",
        "Arguments: "
        + (
            ", ".join(f"{name}={value}" for name, value in arguments.items())
            or "those of the library"
        ),
        "Before it: "
        + ", ".join(f"{name}={value}" for name, value in model.preprocessing.model_dump().items()),
    ]
    if model.target_transform is not None:
        lines.append(
            f"It learns the target transformed ({model.target_transform}); all figures are in the "
            "target's own unit"
        )
    if problem.task != "regression":
        lines.append(f"Calibration of probabilities: {model.calibration or 'none chosen'}")
        lines.append(f"Class weights: {model.class_weight or 'none'}")
    return lines


def _measured(name: str, test: Mapping[str, Any]) -> list[str]:
    return [
        name,
        *(with_interval(test[part][name]) for part in ("model", "baseline", "difference")),
    ]


def _second_baseline(metrics: Mapping[str, Any]) -> list[str]:
    if SECOND not in metrics:
        return []
    found = metrics[SECOND]
    return [
        f"A second baseline is the same estimator behind the preprocessing of {found['name']}, "
        "fitted on the same train rows.",
        table(
            ["metric", f"{found['name']}'s pipeline", "model better by"],
            [
                [name, *(with_interval(found[part][name]) for part in ("figures", "difference"))]
                for name in found["figures"]
            ],
        ),
    ]


def _stages(metrics: Mapping[str, Any]) -> list[list[str]]:
    name, folds = metrics["metric"], metrics["cross_validation"][metrics["metric"]]
    spread = f" ± {figure(folds['std'])} over the folds" if folds["std"] is not None else ""
    return [
        ["cross-validation on train rows", f"{figure(folds['mean'])}{spread}"],
        ["validation", with_interval(metrics["validation"]["model"][name])],
        ["test", with_interval(metrics["test"]["model"][name])],
    ]


def _slices(metrics: Mapping[str, Any]) -> list[str]:
    rows = [
        [
            cell(f"{column} = {value}"),
            count(found["rows"]),
            with_interval(found[metrics["metric"]]),
            with_interval(found["difference"]),
        ]
        for column, values in metrics["slices"].items()
        for value, found in values.items()
    ]
    if not rows:
        return []
    return [
        f"### Parts of the test rows, by {metrics['metric']}",
        table(["part", "rows", "model", "better than the baseline by"], rows),
    ]


def _limitations(facts: Facts) -> list[str]:
    metrics = facts.metrics
    lines = []
    if metrics["threshold"] is not None:
        lines.append(
            f"A score of {metrics['threshold']:.4f} or more is decided as yes. "
            f"{_threshold_rule(facts.problem)} "
            "Where a wrong yes and a wrong no cost otherwise, choose another."
        )
    weak = [
        f"{column} = {value}"
        for column, values in metrics["slices"].items()
        for value, found in values.items()
        if found["difference"]["low"] is None or found["difference"]["low"] <= 0
    ]
    if weak:
        lines.append(
            "Not shown to be better than the baseline, for lack of rows or of skill: "
            f"{', '.join(weak)}."
        )
    if facts.split.kind == "time":
        lines.append(
            "The figures are of the test period. Later ones may be otherwise: watch for drift, and "
            "train again."
        )
    else:
        lines.append(
            "The figures are of rows of the same time as those of training. What changes with "
            "time, they do not show."
        )
    lines.append(
        "Intervals tell the chance in which test rows there were. They do not tell how the model "
        "would differ if it "
        "were trained on others."
    )
    if facts.split.kind == "random":
        lines.append(
            "Where rows belong together, as those of one person do, the true intervals are wider."
        )
    if metrics["bootstrap"]["resamples"] < FEW_RESAMPLES:
        lines.append(
            f"From {metrics['bootstrap']['resamples']} samples the ends of an interval are rough."
        )
    lines.append(
        "A category that was not in training is taken as a rare or missing one; beyond the ranges "
        "below the model "
        "extrapolates."
    )
    return lines


def _threshold_rule(problem: Problem) -> str:
    if problem.threshold == "half":
        return "That threshold was set, not chosen."
    return (
        f"That threshold was chosen on validation rows, by the best {problem.threshold}: on them, "
        "and in the folds that use "
        "it too, decisions look a little better than they are, and on test rows they do not."
    )


def _input(column: InputColumn) -> list[str]:
    seen = ""
    if column.categories is not None:
        shown = ", ".join(column.categories[:8])
        seen = (
            f"{shown} ... ({len(column.categories)}{'' if column.complete else ' and more'})"
            if len(column.categories) > 8
            else shown
        )
    elif column.minimum is not None and column.maximum is not None:
        seen = f"{column.minimum:g} to {column.maximum:g}"
    return [cell(column.name), column.type, "yes" if column.nullable else "no", cell(seen)]
