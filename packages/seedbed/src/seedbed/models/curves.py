"""The points of every plot, as tables: what `dvc plots` draws and what the images are drawn from."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.outcome import Floats, Outcome, Sample

POINTS = 200
"""Most points of a curve: more are not seen, and all are stored with every experiment."""
BINS = 10
CONFUSION_ROWS = 1000
"""`dvc plots` counts rows itself, so a confusion table is told as that many rows at most."""
QUARTERS = ("1 lowest", "2", "3", "4 highest")


def roc_curve(outcome: Outcome) -> pd.DataFrame:
    """Return false_positive_rate and true_positive_rate at falling thresholds.

    Classes of a multiclass problem are pooled: each row counts once per class, as of it or not (micro-average).
    A regression has no such curve: the table is empty.
    """
    if outcome.task == "regression":
        return pd.DataFrame({"false_positive_rate": [], "true_positive_rate": []})
    tp, fp = _true_and_false_positives(outcome)
    tpr, fpr = _share(np.append(0, tp)), _share(np.append(0, fp))
    keep = _evenly(tpr + fpr)
    return pd.DataFrame({"false_positive_rate": fpr[keep], "true_positive_rate": tpr[keep]})


def precision_recall_curve(outcome: Outcome) -> pd.DataFrame:
    """Return recall and precision at falling thresholds; pooled over classes, empty in a regression, as the ROC is."""
    if outcome.task == "regression":
        return pd.DataFrame({"recall": [], "precision": []})
    tp, fp = _true_and_false_positives(outcome)
    recall = _share(tp)
    keep = _evenly(recall)
    return pd.DataFrame({"recall": recall[keep], "precision": (tp / (tp + fp))[keep]})


def calibration_curve(outcome: Outcome, label: int | None = None) -> pd.DataFrame:
    """Return, in bins of equally many rows, the mean predicted and the mean observed value.

    Parameters
    ----------
    label : int, optional
        A class of a multiclass problem, against all others; without it classes are pooled.

    Returns
    -------
    DataFrame
        Columns predicted, observed, rows. Probability and share of positives when classifying; in a regression
        prediction and target, in the target's unit.
    """
    said, truth = outcome.scores, outcome.truth.astype(np.float64)
    if outcome.task == "multiclass":
        said, truth = (
            _pooled(outcome)
            if label is None
            else (outcome.scores[:, label], (outcome.truth == label).astype(np.float64))
        )
    edges = np.unique(np.quantile(said, np.linspace(0, 1, BINS + 1)))
    binned = pd.DataFrame(
        {
            "bin": np.clip(np.searchsorted(edges, said, side="right"), 1, max(len(edges) - 1, 1)),
            "predicted": said,
            "observed": truth,
            "rows": 1,
        }
    )
    return (
        binned.groupby("bin")
        .agg({"predicted": "mean", "observed": "mean", "rows": "sum"})
        .reset_index(drop=True)
    )


def confusion_table(outcome: Outcome) -> pd.DataFrame:
    """Return how many rows of each actual class were predicted to be of each, labels as index and columns.

    A regression is told in quarters of the actual values.
    """
    if outcome.task == "regression":
        edges = np.quantile(outcome.truth, [0.25, 0.5, 0.75])
        codes = [
            np.searchsorted(edges, values, side="right")
            for values in (outcome.truth, outcome.prediction)
        ]
        labels: list[str] = list(QUARTERS)
    else:
        codes = [outcome.truth, outcome.prediction]
        labels = (
            ["no", "yes"] if outcome.task == "binary" else [str(label) for label in outcome.classes]
        )
    counts = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(counts, tuple(part.astype(np.intp) for part in codes), 1)
    return pd.DataFrame(
        counts, index=pd.Index(labels, name="actual"), columns=pd.Index(labels, name="predicted")
    )


def confusion_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Return a confusion table as rows of actual and predicted, about a thousand in all, the same number for each class.

    The shares within an actual class are those of the table, and no case that occurred is left out, however rare.
    """
    totals = table.sum(axis=1)
    scale = np.minimum(1, CONFUSION_ROWS / len(table) / totals.clip(lower=1))
    told = table.mul(scale, axis=0).round().clip(lower=1).where(table > 0, 0).astype(int)
    cells = told.stack().rename("rows").reset_index()
    return cells.loc[cells.index.repeat(cells["rows"]), ["actual", "predicted"]].reset_index(
        drop=True
    )


def score_histogram(outcome: Outcome) -> pd.DataFrame:
    """Return score and share_of_rows: of the probability of the positive class, of that of the predicted class
    (multiclass), or of the residual, actual minus predicted (regression)."""
    values = decided_scores(outcome)
    bounds = (
        (float(values.min()), float(values.max())) if outcome.task == "regression" else (0.0, 1.0)
    )
    counts, edges = np.histogram(values, bins=40, range=bounds)
    return pd.DataFrame(
        {"score": (edges[1:] + edges[:-1]) / 2, "share_of_rows": counts / len(values)}
    )


def decided_scores(outcome: Outcome) -> Floats:
    """Return the one score per row that a histogram shows, shape (n,)."""
    if outcome.task == "regression":
        return outcome.truth - outcome.scores
    return outcome.scores if outcome.task == "binary" else outcome.scores.max(axis=1)


def _true_and_false_positives(outcome: Outcome) -> tuple[Floats, Floats]:
    if outcome.task == "multiclass":
        scores, truth = _pooled(outcome)
        outcome = Outcome("binary", truth, scores, truth, (False, True))
    tp, fp = Sample(outcome).ranked[0]
    return tp[0], fp[0]


def _pooled(outcome: Outcome) -> tuple[Floats, Floats]:
    return outcome.scores.ravel(), np.eye(len(outcome.classes))[outcome.truth].ravel()


def _share(cumulated: Floats) -> Floats:
    return cumulated / cumulated[-1] if cumulated[-1] > 0 else np.zeros_like(cumulated)


def _evenly(rising: Floats) -> NDArray:
    """Indices of at most POINTS points, spread evenly over what a rising column covers, first and last among them."""
    wanted = np.linspace(rising[0], rising[-1], POINTS - 1)
    return np.unique(
        np.append(np.searchsorted(rising, wanted).clip(0, len(rising) - 1), [0, len(rising) - 1])
    )[:POINTS]
