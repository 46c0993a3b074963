"""The pictures of reports/train and reports/evaluate: the model beside its baseline."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.models.outcome import Outcome
from seedbed.models.plots import curves, shown_scores
from seedbed.plotting import BASELINE, MODEL, OTHER, picture, short, shortened

MOST_FEATURES = 20
MOST_POINTS = 3000
Tables = Mapping[str, pd.DataFrame]


def draw_training(
    folder: Path,
    outcome: Outcome,
    baseline: Outcome,
    tables: Tables,
    details: dict[str, Any],
    name: str,
) -> None:
    """Draw the validation rows, and the deciding metric of each fold, into `folder`.

    Parameters
    ----------
    tables : mapping
        What :func:`~seedbed.models.plots.training_plots` returned.
    name : str
        Of the model, for the titles.
    """
    rows = f"{name}, {len(outcome):,} validation rows"
    _draw_outcome(folder, outcome, baseline, tables, details, details["validation"], rows)
    _draw_folds(folder / "folds.png", tables["folds"], details, name)


def draw_evaluation(
    folder: Path,
    outcome: Outcome,
    baseline: Outcome,
    tables: Tables,
    details: dict[str, Any],
    name: str,
) -> None:
    """Draw the test rows, importances and slices into `folder`, as :func:`draw_training` does."""
    rows = f"{name}, {len(outcome):,} test rows"
    _draw_outcome(folder, outcome, baseline, tables, details, details["test"], rows)
    _draw_importance(folder / "importance.png", details, name)
    for column, group in details["slices"].items():
        _draw_slices(folder / f"slices_{_file_name(column)}.png", column, group, details, rows)


def _draw_outcome(
    folder: Path,
    outcome: Outcome,
    baseline: Outcome,
    tables: Tables,
    details: dict[str, Any],
    figures: dict[str, Any],
    rows: str,
) -> None:
    constant = curves(baseline)
    if outcome.task == "regression":
        _draw_predicted(folder / "predicted_actual.png", outcome, baseline, rows)
        _draw_residuals(folder / "residuals.png", outcome, baseline, rows)
    else:
        pooled = ", classes pooled" if outcome.task == "multiclass" else ""
        for name, title, metric in (
            ("roc", "ROC", "roc_auc"),
            ("precision_recall", "Precision and recall", "average_precision"),
        ):
            label = _label(figures.get(metric), metric)
            path = folder / f"{name}.png"
            _draw_curve(path, tables[name], constant[name], f"{title}{pooled}\n{rows}", label)
        _draw_confusion(folder / "confusion.png", tables["confusion"], details["threshold"], rows)
        _draw_scores(folder / "scores.png", outcome, details["threshold"], rows)
    _draw_calibration(folder / "calibration.png", tables, constant, outcome.task, rows)


def _label(figure: dict[str, Any] | None, metric: str) -> str:
    if figure is None or figure["value"] is None:
        return "model"
    spread = "" if figure["low"] is None else f" ({figure['low']:.3f} to {figure['high']:.3f})"
    return f"model, {metric} {figure['value']:.3f}{spread}"


def _draw_curve(
    path: Path, model: pd.DataFrame, baseline: pd.DataFrame, title: str, label: str
) -> None:
    with picture(path) as axes:
        x, y = model.columns[:2]
        axes.plot(model[x], model[y], color=MODEL, label=label)
        style = {"color": BASELINE, "linestyle": "--", "label": "baseline"}
        if x == "recall":  # a constant score has one point: its precision holds at any recall
            axes.axhline(baseline[y].iloc[-1], **style)
        else:
            axes.plot(baseline[x], baseline[y], **style)
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), title=title)
        axes.set(xlabel=x.replace("_", " "), ylabel=y.replace("_", " "))
        axes.legend(loc="best" if x == "recall" else "lower right")


def _draw_calibration(path: Path, tables: Tables, constant: Tables, task: str, rows: str) -> None:
    model, baseline = tables["calibration"], constant["calibration"]
    regression, pooled = task == "regression", ", classes pooled" if task == "multiclass" else ""
    with picture(path) as axes:
        axes.plot(*_points(model), color=MODEL, marker="o", markersize=5, label="model")
        if task != "multiclass":
            style = {"marker": "X", "markersize": 9, "linestyle": "none"}
            axes.plot(*_points(baseline), color=BASELINE, label="baseline", **style)
        both = pd.concat([model, baseline])[["predicted", "observed"]]
        ends = [both.min().min(), both.max().max()]
        axes.plot(ends, ends, color="0.6", linewidth=1, linestyle=":", label="as predicted")
        axes.set(
            xlabel="mean prediction" if regression else "predicted probability",
            ylabel="mean actual value" if regression else "share that came true",
            title=f"Calibration{pooled}\n{rows}",
        )
        axes.legend(loc="upper left")


def _points(table: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return table["predicted"], table["observed"]


def _draw_confusion(path: Path, table: pd.DataFrame, threshold: float | None, rows: str) -> None:
    shares = table.div(table.sum(axis=1).clip(lower=1), axis=0)
    labels, size = shortened(list(table.index)), len(table)
    at = "" if threshold is None else f" at threshold {threshold:.3f}"
    sideways = size > 6 or max(map(len, labels)) > 12
    with picture(path, *((6.4, 4.8) if size <= 6 else (8.5, 7.5)), names=sideways) as axes:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(*table.shape):
            share, count = shares.iat[row, column], f"{table.iat[row, column]:,}"
            if size <= 12 or share >= 0.005:
                text = f"{count}\n{share:.0%}" if size <= 12 else f"{share:.0%}"
                style = {"color": "white" if share > 0.55 else "black", "ha": "center"}
                axes.text(column, row, text, va="center", fontsize=10 if size <= 6 else 7, **style)
        axes.set_xticks(range(size), labels, rotation=90 if sideways else 0)
        axes.set_yticks(range(size), labels)
        axes.grid(visible=False)
        axes.set(xlabel="predicted", ylabel="actual")
        axes.figure.suptitle(f"Confusion{at}, share of each actual class\n{rows}")


def _draw_scores(path: Path, outcome: Outcome, threshold: float | None, rows: str) -> None:
    scores, right = shown_scores(outcome), outcome.truth == outcome.prediction
    groups, what = {"right": right, "wrong": ~right}, "probability of the predicted class"
    if outcome.task == "binary":
        groups = {"actual: no": outcome.truth == 0, "actual: yes": outcome.truth == 1}
        what = "probability of yes"
    looks = ((MODEL, "-"), (OTHER, "--")) if "right" in groups else ((OTHER, "--"), (MODEL, "-"))
    with picture(path) as axes:
        for (label, chosen), (color, line) in zip(groups.items(), looks, strict=True):
            if count := int(chosen.sum()):
                heights, edges = np.histogram(scores[chosen], bins=40, range=(0, 1))
                style = {"color": color, "linestyle": line, "linewidth": 1.5}
                axes.stairs(heights / count, edges, fill=True, color=color, alpha=0.25)
                axes.stairs(heights / count, edges, label=f"{label} ({count:,} rows)", **style)
        if threshold is not None:
            style = {"color": "black", "linewidth": 1, "linestyle": ":"}
            axes.axvline(threshold, label=f"threshold {threshold:.3f}", **style)
        axes.set(xlabel=what, ylabel="share of the group's rows", title=f"Scores\n{rows}")
        axes.legend(loc="best")


def _draw_predicted(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    count = len(outcome)
    some = np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int))
    shown = "" if len(some) == count else f", {len(some):,} of them drawn"
    constant = baseline.scores[0]
    with picture(path) as axes:
        style = {"s": 14, "alpha": 0.6, "edgecolors": "none"}
        axes.scatter(outcome.scores[some], outcome.truth[some], color=MODEL, label="model", **style)
        both = np.concatenate([outcome.scores, outcome.truth])
        ends = [both.min(), both.max()]
        axes.plot(ends, ends, color="0.6", linewidth=1, linestyle=":", label="as predicted")
        label = f"baseline, {constant:.4g}"
        axes.axvline(constant, color=BASELINE, linestyle="--", label=label)
        title = f"Predicted and actual\n{rows}{shown}"
        axes.set(xlabel="predicted", ylabel="actual", title=title)
        axes.legend(loc="upper left")


def _draw_residuals(path: Path, outcome: Outcome, baseline: Outcome, rows: str) -> None:
    residuals, constant = shown_scores(outcome), shown_scores(baseline)
    edges = np.histogram_bin_edges(np.concatenate([residuals, constant]), bins=40)
    with picture(path) as axes:
        style = {"color": BASELINE, "linestyle": "--", "linewidth": 1.5}
        axes.stairs(np.histogram(constant, edges)[0], edges, label="baseline", **style)
        heights = np.histogram(residuals, edges)[0]
        axes.stairs(heights, edges, fill=True, color=MODEL, alpha=0.5, label="model")
        axes.axvline(0, color="black", linewidth=1, linestyle=":")
        title = f"Residuals\n{rows}"
        axes.set(xlabel="residual: actual minus predicted", ylabel="rows", title=title)
        axes.legend(loc="best")


def _draw_folds(path: Path, folds: pd.DataFrame, details: dict[str, Any], name: str) -> None:
    metric, validation = details["metric"], details["validation"][details["metric"]]["value"]
    with picture(path) as axes:
        axes.plot(folds["fold"], folds["value"], color=MODEL, marker="o", label="model")
        style = {"color": BASELINE, "marker": "X", "linestyle": "--", "label": "baseline"}
        axes.plot(folds["fold"], folds["baseline"], **style)
        if validation is not None:
            label = f"model, validation rows ({validation:.4g})"
            axes.axhline(validation, color=OTHER, linestyle="-.", linewidth=1.5, label=label)
        axes.set_xticks(folds["fold"])
        title = (
            f"{metric} of each cross-validation fold, {_better(details)}\n"
            f"{name}, {details['rows']['train']:,} train rows"
        )
        axes.set(xlabel="fold", ylabel=metric, title=title)
        axes.legend(loc="best")


def _draw_importance(path: Path, details: dict[str, Any], name: str) -> None:
    """Draw the largest permutation importances."""
    known = [(k, v) for k, v in details["importance"].items() if v["mean"] is not None]
    names, found = zip(*known[:MOST_FEATURES][::-1], strict=True) if known else ((), ())
    left_out = f"{len(found)} of {len(known)} features, " if len(found) < len(known) else ""
    rows = f"{left_out}{name}, {details['importance_rows']:,} test rows"
    with picture(path, height=1.6 + 0.27 * max(len(found), 4), names=True) as axes:
        axes.barh(
            shortened(list(names)),
            [entry["mean"] for entry in found],
            xerr=[entry["std"] for entry in found],
            color=MODEL,
            height=0.7,
            error_kw={"ecolor": "0.3", "elinewidth": 1, "capsize": 2},
        )
        axes.axvline(0, color="black", linewidth=0.8)
        axes.margins(y=0.02)
        axes.set(xlabel=f"loss of {details['metric']} when shuffled (mean and std)")
        axes.figure.suptitle(f"Permutation importance\n{rows}")


def _draw_slices(
    path: Path, column: str, group: dict[str, Any], details: dict[str, Any], rows: str
) -> None:
    """Draw the deciding metric of each slice of the test rows, with its interval."""
    metric, left_out = details["metric"], details["slices_left_out"].get(column)
    largest = f", the {len(group)} largest of {len(group) + left_out:,}" if left_out else ""
    known = [(k, v) for k, v in group.items() if v[metric]["value"] is not None][::-1]
    ticks = shortened([value for value, _ in known])
    sizes = [f"{tick} ({v['rows']:,} rows)" for tick, (_, v) in zip(ticks, known, strict=True)]
    with picture(path, height=2.4 + 0.3 * max(len(known), 3), names=True) as axes:
        for place, (_, entry) in enumerate(known):
            found, style = entry[metric], {"color": MODEL, "marker": "o", "linestyle": "none"}
            if found["low"] is None:
                style["markerfacecolor"] = "white"
            else:
                ends = [found["low"], found["high"]]
                axes.plot(ends, [place, place], color=MODEL, linewidth=2, alpha=0.6)
            axes.plot(found["value"], place, **style)
        if any(entry[metric]["low"] is None for _, entry in known):
            label = "too few rows for an interval"
            axes.plot([], marker="o", linestyle="none", mec=MODEL, mfc="white", label=label)
        for part, label, color, line in (
            ("test", "model, all test rows", OTHER, "-."),
            ("baseline", "baseline", BASELINE, "--"),
        ):
            if (value := details[part][metric]["value"]) is not None:
                axes.axvline(value, color=color, linestyle=line, label=label)
        axes.set_ylim(-0.6, len(known) - 0.4)
        axes.set_yticks(range(len(known)), sizes)
        axes.set(xlabel=f"{metric} with 95 % interval, {_better(details)}")
        axes.figure.suptitle(f"{metric} by {short(column)}{largest}\n{rows}")
        # There is no empty corner among so many intervals.
        axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def _better(details: dict[str, Any]) -> str:
    return "higher is better" if details["direction"] == "maximize" else "lower is better"


def _file_name(column: str) -> str:
    """Return a column's name as that of a file, at most 100 bytes; names stay different."""
    safe = re.sub(r'[%/\\:*?"<>|\x00-\x1f]', lambda found: f"%{ord(found[0]):02X}", column)
    return safe if len(safe.encode()) <= 100 else f"{safe[:20]}-{_hash(column)}"


def _hash(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:12]
