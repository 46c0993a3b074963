"""The points of the plots are scikit-learn's, few, and in the same columns for every task."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from seedbed.models.curves import (
    BINS,
    CONFUSION_ROWS,
    POINTS,
    calibration_curve,
    confusion_rows,
    confusion_table,
    decided_scores,
    precision_recall_curve,
    roc_curve,
    score_histogram,
)
from seedbed.models.outcome import Outcome


def binary(rows: int = 5000) -> Outcome:
    random = np.random.default_rng(0)
    truth = (random.random(rows) < 0.3).astype(int)
    scores = np.clip(0.2 * truth + random.random(rows) * 0.8, 0, 1)
    return Outcome("binary", truth, scores, (scores >= 0.5).astype(int), (False, True))


def multiclass(rows: int = 900) -> Outcome:
    random = np.random.default_rng(1)
    truth = random.integers(0, 3, rows)
    scores = random.random((rows, 3)) + np.eye(3)[truth] * 0.5
    scores /= scores.sum(axis=1, keepdims=True)
    return Outcome("multiclass", truth, scores, scores.argmax(axis=1), ("a", "b", "c"))


def regression(rows: int = 800) -> Outcome:
    random = np.random.default_rng(2)
    truth = random.normal(10, 3, rows)
    scores = truth + random.normal(size=rows)
    return Outcome("regression", truth, scores, scores)


OUTCOMES = {"binary": binary(), "multiclass": multiclass(), "regression": regression()}
COLUMNS = [
    (roc_curve, ["false_positive_rate", "true_positive_rate"]),
    (precision_recall_curve, ["recall", "precision"]),
    (calibration_curve, ["predicted", "observed", "rows"]),
    (score_histogram, ["score", "share_of_rows"]),
]


@pytest.mark.parametrize("task", OUTCOMES)
@pytest.mark.parametrize(("curve", "columns"), COLUMNS)
def test_a_table_has_the_same_columns_for_every_task(curve, columns: list[str], task: str) -> None:
    table = curve(OUTCOMES[task])
    assert list(table.columns) == columns
    assert len(table) <= POINTS
    empty = task == "regression" and curve in (roc_curve, precision_recall_curve)
    assert table.empty is empty
    assert np.isfinite(table.to_numpy(dtype=float)).all()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_roc_lies_on_scikit_learns(task: str) -> None:
    outcome = OUTCOMES[task]
    truth = outcome.truth if task == "binary" else np.eye(3)[outcome.truth].ravel()
    wrong, right, _ = reference.roc_curve(truth, outcome.scores.ravel(), drop_intermediate=False)
    found = roc_curve(outcome)
    exact = {(round(x, 9), round(y, 9)) for x, y in zip(wrong, right, strict=True)}
    assert {(round(x, 9), round(y, 9)) for x, y in found.to_numpy()} <= exact
    assert found.iloc[0].tolist() == [0, 0]
    assert found.iloc[-1].tolist() == [1, 1]
    area = np.trapezoid(found["true_positive_rate"], found["false_positive_rate"])
    assert area == pytest.approx(reference.roc_auc_score(truth, outcome.scores.ravel()), abs=0.005)


def test_precision_and_recall_lie_on_scikit_learns() -> None:
    outcome = OUTCOMES["binary"]
    precision, recall, _ = reference.precision_recall_curve(outcome.truth, outcome.scores)
    exact = {(round(x, 9), round(y, 9)) for x, y in zip(recall, precision, strict=True)}
    found = precision_recall_curve(outcome)
    assert {(round(x, 9), round(y, 9)) for x, y in found.to_numpy()} <= exact
    assert found["recall"].iloc[-1] == 1
    assert found["precision"].iloc[-1] == pytest.approx(outcome.truth.mean())


def test_rows_of_one_class_have_a_curve_without_nan() -> None:
    truth = np.zeros(30, dtype=int)
    outcome = Outcome("binary", truth, np.linspace(0, 1, 30), truth, (False, True))
    for curve in (roc_curve, precision_recall_curve):
        assert np.isfinite(curve(outcome).to_numpy()).all()
    assert roc_curve(outcome)["true_positive_rate"].eq(0).all()


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


def test_calibration_of_a_class_is_that_class_against_the_others() -> None:
    outcome = OUTCOMES["multiclass"]
    found = calibration_curve(outcome, 2)
    assert (found["observed"] * found["rows"]).sum() == (outcome.truth == 2).sum()


def test_a_constant_score_is_one_bin() -> None:
    outcome = Outcome(
        "binary", np.array([0, 0, 0, 1]), np.full(4, 0.3), np.zeros(4, dtype=int), (False, True)
    )
    assert calibration_curve(outcome).to_numpy().tolist() == [[pytest.approx(0.3), 0.25, 4]]


@pytest.mark.parametrize(
    ("task", "labels"), [("binary", ["no", "yes"]), ("multiclass", ["a", "b", "c"])]
)
def test_confusion_counts_are_scikit_learns(task: str, labels: list[str]) -> None:
    outcome = OUTCOMES[task]
    table = confusion_table(outcome)
    assert (table.index.tolist(), table.columns.tolist()) == (labels, labels)
    np.testing.assert_array_equal(
        table, reference.confusion_matrix(outcome.truth, outcome.prediction)
    )


def test_confusion_of_a_regression_is_in_quarters_of_the_actual_values() -> None:
    table = confusion_table(OUTCOMES["regression"])
    assert table.sum(axis=1).tolist() == [200] * 4
    assert np.diagonal(table).sum() > 400


def test_a_confusion_is_told_in_about_a_thousand_rows_and_loses_no_class() -> None:
    labels = pd.Index(["no", "yes"])

    def told(cells: list[list[int]]) -> dict[tuple[str, str], int]:
        table = pd.DataFrame(
            cells, index=labels.rename("actual"), columns=labels.rename("predicted")
        )
        return confusion_rows(table).value_counts().to_dict()

    assert told([[3, 1], [0, 2]]) == {("no", "no"): 3, ("no", "yes"): 1, ("yes", "yes"): 2}
    half = CONFUSION_ROWS // 2
    assert told([[30_000, 10_000], [0, 20_000]]) == {
        ("no", "no"): 375,
        ("no", "yes"): 125,
        ("yes", "yes"): half,
    }
    assert told([[49_980, 0], [12, 8]]) == {
        ("no", "no"): half,
        ("yes", "no"): 12,
        ("yes", "yes"): 8,
    }
    assert told([[49_979, 1], [20, 0]]) == {("no", "no"): half, ("no", "yes"): 1, ("yes", "no"): 20}


@pytest.mark.parametrize("task", OUTCOMES)
def test_a_histogram_holds_every_row(task: str) -> None:
    found = score_histogram(OUTCOMES[task])
    assert found["share_of_rows"].sum() == pytest.approx(1)
    middle = (found["score"] * found["share_of_rows"]).sum()
    assert middle == pytest.approx(decided_scores(OUTCOMES[task]).mean(), abs=0.1)


def test_what_is_decided_by() -> None:
    regression_outcome, classes = OUTCOMES["regression"], OUTCOMES["multiclass"]
    np.testing.assert_allclose(
        decided_scores(regression_outcome), regression_outcome.truth - regression_outcome.scores
    )
    chosen = classes.scores[np.arange(len(classes)), classes.prediction]
    np.testing.assert_array_equal(decided_scores(classes), chosen)
