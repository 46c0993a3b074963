"""The pictures of reports/train and reports/evaluate: the model beside its dummy, on the same axes."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.models.curves import (
    calibration_curve,
    confusion_table,
    decided_scores,
    precision_recall_curve,
    roc_curve,
)
from seedbed.models.figure_images import draw_folds, draw_importance, draw_slices
from seedbed.models.outcome import Outcome
from seedbed.plotting import BASELINE, MODEL, OTHER, PALETTE, new_figure, save_figure

MOST_CLASSES = 6
"""Lines that a calibration picture holds before it is a tangle; the classes with the most rows are drawn."""
MOST_POINTS = 3000


def draw_training(
    folder: Path, outcome: Outcome, baseline: Outcome, details: dict[str, Any], name: str
) -> None:
    """Draw the validation rows, and the deciding metric of each fold, into `folder`."""
    _draw_outcome(folder, outcome, baseline, details, name, "validation")
    draw_folds(folder / "folds.png", details, name)


def draw_evaluation(
    folder: Path, outcome: Outcome, baseline: Outcome, details: dict[str, Any], name: str
) -> None:
    """Draw the test rows, the permutation importances and the slices into `folder`."""
    _draw_outcome(folder, outcome, baseline, details, name, "test")
    draw_importance(folder / "importance.png", details, name)
    for column, group in details["slices"].items():
        draw_slices(folder / f"slices_{_file_name(column)}.png", column, group, details, name)


def _draw_outcome(
    folder: Path, outcome: Outcome, baseline: Outcome, details: dict[str, Any], name: str, side: str
) -> None:
    rows = f"{name}, {len(outcome):,} {side} rows"
    if outcome.task == "regression":
        _draw_predicted(folder / "predicted_actual.png", outcome, baseline, rows)
        _draw_residuals(folder / "residuals.png", outcome, baseline, rows)
    else:
        figures = details["validation" if side == "validation" else "test"]
        _draw_curve(
            folder / "roc.png",
            roc_curve(outcome),
            roc_curve(baseline),
            rows,
            "ROC" + _pooled(outcome),
            _area(figures),
        )
        _draw_curve(
            folder / "precision_recall.png",
            precision_recall_curve(outcome),
            precision_recall_curve(baseline),
            rows,
            "Precision and recall" + _pooled(outcome),
            _area(figures, "average_precision"),
        )
        _draw_confusion(folder / "confusion.png", outcome, details["threshold"], rows)
        _draw_scores(folder / "scores.png", outcome, details["threshold"], rows)
    _draw_calibration(folder / "calibration.png", outcome, baseline, rows)


def _pooled(outcome: Outcome) -> str:
    return ", classes pooled" if outcome.task == "multiclass" else ""


def _area(figures: dict[str, Any], name: str = "roc_auc") -> str:
    figure = figures.get(name)
    if figure is None or figure["value"] is None:
        return "model"
    words = {"roc_auc": "AUC", "average_precision": "average precision"}[name]
    spread = "" if figure["low"] is None else f" ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"model, {words} {figure['value']:.3f}{spread}"


def _draw_curve(
    path: Path, model: pd.DataFrame, baseline: pd.DataFrame, rows: str, title: str, label: str
) -> None:
    figure, axes = new_figure()
    x, y = model.columns[:2]
    axes.plot(model[x], model[y], color=MODEL, label=label)
    if x == "recall":  # a constant score has one point: its precision holds at any recall
        axes.axhline(baseline[y].iloc[-1], color=BASELINE, linestyle="--", label="baseline (dummy)")
    else:
        axes.plot(
            baseline[x], baseline[y], color=BASELINE, linestyle="--", label="baseline (dummy)"
        )
    axes.set(
        xlim=(-0.01, 1.01),
        ylim=(-0.01, 1.03),
        xlabel=_words(x),
        ylabel=_words(y),
        title=f"{title}\n{rows}",
    )
    axes.legend(loc="lower right" if x != "recall" else "upper right")
    save_figure(figure, path)


def _draw_calibration(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    figure, axes = new_figure()
    if outcome.task == "multiclass":
        frequent = np.argsort(
            -np.bincount(outcome.truth, minlength=len(outcome.classes)), kind="stable"
        )[:MOST_CLASSES]
        curves = {
            f"class {outcome.classes[code]}": calibration_curve(outcome, int(code))
            for code in sorted(frequent)
        }
    else:
        curves = {"model": calibration_curve(outcome)}
    for (label, curve), color, marker in zip(curves.items(), PALETTE, "osD^vP", strict=False):
        axes.plot(
            curve["predicted"],
            curve["observed"],
            color=color,
            marker=marker,
            markersize=5,
            label=label,
        )
    dummy = calibration_curve(baseline)
    if outcome.task != "multiclass":
        axes.plot(
            dummy["predicted"],
            dummy["observed"],
            color=BASELINE,
            marker="X",
            markersize=9,
            linestyle="none",
            label="baseline (dummy)",
        )
    spans = pd.concat([*curves.values(), dummy])[["predicted", "observed"]]
    ends = (
        [float(spans.min().min()), float(spans.max().max())]
        if outcome.task != "multiclass"
        else [0.0, 1.0]
    )
    axes.plot(ends, ends, color="0.6", linewidth=1, linestyle=":", label="as predicted")
    what = (
        ("mean prediction", "mean actual value")
        if outcome.task == "regression"
        else ("predicted probability", "share that came true")
    )
    axes.set(
        xlabel=f"{what[0]}, per tenth of the rows", ylabel=what[1], title=f"Calibration\n{rows}"
    )
    axes.legend(loc="upper left")
    save_figure(figure, path)


def _draw_confusion(path: Path, outcome: Outcome, threshold: float | None, rows: str) -> None:
    table = confusion_table(outcome)
    shares = table.div(table.sum(axis=1).clip(lower=1), axis=0)
    figure, axes = new_figure()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(table) <= 12:
        for row, column in np.ndindex(*table.shape):
            axes.text(
                column,
                row,
                f"{table.iat[row, column]:,}\n{shares.iat[row, column]:.0%}",
                ha="center",
                va="center",
                color="white" if shares.iat[row, column] > 0.55 else "black",
            )
    axes.set_xticks(range(len(table)), table.columns, rotation=0 if len(table) <= 6 else 90)
    axes.set_yticks(range(len(table)), table.index)
    axes.grid(False)
    at = "" if threshold is None else f" at threshold {threshold:.3f}"
    axes.set(
        xlabel="predicted",
        ylabel="actual",
        title=f"Confusion{at}, share of each actual class\n{rows}",
    )
    save_figure(figure, path)


def _draw_scores(path: Path, outcome: Outcome, threshold: float | None, rows: str) -> None:
    figure, axes = new_figure()
    scores = decided_scores(outcome)
    if outcome.task == "binary":
        groups, what = (
            {"actual: no": outcome.truth == 0, "actual: yes": outcome.truth == 1},
            "probability of yes",
        )
    else:
        right = outcome.truth == outcome.prediction
        groups, what = (
            {"predicted right": right, "predicted wrong": ~right},
            "probability of the predicted class",
        )
    for (label, chosen), color, line in zip(
        groups.items(), (OTHER, MODEL), ("--", "-"), strict=True
    ):
        if chosen.any():
            weights = np.full(int(chosen.sum()), 1 / chosen.sum())
            axes.hist(
                scores[chosen],
                bins=40,
                range=(0, 1),
                weights=weights,
                histtype="stepfilled",
                alpha=0.25,
                color=color,
            )
            axes.hist(
                scores[chosen],
                bins=40,
                range=(0, 1),
                weights=weights,
                histtype="step",
                color=color,
                linestyle=line,
                linewidth=1.5,
                label=f"{label} ({int(chosen.sum()):,} rows)",
            )
    if threshold is not None:
        axes.axvline(
            threshold, color="black", linewidth=1, linestyle=":", label=f"threshold {threshold:.3f}"
        )
    axes.set(xlabel=what, ylabel="share of the group's rows", title=f"Scores\n{rows}")
    axes.legend(loc="best")
    save_figure(figure, path)


def _draw_predicted(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    figure, axes = new_figure()
    some = _thinned(len(outcome))
    axes.scatter(
        outcome.scores[some],
        outcome.truth[some],
        s=14,
        alpha=0.6,
        color=MODEL,
        edgecolors="none",
        label="model",
    )
    ends = [
        float(min(outcome.scores.min(), outcome.truth.min())),
        float(max(outcome.scores.max(), outcome.truth.max())),
    ]
    axes.plot(ends, ends, color="0.6", linewidth=1, linestyle=":", label="as predicted")
    axes.axvline(
        baseline.scores[0],
        color=BASELINE,
        linestyle="--",
        label=f"baseline (dummy), {baseline.scores[0]:.4g}",
    )
    axes.set(xlabel="predicted", ylabel="actual", title=f"Predicted and actual\n{rows}")
    axes.legend(loc="upper left")
    save_figure(figure, path)


def _draw_residuals(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    figure, axes = new_figure()
    residuals, dummy = decided_scores(outcome), decided_scores(baseline)
    bounds = (float(min(residuals.min(), dummy.min())), float(max(residuals.max(), dummy.max())))
    axes.hist(
        dummy,
        bins=40,
        range=bounds,
        histtype="step",
        color=BASELINE,
        linestyle="--",
        linewidth=1.5,
        label="baseline (dummy)",
    )
    axes.hist(
        residuals,
        bins=40,
        range=bounds,
        histtype="stepfilled",
        color=MODEL,
        alpha=0.5,
        label="model",
    )
    axes.axvline(0, color="black", linewidth=1, linestyle=":")
    axes.set(xlabel="residual: actual minus predicted", ylabel="rows", title=f"Residuals\n{rows}")
    axes.legend(loc="best")
    save_figure(figure, path)


def _thinned(count: int) -> Any:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))


def _file_name(column: str) -> str:
    """Return the name of a column with what no file's name may hold written as %2F and the like: two stay two."""
    return re.sub(r'[%/\\:*?"<>|\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", column)


def _words(column: str) -> str:
    return str(column).replace("_", " ")
