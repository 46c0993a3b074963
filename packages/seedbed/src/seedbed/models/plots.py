"""The files of `dvc plots`: the same names and columns for every task, so that dvc.yaml names them once."""

from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.files import write_text
from seedbed.models.curves import (
    calibration_curve,
    confusion_rows,
    confusion_table,
    precision_recall_curve,
    roc_curve,
    score_histogram,
)
from seedbed.models.outcome import Outcome


def write_training_plots(folder: Path, outcome: Outcome, details: dict[str, Any]) -> None:
    """Write the curves of the validation rows, and folds.csv: the deciding metric of each fold."""
    _write_curves(folder, outcome)
    name = details["metric"]
    folds, dummy = (
        details[part][name]["folds"] for part in ("cross_validation", "baseline_cross_validation")
    )
    _write(
        folder / "folds.csv",
        pd.DataFrame({"fold": range(1, len(folds) + 1), "value": folds, "baseline": dummy}),
    )


def write_evaluation_plots(folder: Path, outcome: Outcome, details: dict[str, Any]) -> None:
    """Write the curves of the test rows, importance.csv, and slices.csv: the deciding metric of each slice that has an interval.

    Of fewer rows a figure is chance, and these plots show no interval that would say so.
    """
    _write_curves(folder, outcome)
    importance = [(name, figure["mean"]) for name, figure in details["importance"].items()]
    _write(folder / "importance.csv", pd.DataFrame(importance, columns=["feature", "importance"]))
    slices = [
        (f"{name} {value}", figures[details["metric"]]["value"])
        for name, group in details["slices"].items()
        for value, figures in group.items()
        if figures[details["metric"]]["low"] is not None
    ]
    _write(folder / "slices.csv", pd.DataFrame(slices, columns=["slice", "value"]))


def _write_curves(folder: Path, outcome: Outcome) -> None:
    _write(folder / "roc.csv", roc_curve(outcome))
    _write(folder / "precision_recall.csv", precision_recall_curve(outcome))
    _write(folder / "calibration.csv", calibration_curve(outcome))
    _write(folder / "confusion.csv", confusion_rows(confusion_table(outcome)))
    _write(folder / "scores.csv", score_histogram(outcome))


def _write(path: Path, table: pd.DataFrame) -> None:
    write_text(path, table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))
