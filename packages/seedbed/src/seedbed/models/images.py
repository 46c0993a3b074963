"""The pictures of reports/train and reports/evaluate: the model beside its baseline."""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.models.intervals import with_interval
from seedbed.models.outcome import Outcome
from seedbed.models.plots import curves, shown_scores
from seedbed.plotting import BASELINE, MODEL, OTHER, picture, short, shortened

MOST_FEATURES = 20
MOST_POINTS = 3000
MOST_COUNTED = 12
"""Classes of a confusion matrix whose cells show counts: of more, they show shares alone."""
Tables = Mapping[str, pd.DataFrame]
BASELINE_LINE = {"color": BASELINE, "linestyle": "--", "label": "baseline"}
GUIDE = {"linewidth": 1, "linestyle": ":"}
DIAGONAL = {"color": "0.6", "label": "as predicted", **GUIDE}


def draw_images(
    folder: Path,
    outcome: Outcome,
    baseline: Outcome,
    tables: Tables,
    details: Mapping[str, Any],
    name: str,
) -> None:
    """Draw what train or evaluate measured into `folder`.

    Parameters
    ----------
    tables : mapping
        What :func:`~seedbed.models.plots.plot_tables` returned.
    details : mapping
        What details.json holds. Folds are drawn where there are any, so are importances and slices.
    name : str
        Of the model, for the titles.
    """
    part = "test" if "test" in details else "validation"
    rows = f"{name}, {len(outcome):,} {part} rows"
    constant = curves(baseline)
    if outcome.task == "regression":
        _draw_predicted(folder / "predicted_actual.png", outcome, baseline, rows)
        _draw_residuals(folder / "residuals.png", outcome, baseline, rows)
    else:
        pooled = ", classes pooled" if outcome.task == "multiclass" else ""
        for curve, title, metric in (
            ("roc", "ROC", "roc_auc"),
            ("precision_recall", "Precision and recall", "average_precision"),
        ):
            figure = details[part].get(metric)
            label = f"model, {metric} {with_interval(figure)}" if figure else "model"
            path, model, same = folder / f"{curve}.png", tables[curve], constant[curve]
            _draw_curve(path, model, same, f"{title}{pooled}\n{rows}", label)
        _draw_confusion(folder / "confusion.png", tables["confusion"], details["threshold"], rows)
        _draw_scores(folder / "scores.png", outcome, details["threshold"], rows)
    calibration = tables["calibration"], constant["calibration"]
    _draw_calibration(folder / "calibration.png", *calibration, outcome.task, rows)
    if "folds" in tables:
        _draw_folds(folder / "folds.png", tables["folds"], details, name)
    if "importance" in tables:
        _draw_importance(folder / "importance.png", details, name)
        for column, group in details["slices"].items():
            _draw_slices(folder / f"slices_{_file_name(column)}.png", column, group, details, rows)


def _draw_curve(
    path: Path, model: pd.DataFrame, baseline: pd.DataFrame, title: str, label: str
) -> None:
    x, y = model.columns[:2]
    with picture(path, title) as axes:
        axes.plot(model[x], model[y], color=MODEL, label=label)
        if x == "recall":  # a constant score has one point: its precision holds at any recall
            axes.axhline(baseline[y].iloc[-1], **BASELINE_LINE)
        else:
            axes.plot(baseline[x], baseline[y], **BASELINE_LINE)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03))
        axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
        axes.legend(loc="best" if x == "recall" else "lower right")


def _draw_calibration(
    path: Path, model: pd.DataFrame, baseline: pd.DataFrame, task: str, rows: str
) -> None:
    pooled = task == "multiclass"
    points = pd.concat([model, baseline])[["predicted", "observed"]]
    ends = [points.min().min(), points.max().max()]
    with picture(path, f"Calibration{', classes pooled' if pooled else ''}\n{rows}") as axes:
        axes.plot("predicted", "observed", "o-", data=model, color=MODEL, ms=5, label="model")
        if not pooled:
            style = {"color": BASELINE, "ms": 9, "label": "baseline"}
            axes.plot("predicted", "observed", "X", data=baseline, **style)
        axes.plot(ends, ends, **DIAGONAL)
        axes.set(xlabel="predicted probability", ylabel="share that came true")
        if task == "regression":
            axes.set(xlabel="mean prediction", ylabel="mean actual value")
        axes.legend(loc="upper left")


def _draw_confusion(path: Path, table: pd.DataFrame, threshold: float | None, rows: str) -> None:
    from sklearn.metrics import ConfusionMatrixDisplay

    labels, size = shortened(list(table.index)), len(table)
    shares = table.div(table.sum(axis=1).clip(lower=1), axis=0).to_numpy()
    display = ConfusionMatrixDisplay(shares, display_labels=labels)
    at = "" if threshold is None else f" at threshold {threshold:.3f}"
    title = f"Confusion{at}, share of each actual class\n{rows}"
    inches = (6.4, 4.8) if size <= 6 else (8.5, 7.5)
    with picture(path, title, *inches, names=True) as axes:
        display.plot(ax=axes, cmap="Blues", values_format=".0%", colorbar=False)
        display.im_.set_clim(0, 1)
        for text, share, count in zip(
            display.text_.flat, shares.flat, table.to_numpy().flat, strict=True
        ):
            text.set(color="white" if share > 0.55 else "black", fontsize=10 if size <= 6 else 7)
            if size <= MOST_COUNTED:
                text.set_text(f"{count:,}\n{text.get_text()}")
            else:
                text.set_visible(share >= 0.005)
        axes.tick_params("x", rotation=90 if size > 6 or max(map(len, labels)) > 12 else 0)
        axes.grid(visible=False)
        axes.set(xlabel="predicted", ylabel="actual")


def _draw_scores(path: Path, outcome: Outcome, threshold: float | None, rows: str) -> None:
    scores, right = shown_scores(outcome), outcome.truth == outcome.prediction
    what = "probability of the predicted class"
    groups = [("right", right, MODEL, "-"), ("wrong", ~right, OTHER, "--")]
    if outcome.task == "binary":
        what, yes = "probability of yes", outcome.truth == 1
        groups = [("actual: no", ~yes, OTHER, "--"), ("actual: yes", yes, MODEL, "-")]
    with picture(path, f"Scores\n{rows}") as axes:
        for label, chosen, color, line in groups:
            if count := int(chosen.sum()):
                heights, edges = np.histogram(scores[chosen], bins=40, range=(0, 1))
                style = {"color": color, "linestyle": line, "linewidth": 1.5}
                axes.stairs(heights / count, edges, fill=True, color=color, alpha=0.25)
                axes.stairs(heights / count, edges, label=f"{label} ({count:,} rows)", **style)
        if threshold is not None:
            axes.axvline(threshold, color="black", label=f"threshold {threshold:.3f}", **GUIDE)
        axes.set(xlabel=what, ylabel="share of the group's rows")
        axes.legend(loc="best")


def _draw_predicted(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    count, constant = len(outcome), baseline.scores[0]
    some = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))
    shown = "" if len(some) == count else f", {len(some):,} of them drawn"
    both = np.concatenate([outcome.scores, outcome.truth])
    ends = [both.min(), both.max()]
    with picture(path, f"Predicted and actual\n{rows}{shown}") as axes:
        style = {"s": 14, "alpha": 0.6, "edgecolors": "none", "color": MODEL, "label": "model"}
        axes.scatter(outcome.scores[some], outcome.truth[some], **style)
        axes.plot(ends, ends, **DIAGONAL)
        axes.axvline(constant, **{**BASELINE_LINE, "label": f"baseline, {constant:.4g}"})
        axes.set(xlabel="predicted", ylabel="actual")
        axes.legend(loc="upper left")


def _draw_residuals(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    residuals, constant = shown_scores(outcome), shown_scores(baseline)
    edges = np.histogram_bin_edges(np.concatenate([residuals, constant]), bins=40)
    with picture(path, f"Residuals\n{rows}") as axes:
        axes.stairs(np.histogram(constant, edges)[0], edges, linewidth=1.5, **BASELINE_LINE)
        heights = np.histogram(residuals, edges)[0]
        axes.stairs(heights, edges, fill=True, color=MODEL, alpha=0.5, label="model")
        axes.axvline(0, color="black", **GUIDE)
        axes.set(xlabel="residual: actual minus predicted", ylabel="rows")
        axes.legend(loc="best")


def _draw_folds(path: Path, folds: pd.DataFrame, details: Mapping[str, Any], name: str) -> None:
    metric, validation = details["metric"], details["validation"][details["metric"]]["value"]
    title = f"{metric} of each cross-validation fold, {_better(details)}"
    with picture(path, f"{title}\n{name}, {details['rows']['train']:,} train rows") as axes:
        axes.plot("fold", "value", "o-", data=folds, color=MODEL, label="model")
        axes.plot("fold", "baseline", data=folds, marker="X", **BASELINE_LINE)
        if validation is not None:
            label = f"model, validation rows ({validation:.4g})"
            axes.axhline(validation, color=OTHER, linestyle="-.", linewidth=1.5, label=label)
        axes.set_xticks(folds["fold"])
        axes.set(xlabel="fold", ylabel=metric)
        axes.legend(loc="best")


def _draw_importance(path: Path, details: Mapping[str, Any], name: str) -> None:
    """Draw the largest permutation importances."""
    known = {k: v for k, v in details["importance"].items() if v["mean"] is not None}
    shown = list(known)[:MOST_FEATURES]
    left_out = f"{len(shown)} of {len(known)} features, " if len(shown) < len(known) else ""
    rows = f"{left_out}{name}, {details['importance_rows']:,} test rows"
    height = 1.6 + 0.27 * max(len(shown), 4)
    with picture(path, f"Permutation importance\n{rows}", height=height, names=True) as axes:
        means, spreads = ([known[name][key] for name in shown] for key in ("mean", "std"))
        whiskers = {"ecolor": "0.3", "elinewidth": 1, "capsize": 2}
        axes.barh(shortened(shown), means, 0.7, xerr=spreads, color=MODEL, error_kw=whiskers)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.margins(y=0.02)
        axes.invert_yaxis()
        axes.set(xlabel=f"loss of {details['metric']} when shuffled (mean and std)")


def _draw_slices(
    path: Path, column: str, group: Mapping[str, Any], details: Mapping[str, Any], rows: str
) -> None:
    """Draw the deciding metric of each slice of the test rows, with its interval."""
    metric, left_out = details["metric"], details["slices_left_out"].get(column)
    largest = f", the {len(group)} largest of {len(group) + left_out:,}" if left_out else ""
    known = {k: v for k, v in group.items() if v[metric]["value"] is not None}
    ticks = [
        f"{tick} ({found['rows']:,} rows)"
        for tick, found in zip(shortened(list(known)), known.values(), strict=True)
    ]
    figures = pd.DataFrame([v[metric] for v in known.values()], columns=["value", "low", "high"])
    uncertain = figures["low"].isna()
    title = f"{metric} by {short(column)}{largest}\n{rows}"
    with picture(path, title, height=2.4 + 0.3 * max(len(known), 3), names=True) as axes:
        axes.hlines(figures.index, figures["low"], figures["high"], MODEL, linewidth=2, alpha=0.6)
        axes.plot(figures["value"], figures.index, "o", color=MODEL)
        if uncertain.any():
            style = {"color": MODEL, "mfc": "white", "label": "too few rows for an interval"}
            axes.plot(figures["value"][uncertain], figures.index[uncertain], "o", **style)
        everything, baseline = (details[part][metric]["value"] for part in ("test", "baseline"))
        if everything is not None:
            label = "model, all test rows"
            axes.axvline(everything, color=OTHER, linestyle="-.", label=label)
        if baseline is not None:
            axes.axvline(baseline, **BASELINE_LINE)
        axes.set_ylim(len(known) - 0.4, -0.6)
        axes.set_yticks(range(len(known)), ticks)
        axes.set(xlabel=f"{metric} with 95 % interval, {_better(details)}")
        # There is no empty corner among so many intervals.
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _better(details: Mapping[str, Any]) -> str:
    return "higher is better" if details["direction"] == "maximize" else "lower is better"


def _file_name(column: str) -> str:
    """Return a column's name as that of a file, at most 100 bytes; names stay different."""
    safe = re.sub(r'[%/\\:*?"<>|\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", column)
    if len(safe.encode()) <= 100:
        return safe
    return f"{safe[:20]}-{sha256(column.encode()).hexdigest()[:12]}"
