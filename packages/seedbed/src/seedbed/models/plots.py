"""The points of every plot, as tables: CSV files for `dvc plots`, and what the images draw.

Names and columns are the same for every task, so that dvc.yaml names them once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.files import write_text
from seedbed.models.outcome import Floats, Outcome

POINTS = 200
"""Most points of a curve: more are not seen, and all are stored with every experiment."""
BINS = 10
MOST_CLASSES = 20
"""Classes of a confusion table: the smaller ones are put together."""
MOST_FEATURES = 30
"""Features of the importance plots: the most important ones. details.json holds all."""
CONFUSION_ROWS = 1000
"""`dvc plots` counts rows itself, so a confusion table is written as about that many rows."""
FOLDS_OF = {"value": "cross_validation", "baseline": "baseline_cross_validation"}
QUARTERS = ("1 lowest", "2", "3", "4 highest")


def plot_tables(outcome: Outcome, details: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables of what train or evaluate measured, by name.

    Parameters
    ----------
    details : mapping
        What details.json holds. Of train the tables hold "folds", the deciding metric of each
        fold; of evaluate "importance" and "slices", the deciding metric of each slice. Slices
        without an interval are left out: of few rows a figure is chance, and these plots show no
        interval that would say so.
    """
    metric, tables = details["metric"], curves(outcome)
    if "cross_validation" in details:
        values = [details[key][metric]["folds"] for key in FOLDS_OF.values()]
        folds = pd.DataFrame(dict(zip(FOLDS_OF, values, strict=True)), dtype=float)
        tables["folds"] = folds.rename_axis("fold").rename(lambda row: row + 1).reset_index()
    if "importance" in details:
        importance = [(name, found["mean"]) for name, found in details["importance"].items()]
        columns = ["feature", "importance"]
        tables["importance"] = pd.DataFrame(importance[:MOST_FEATURES], columns=columns)
        slices = [
            (f"{name} {value}", found[metric]["value"])
            for name, group in details["slices"].items()
            for value, found in group.items()
            if found[metric]["low"] is not None
        ]
        tables["slices"] = pd.DataFrame(slices, columns=["slice", "value"])
    return tables


def write_plots(folder: Path, tables: dict[str, pd.DataFrame]) -> None:
    """Write each table as a CSV file, the confusion as one row per case."""
    for name, table in tables.items():
        shown = confusion_rows(table) if name == "confusion" else table
        text = shown.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_text(folder / f"{name}.csv", text)


def curves(outcome: Outcome) -> dict[str, pd.DataFrame]:
    """Return the tables that every outcome has."""
    return {
        "roc": roc_curve(outcome),
        "precision_recall": precision_recall_curve(outcome),
        "calibration": calibration_curve(outcome),
        "confusion": confusion_table(outcome),
        "scores": score_histogram(outcome),
    }


def roc_curve(outcome: Outcome) -> pd.DataFrame:
    """Return false_positive_rate and true_positive_rate at falling thresholds.

    Classes of a multiclass problem are pooled. A regression has no such curve: the table is empty.
    """
    if outcome.task == "regression":
        return pd.DataFrame({"false_positive_rate": [], "true_positive_rate": []})
    tp, fp = (np.append(0, cumulated[0]) for cumulated in outcome.pooled.sample().ranked())
    tpr, fpr = _share(tp), _share(fp)
    keep = _evenly(tpr + fpr)
    return pd.DataFrame({"false_positive_rate": fpr[keep], "true_positive_rate": tpr[keep]})


def precision_recall_curve(outcome: Outcome) -> pd.DataFrame:
    """Return recall and precision at falling thresholds; pooled and empty as the ROC curve is."""
    if outcome.task == "regression":
        return pd.DataFrame({"recall": [], "precision": []})
    tp, fp = (cumulated[0] for cumulated in outcome.pooled.sample().ranked())
    recall = _share(tp)
    keep = _evenly(recall)
    return pd.DataFrame({"recall": recall[keep], "precision": (tp / (tp + fp))[keep]})


def calibration_curve(outcome: Outcome) -> pd.DataFrame:
    """Return, in bins of equally many rows, the mean predicted and the mean observed value.

    Returns
    -------
    DataFrame
        Columns predicted, observed, rows. Probability and share of positives when classifying,
        classes pooled; in a regression prediction and target, in the target's unit.
    """
    shown = outcome if outcome.task == "regression" else outcome.pooled
    edges = np.unique(np.quantile(shown.scores, np.linspace(0, 1, BINS + 1)))
    place = np.searchsorted(edges, shown.scores, side="right")
    binned = pd.DataFrame(
        {
            "bin": np.clip(place, 1, max(len(edges) - 1, 1)),
            "predicted": shown.scores,
            "observed": shown.truth.astype(np.float64),
            "rows": 1,
        }
    )
    sums = {"predicted": "mean", "observed": "mean", "rows": "sum"}
    return binned.groupby("bin").agg(sums).reset_index(drop=True)


def confusion_table(outcome: Outcome) -> pd.DataFrame:
    """Return how many rows of each actual class were predicted to be of each.

    Labels are index and columns. Of many classes those with the most rows have a row of their own,
    and the last one holds all others. A regression is shown in quarters of the actual values.
    """
    truth, prediction = outcome.truth, outcome.prediction
    labels = list(QUARTERS)
    if outcome.task == "regression":
        edges = np.quantile(truth, [0.25, 0.5, 0.75])
        truth, prediction = (np.searchsorted(edges, v, side="right") for v in (truth, prediction))
    elif outcome.task == "binary":
        labels = ["no", "yes"]
    else:
        labels = [str(label) for label in outcome.classes]
        if (others := len(labels) - MOST_CLASSES + 1) > 1:
            rows = np.bincount(truth, minlength=len(labels))
            kept = np.sort(np.argsort(-rows, kind="stable")[: MOST_CLASSES - 1])
            place = np.full(len(labels), MOST_CLASSES - 1)
            place[kept] = np.arange(len(kept))
            truth, prediction = place[truth], place[prediction]
            labels = [*(labels[code] for code in kept), f"{others} others"]
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, (truth.astype(np.intp), prediction.astype(np.intp)), 1)
    index, columns = (pd.Index(labels, name=name) for name in ("actual", "predicted"))
    return pd.DataFrame(counts, index=index, columns=columns)


def confusion_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a confusion table as about a thousand rows, equally many of each actual class.

    The shares within an actual class are those of the table, and no case that occurred is left out,
    however rare.
    """
    totals = table.sum(axis=1)
    scale = np.minimum(1, CONFUSION_ROWS / len(table) / totals.clip(lower=1))
    fewer = table.mul(scale, axis=0).round().clip(lower=1).where(table > 0, 0).astype(int)
    cells = fewer.stack().rename("rows").reset_index()
    repeated = cells.loc[cells.index.repeat(cells["rows"]), ["actual", "predicted"]]
    return repeated.reset_index(drop=True)


def score_histogram(outcome: Outcome) -> pd.DataFrame:
    """Return score and share_of_rows of what :func:`shown_scores` returns."""
    values, bounds = shown_scores(outcome), (0.0, 1.0)
    if outcome.task == "regression":
        bounds = (float(values.min()), float(values.max()))
    counts, edges = np.histogram(values, bins=40, range=bounds)
    middle = (edges[1:] + edges[:-1]) / 2
    return pd.DataFrame({"score": middle, "share_of_rows": counts / len(values)})


def shown_scores(outcome: Outcome) -> Floats:
    """Return one score per row, shape (n,).

    The probability of the positive class, that of the predicted class (multiclass), or the
    residual, actual minus predicted (regression).
    """
    if outcome.task == "regression":
        return outcome.truth - outcome.scores
    return outcome.scores if outcome.task == "binary" else outcome.scores.max(axis=1)


def _share(cumulated: Floats) -> Floats:
    return cumulated / cumulated[-1] if cumulated[-1] > 0 else np.zeros_like(cumulated)


def _evenly(rising: Floats) -> NDArray:
    """Return indices of at most POINTS points, spread evenly over what a rising column covers."""
    last = len(rising) - 1
    wanted = np.linspace(rising[0], rising[-1], POINTS - 1)
    places = np.append(np.searchsorted(rising, wanted).clip(0, last), [0, last])
    return np.unique(places)[:POINTS]
