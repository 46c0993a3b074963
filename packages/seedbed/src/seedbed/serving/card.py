"""The model card: what a model answers, for whom, how well, and where not to trust it.

Its text is in card.md.jinja; here stand the figures that it needs.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedbed.config.modelling import Model
from seedbed.config.preparation import Split
from seedbed.config.schema import Dataset
from seedbed.data.roles import columns_with
from seedbed.models.intervals import as_text, with_interval
from seedbed.models.second_baseline import KEY as SECOND
from seedbed.serving.recipe import Recipe
from seedbed.serving.signature import InputColumn
from seedbed.templates import render

TEMPLATE = Path(__file__).with_name("card.md.jinja")
MOST_CATEGORIES = 8


def summarize(train: Mapping[str, Any], evaluated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that a bundle keeps, of what train and evaluate reported in full.

    Parameters
    ----------
    train, evaluated : mapping
        reports/train/details.json and reports/evaluate/details.json.
    """
    return {
        **{key: evaluated[key] for key in ("metric", "direction", "threshold")},
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


def write_card(
    recipe: Recipe,
    dataset: Dataset,
    split: Split,
    model: Model,
    metrics: Mapping[str, Any],
    periods: Mapping[str, tuple[str, str]],
) -> str:
    """Return a model card in Markdown, without date or path: the same model has the same card.

    Parameters
    ----------
    metrics : mapping
        As :func:`summarize` returns it.
    periods : mapping
        First and last moment of each part of the split as text; empty without a time.
    """
    estimator = model.regression if recipe.problem.task == "regression" else model.classification
    arguments = {**estimator, **model.arguments}
    slices = {
        f"{column} = {value}": found
        for column, values in metrics["slices"].items()
        for value, found in values.items()
    }
    return render(
        TEMPLATE,
        {"interval": with_interval, "figure": as_text, "cell": cell, "seen": _seen},
        recipe=recipe,
        dataset=dataset,
        split=split,
        model=model,
        metrics=metrics,
        periods=periods,
        hidden=columns_with(recipe.columns, "known_after_outcome"),
        estimator=arguments.pop("_target_"),
        arguments=_listed(arguments),
        preprocessing=_listed(model.preprocessing.model_dump()),
        slices=slices,
        weak=[name for name, found in slices.items() if not (found["difference"]["low"] or 0) > 0],
        second=metrics.get(SECOND),
    )


def cell(text: str) -> str:
    """Return text that ends neither a cell nor a line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())


def _seen(column: InputColumn) -> str:
    """Return the values that a column had in training."""
    if column.categories is not None:
        shown, count = ", ".join(column.categories[:MOST_CATEGORIES]), len(column.categories)
        more = "" if column.complete else " and more"
        return shown if count <= MOST_CATEGORIES else f"{shown} ... ({count}{more})"
    if column.minimum is None or column.maximum is None:
        return ""
    return f"{column.minimum:g} to {column.maximum:g}"
