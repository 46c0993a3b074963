"""The pictures of figures that were computed before: of the folds, the importances and the slices."""

from pathlib import Path
from typing import Any

import numpy as np

from seedbed.plotting import BASELINE, MODEL, OTHER, new_figure, save_figure

MOST_FEATURES = 20


def draw_folds(path: Path, details: dict[str, Any], name: str) -> None:
    """Draw the deciding metric of each cross-validation fold, model and dummy."""
    metric = details["metric"]
    figure, axes = new_figure()
    for part, color, marker, line, label in (
        ("cross_validation", MODEL, "o", "-", "model"),
        ("baseline_cross_validation", BASELINE, "X", "--", "baseline (dummy)"),
    ):
        values = [np.nan if value is None else value for value in details[part][metric]["folds"]]
        axes.plot(
            range(1, len(values) + 1),
            values,
            color=color,
            marker=marker,
            linestyle=line,
            label=label,
        )
    validation = details["validation"][metric]["value"]
    if validation is not None:
        axes.axhline(
            validation,
            color=OTHER,
            linestyle="-.",
            linewidth=1.5,
            label=f"model, validation rows ({validation:.4g})",
        )
    axes.set_xticks(range(1, len(details["cross_validation"][metric]["folds"]) + 1))
    axes.set(
        xlabel="fold",
        ylabel=metric,
        title=f"{metric} of each cross-validation fold, {_better(details)}\n"
        f"{name}, {details['rows']['train']:,} train rows",
    )
    axes.legend(loc="best")
    save_figure(figure, path)


def _better(details: dict[str, Any]) -> str:
    return "higher is better" if details["direction"] == "maximize" else "lower is better"


def draw_importance(path: Path, details: dict[str, Any], name: str) -> None:
    """Draw the permutation importances, at most the MOST_FEATURES largest."""
    found = [
        (feature, figure)
        for feature, figure in details["importance"].items()
        if figure["mean"] is not None
    ][:MOST_FEATURES][::-1]
    figure, axes = new_figure(height=1.6 + 0.27 * max(len(found), 4))
    axes.barh(
        [feature for feature, _ in found],
        [entry["mean"] for _, entry in found],
        xerr=[entry["std"] for _, entry in found],
        color=MODEL,
        height=0.7,
        error_kw={"ecolor": "0.3", "elinewidth": 1, "capsize": 2},
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.margins(y=0.02)
    axes.set(
        xlabel=f"{details['metric']} is worse by, with the feature shuffled (mean and std)",
        title=f"Permutation importance\n{name}, test rows",
    )
    save_figure(figure, path)


def draw_slices(
    path: Path, column: str, group: dict[str, Any], details: dict[str, Any], name: str
) -> None:
    """Draw the deciding metric of each slice of the test rows that `column` makes, with its interval."""
    metric = details["metric"]
    shown = [
        (value, entry) for value, entry in group.items() if entry[metric]["value"] is not None
    ][::-1]
    figure, axes = new_figure(height=2.2 + 0.3 * max(len(shown), 3))
    for place, (_, entry) in enumerate(shown):
        found = entry[metric]
        if found["low"] is not None:
            axes.plot(
                [found["low"], found["high"]], [place, place], color=MODEL, linewidth=2, alpha=0.6
            )
        alone = {} if found["low"] is not None else {"markerfacecolor": "white"}
        axes.plot(found["value"], place, color=MODEL, marker="o", linestyle="none", **alone)
    if any(entry[metric]["low"] is None for _, entry in shown):
        axes.plot(
            [],
            color=MODEL,
            marker="o",
            linestyle="none",
            markerfacecolor="white",
            label="too few rows for an interval",
        )
    axes.axvline(
        details["test"][metric]["value"], color=OTHER, linestyle="-.", label="model, all test rows"
    )
    if details["baseline"][metric]["value"] is not None:
        axes.axvline(
            details["baseline"][metric]["value"],
            color=BASELINE,
            linestyle="--",
            label="baseline (dummy)",
        )
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_yticks(
        range(len(shown)), [f"{value} ({entry['rows']:,} rows)" for value, entry in shown]
    )
    axes.set(
        xlabel=f"{metric} with 95 % interval, {_better(details)}",
        ylabel=column,
        title=f"{metric} by {column}\n{name}, test rows",
    )
    figure.legend(
        loc="outside lower center", ncols=2, fontsize=8
    )  # there is no empty corner among so many intervals
    save_figure(figure, path)
