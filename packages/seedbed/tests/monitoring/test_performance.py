"""Performance now beside that of the test rows, and what the scores let expect."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.monitor import Monitor
from seedbed.models.estimation import estimate
from seedbed.models.metrics import metrics_of
from seedbed.models.outcome import Outcome
from seedbed.monitoring.performance import clusters_of, measure

CLASSES = ("a", "b", "c")


def binary(size: int = 20_000, seed: int = 0) -> Outcome:
    """Rows whose outcomes follow the scores."""
    random = np.random.default_rng(seed)
    scores = random.beta(1.0, 2.0, size=size)
    truth = (random.random(size) < scores).astype(np.int8)
    return Outcome("binary", truth, scores, (scores >= 0.4).astype(np.int8), (False, True))


def multiclass(size: int = 20_000) -> Outcome:
    random = np.random.default_rng(0)
    scores = random.dirichlet([1.0, 2.0, 0.5], size=size)
    truth = (random.random((size, 1)) > scores.cumsum(axis=1)).sum(axis=1)
    return Outcome("multiclass", truth, scores, scores.argmax(axis=1), CLASSES)


@pytest.mark.parametrize("name", list(metrics_of("binary")))
def test_the_estimate_is_right_where_scores_are_probabilities(name: str) -> None:
    outcome, metric = binary(), metrics_of("binary")[name]
    found = estimate(outcome, metric, np.arange(len(outcome)))
    assert found is not None
    assert found["value"] == pytest.approx(metric.of(outcome), abs=0.015)
    assert found["low"] < found["value"] < found["high"]


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "f1_macro"])
def test_the_estimate_knows_more_than_two_classes(name: str) -> None:
    outcome, metric = multiclass(), metrics_of("multiclass")[name]
    found = estimate(outcome, metric, np.arange(len(outcome)))
    assert found is not None
    assert found["value"] == pytest.approx(metric.of(outcome), abs=0.015)


def test_a_regression_has_no_estimate() -> None:
    numbers = np.arange(5.0)
    outcome = Outcome("regression", numbers, numbers, numbers)
    assert estimate(outcome, metrics_of("regression")["rmse"], np.arange(5)) is None


NONE = {"value": None, "low": None, "high": None}


@pytest.mark.parametrize(
    ("before", "lost"),
    [
        pytest.param({"value": 0.72, "low": 0.70, "high": 0.74}, False, id="as before"),
        pytest.param({"value": 0.95, "low": 0.94, "high": 0.96}, True, id="much better before"),
        pytest.param({"value": 0.95, "low": 0.60, "high": 0.99}, False, id="known vaguely before"),
        pytest.param({"value": 0.50, "low": 0.49, "high": 0.51}, False, id="worse before"),
        pytest.param(NONE, False, id="not defined before"),
    ],
)  # fmt: skip
def test_performance_is_lost_only_beyond_both_intervals(
    before: dict[str, float | None], lost: bool
) -> None:
    packaged = {"test": {"model": {"roc_auc": before}}, "slices": {}}
    outcome = binary(3_000)
    found = measure(
        outcome, metrics_of("binary")["roc_auc"], {}, np.arange(3_000), packaged, Monitor()
    )
    assert [part.lost for part in found] == [lost]


def test_a_slice_in_which_labels_are_flipped_is_named() -> None:
    outcome = binary(6_000)
    here = pd.Series(np.where(np.arange(6_000) % 3 == 0, "here", "there"))
    truth = np.where(here == "here", 1 - outcome.truth, outcome.truth)
    wrong = Outcome("binary", truth, outcome.scores, outcome.prediction, outcome.classes)
    figure = {"roc_auc": {"value": 0.75, "low": 0.72, "high": 0.78}}
    packaged = {
        "test": {"model": figure},
        "slices": {"place": {"here": figure, "there": figure}},
    }
    found = measure(
        wrong, metrics_of("binary")["roc_auc"], {"place": here}, np.arange(6_000), packaged,
        Monitor(),
    )  # fmt: skip
    assert "place = here" in [part.part for part in found if part.lost]
    assert "place = there" not in [part.part for part in found if part.lost]


@pytest.mark.parametrize(("slices", "lost"), [(1, True), (20, False)])
def test_one_slice_of_many_must_be_worse_than_one_alone(slices: int, lost: bool) -> None:
    metric, count = metrics_of("binary")["roc_auc"], 3_000
    outcome = binary(count)
    alone = {"test": {"model": {"roc_auc": NONE}}, "slices": {}}
    now = measure(outcome, metric, {}, np.arange(count), alone, Monitor())[0].current
    assert now["value"] is not None and now["high"] is not None
    half = now["high"] - now["value"]
    # What is tolerated lies just beyond the interval of the slice.
    value = (now["value"] + 1.2 * half) / (1 - Monitor().performance)
    known = {"roc_auc": {"value": value, "low": value, "high": value}}
    places = pd.Series(["here"] * count)
    packaged = {
        "test": {"model": {"roc_auc": NONE}},
        "slices": {f"place {number}": {"here": known} for number in range(slices)},
    }
    columns = dict.fromkeys(packaged["slices"], places)
    found = measure(outcome, metric, columns, np.arange(count), packaged, Monitor())
    assert [part.lost for part in found[1:]] == [lost] * slices


def test_rows_of_a_day_or_a_group_are_resampled_together() -> None:
    times = pd.Series(pd.to_datetime(["2013-01-01 01:00", "2013-01-01 23:00", "2013-01-02 01:00"]))
    groups = pd.Series(["x", "y", "x"])
    assert clusters_of(times, None, 3).tolist() == [0, 0, 1]
    assert clusters_of(times, groups, 3).tolist() == [0, 1, 0]
    assert clusters_of(None, None, 2).tolist() == [0, 1]
