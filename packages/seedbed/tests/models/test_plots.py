"""The points of the plots are scikit-learn's, few, and in the same columns for every task."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from seedbed.models.outcome import Outcome
from seedbed.models.plots import (
    BINS,
    CONFUSION_ROWS,
    MOST_CLASSES,
    POINTS,
    calibration_curve,
    confusion_rows,
    confusion_table,
    curves,
    precision_recall_curve,
    roc_curve,
    score_histogram,
    shown_scores,
    write_plots,
)


def binary(rows: int = 5000) -> Outcome:
    random = np.random.default_rng(0)
    truth = (random.random(rows) < 0.3).astype(int)
    scores = np.clip(0.2 * truth + random.random(rows) * 0.8, 0, 1)
    return Outcome("binary", truth, scores, (scores >= 0.5).astype(int), (False, True))


def multiclass(rows: int = 900, classes: int = 3) -> Outcome:
    random = np.random.default_rng(1)
    truth = random.integers(0, classes, rows)
    scores = random.random((rows, classes)) + np.eye(classes)[truth] * 0.5
    scores /= scores.sum(axis=1, keepdims=True)
    labels = tuple(f"{code:03d}" for code in range(classes))
    return Outcome("multiclass", truth, scores, scores.argmax(axis=1), labels)


def regression(rows: int = 800) -> Outcome:
    random = np.random.default_rng(2)
    truth = random.normal(10, 3, rows)
    scores = truth + random.normal(size=rows)
    return Outcome("regression", truth, scores, scores)


OUTCOMES = {"binary": binary(), "multiclass": multiclass(), "regression": regression()}
COLUMNS = {
    "roc": ["false_positive_rate", "true_positive_rate"],
    "precision_recall": ["recall", "precision"],
    "calibration": ["predicted", "observed", "rows"],
    "confusion": ["actual", "predicted"],
    "scores": ["score", "share_of_rows"],
}


@pytest.mark.parametrize("task", OUTCOMES)
def test_files_have_the_same_columns_for_every_task(task: str, tmp_path: Path) -> None:
    write_plots(tmp_path, curves(OUTCOMES[task]))
    assert {file.stem for file in tmp_path.iterdir()} == set(COLUMNS)
    for name, columns in COLUMNS.items():
        table = pd.read_csv(tmp_path / f"{name}.csv")
        assert list(table.columns) == columns
        assert table.empty is (task == "regression" and name in ("roc", "precision_recall"))
        assert not table.isna().any(axis=None)
        assert len(table) <= (POINTS if name != "confusion" else 1.1 * CONFUSION_ROWS)


def on_curve(found: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> bool:
    """Whether each point is one of scikit-learn's."""
    exact = {(round(a, 9), round(b, 9)) for a, b in zip(x, y, strict=True)}
    return {(round(a, 9), round(b, 9)) for a, b in found.to_numpy()} <= exact


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_curves_lie_on_scikit_learns(task: str) -> None:
    outcome = OUTCOMES[task]
    truth = outcome.truth if task == "binary" else np.eye(3)[outcome.truth].ravel()
    scores = outcome.scores.ravel()
    wrong, right, _ = reference.roc_curve(truth, scores, drop_intermediate=False)
    roc = roc_curve(outcome)
    assert on_curve(roc, wrong, right)
    assert roc.iloc[[0, -1]].to_numpy().tolist() == [[0, 0], [1, 1]]
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(reference.roc_auc_score(truth, scores), abs=0.005)
    precision, recall, _ = reference.precision_recall_curve(truth, scores)
    found = precision_recall_curve(outcome)
    assert on_curve(found, recall, precision)
    assert found.iloc[-1].tolist() == [1, pytest.approx(truth.mean())]


def test_rows_of_one_class_have_curves_without_nan() -> None:
    truth = np.zeros(30, dtype=int)
    outcome = Outcome("binary", truth, np.linspace(0, 1, 30), truth, (False, True))
    for table in curves(outcome).values():
        assert np.isfinite(table.to_numpy(dtype=float)).all()


@pytest.mark.parametrize("task", OUTCOMES)
def test_calibration_bins_hold_equally_many_rows_and_all_of_them(task: str) -> None:
    outcome = OUTCOMES[task]
    found = calibration_curve(outcome)
    assert len(found) == BINS
    assert found["rows"].sum() == outcome.scores.size
    assert found["rows"].max() - found["rows"].min() <= BINS
    assert found["predicted"].is_monotonic_increasing
    weights = found["rows"] / found["rows"].sum()
    assert (found["predicted"] * weights).sum() == pytest.approx(outcome.scores.mean())


def test_a_constant_score_is_one_bin() -> None:
    outcome = Outcome(
        "binary", np.array([0, 0, 0, 1]), np.full(4, 0.3), np.zeros(4, dtype=int), (False, True)
    )
    assert calibration_curve(outcome).to_numpy().tolist() == [[pytest.approx(0.3), 0.25, 4]]


@pytest.mark.parametrize(
    ("task", "labels"), [("binary", ["no", "yes"]), ("multiclass", ["000", "001", "002"])]
)
def test_confusion_counts_are_scikit_learns(task: str, labels: list[str]) -> None:
    outcome = OUTCOMES[task]
    expected = reference.confusion_matrix(outcome.truth, outcome.prediction)
    pd.testing.assert_frame_equal(
        confusion_table(outcome), pd.DataFrame(expected, labels, labels), check_names=False
    )


def test_confusion_of_a_regression_is_in_quarters_of_the_actual_values() -> None:
    table = confusion_table(OUTCOMES["regression"])
    assert table.sum(axis=1).tolist() == [200] * 4
    assert np.diagonal(table).sum() > 400


def test_of_500_classes_the_largest_are_shown_and_the_others_counted() -> None:
    outcome = multiclass(3000, 500)
    table = confusion_table(outcome)
    assert table.shape == (MOST_CLASSES, MOST_CLASSES)
    assert table.index[-1] == "481 others"
    assert table.to_numpy().sum() == 3000
    counts = pd.Series(outcome.truth).value_counts()
    assert table.iloc[:-1].sum(axis=1).min() >= counts.iloc[MOST_CLASSES]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([[3, 1], [0, 2]], [[3, 1], [0, 2]]),
        ([[30_000, 10_000], [0, 20_000]], [[375, 125], [0, 500]]),
        ([[49_980, 0], [12, 8]], [[500, 0], [12, 8]]),
        ([[49_979, 1], [20, 0]], [[500, 1], [20, 0]]),
    ],
)
def test_a_confusion_is_about_a_thousand_rows_and_loses_no_class(
    cells: list[list[int]], expected: list[list[int]]
) -> None:
    labels = pd.Index(["no", "yes"])
    table = pd.DataFrame(cells, labels.rename("actual"), labels.rename("predicted"))
    found = confusion_rows(table)
    counted = pd.crosstab(found["actual"], found["predicted"])
    np.testing.assert_array_equal(counted.reindex(columns=labels, fill_value=0), expected)


@pytest.mark.parametrize("task", OUTCOMES)
def test_a_histogram_holds_every_row(task: str) -> None:
    found = score_histogram(OUTCOMES[task])
    assert found["share_of_rows"].sum() == pytest.approx(1)
    middle = (found["score"] * found["share_of_rows"]).sum()
    assert middle == pytest.approx(shown_scores(OUTCOMES[task]).mean(), abs=0.1)
