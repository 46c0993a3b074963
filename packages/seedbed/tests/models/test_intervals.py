"""Figures stand beside the baseline's, on the same fair resamples, in slices as in the whole."""

import json

import numpy as np
import pandas as pd
import pytest

from seedbed.models.intervals import (
    MINIMUM_CLUSTERS,
    MINIMUM_ROWS,
    MOST_SLICES,
    as_number,
    as_text,
    compare,
    interval,
    resample_counts,
    with_interval,
)
from seedbed.models.metrics import metrics_of
from seedbed.models.outcome import Outcome

ROWS = 600
METRICS = metrics_of("binary")
ALONE = np.arange(ROWS)
HALVES = pd.Series(["left", "right"] * (ROWS // 2))
NO_FIGURE = {"value": None, "low": None, "high": None}


def outcomes(skill: float = 0.5) -> tuple[Outcome, Outcome]:
    """A model as good as `skill` says, and a baseline that scores every row 0.3."""
    random = np.random.default_rng(0)
    truth = (random.random(ROWS) < 0.3).astype(int)
    scores = skill * truth * 0.5 + random.random(ROWS) * 0.5
    nothing = np.zeros(ROWS, dtype=int)
    model = Outcome("binary", truth, scores, (scores > 0.5).astype(int), (False, True))
    return model, Outcome("binary", truth, np.full(ROWS, 0.3), nothing, (False, True))


MODEL, BASELINE = outcomes()


def report(
    slices: dict[str, pd.Series] | None = None,
    seed: int = 0,
    clusters: np.ndarray = ALONE,
    model: Outcome = MODEL,
    **against: Outcome,
):
    baselines = {**dict.fromkeys(METRICS, BASELINE), **against}
    return compare(model, baselines, slices or {}, clusters, METRICS["roc_auc"], 60, seed)


def test_every_metric_has_a_value_within_its_interval() -> None:
    found = report()
    for part in ("model", "baseline", "difference"):
        assert list(found[part]) == list(METRICS)
    for name, figure in found["model"].items():
        assert figure["value"] == METRICS[name].of(MODEL)
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "brier"])
@pytest.mark.parametrize("skill", [1, -1])
def test_a_positive_difference_means_that_the_model_is_better(name: str, skill: int) -> None:
    model, metric = outcomes(skill)[0], METRICS[name]
    found = report(model=model)["difference"][name]
    assert found["value"] == pytest.approx(metric.sign * (metric.of(model) - metric.of(BASELINE)))
    assert skill * found["low"] > 0
    assert skill * found["high"] > 0


def test_differences_are_paired_and_each_metric_has_a_baseline_of_its_own() -> None:
    found = report(recall=MODEL)
    assert found["difference"]["recall"] == {"value": 0, "low": 0, "high": 0}
    assert found["baseline"]["recall"] == found["model"]["recall"]
    assert found["baseline"]["f1"]["value"] == METRICS["f1"].of(BASELINE)


def test_the_seed_decides_the_interval() -> None:
    first, second = report()["model"]["roc_auc"], report(seed=1)["model"]["roc_auc"]
    assert report()["model"]["roc_auc"] == first
    assert second["value"] == first["value"]
    assert second["low"] != first["low"]


def test_a_slice_is_measured_on_its_own_rows() -> None:
    found = report({"side": HALVES})["slices"]["side"]
    assert list(found) == ["left", "right"]
    assert found["left"]["rows"] == ROWS // 2
    figure = found["left"]["roc_auc"]
    assert figure["value"] == METRICS["roc_auc"].of(MODEL.take(np.flatnonzero(HALVES == "left")))
    assert figure["low"] < figure["value"] < figure["high"]


def test_a_small_slice_has_no_interval_and_a_missing_value_is_a_slice() -> None:
    few = MINIMUM_ROWS - 1
    sizes = {"few": few, "missing": MINIMUM_ROWS, "many": ROWS - few - MINIMUM_ROWS}
    side = pd.Series(np.repeat(list(sizes), list(sizes.values()))).replace("missing", None)
    found = report({"side": side.astype("str")})["slices"]["side"]
    assert {value: entry["rows"] for value, entry in found.items()} == sizes
    assert found["few"]["roc_auc"]["value"] is not None
    assert [value for value in sizes if found[value]["roc_auc"]["low"] is None] == ["few"]


def test_rows_that_are_alike_make_intervals_wider() -> None:
    rank = np.argsort(np.argsort(-MODEL.scores * MODEL.truth, kind="stable"), kind="stable")
    alike, alone = report(clusters=rank // 30), report()
    widths = [
        found["model"]["recall"]["high"] - found["model"]["recall"]["low"]
        for found in (alike, alone)
    ]
    assert widths[0] > 2 * widths[1]
    assert alike["bootstrap"] == {"resamples": 60, "clusters": 20}


def test_too_few_clusters_make_no_interval() -> None:
    few = report({"side": HALVES}, clusters=ALONE % (MINIMUM_CLUSTERS - 1))
    part = few["slices"]["side"]["left"]["roc_auc"]
    for figure in (*few["model"].values(), *few["difference"].values(), part):
        assert figure["value"] is not None
        assert figure["low"] is figure["high"] is None
    # Enough in all, too few in a slice: even rows are in nine clusters, odd ones in nine others.
    shared = report({"side": HALVES}, clusters=ALONE % (2 * MINIMUM_CLUSTERS - 2))
    assert shared["model"]["roc_auc"]["low"] is not None
    assert shared["slices"]["side"]["left"]["roc_auc"]["low"] is None


def test_only_the_largest_slices_are_listed_and_the_others_counted() -> None:
    codes = pd.Series([f"c{min(row // 20, 25):02d}" for row in range(ROWS)])
    found = report({"code": codes})
    listed = [f"c{code:02d}" for code in [*range(MOST_SLICES - 1), 25]]
    assert list(found["slices"]["code"]) == listed
    assert found["slices_left_out"] == {"code": 26 - MOST_SLICES}


def test_a_slice_of_one_class_has_no_ranking() -> None:
    side = pd.Series(np.where(MODEL.truth == 1, "late", "on time"))
    found = report({"side": side})["slices"]["side"]["late"]
    assert found["roc_auc"] == found["difference"] == NO_FIGURE


def counts(clusters: np.ndarray, resamples: int, seed: int, at_once: int = 20) -> np.ndarray:
    return np.concatenate(list(resample_counts(clusters, resamples, seed, at_once)))


def test_a_resample_holds_as_many_rows_as_there_are() -> None:
    found = counts(np.arange(300), 50, seed=0)
    assert found.shape == (50, 300)
    assert (found.sum(axis=1) == 300).all()
    assert found.std() == pytest.approx(1, abs=0.05)  # counts are near Poisson(1)


def test_resamples_depend_on_the_seed_and_not_on_how_many_are_held_at_once() -> None:
    clusters = np.arange(100)
    assert max(len(part) for part in resample_counts(clusters, 30, 1, at_once=7)) == 7
    np.testing.assert_array_equal(counts(clusters, 30, 1, 7), counts(clusters, 30, 1, 30))
    assert (counts(clusters, 30, 1) != counts(clusters, 30, 2)).any()


def test_rows_of_a_cluster_come_together() -> None:
    found = counts(np.array([0, 1, 0, 2, 2, 1]), 50, seed=0)
    assert (found[:, [0, 1, 3]] == found[:, [2, 5, 4]]).all()
    assert (found[:, [0, 1, 3]].sum(axis=1) == 3).all()


@pytest.mark.parametrize(
    ("size", "drawn", "least", "most"),
    [(1, "rows", 0.9, 0.98), (10, "clusters", 0.9, 0.98), (10, "rows", 0, 0.7)],
)
def test_the_interval_of_a_mean_covers_it_19_times_of_20(
    size: int, drawn: str, least: float, most: float
) -> None:
    """Unless rows share what moves them and are yet drawn one by one: that is too narrow."""
    random, shared = np.random.default_rng(0), np.repeat(np.arange(100), size)
    clusters = shared if drawn == "clusters" else np.arange(len(shared))
    covered = 0
    for seed in range(200):
        values = random.normal(size=100)[shared] + random.normal(size=len(shared))
        held = counts(clusters, 200, seed, at_once=200)
        low, high = interval(held @ values / held.sum(axis=1))
        covered += low <= 0 <= high
    assert least <= covered / 200 <= most


@pytest.mark.parametrize(("undefined", "given"), [(0, True), (4, True), (20, False)])
def test_an_interval_is_not_given_where_many_resamples_are_undefined(
    undefined: int, given: bool
) -> None:
    values = np.linspace(0, 1, 100)
    values[:undefined] = np.nan
    assert (None not in interval(values)) is given
    assert undefined or interval(values) == pytest.approx((0.025, 0.975))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.68812, "0.688"),
        (-0.0123, "-0.012"),
        (0.00042, "0.00042"),
        (-0.001, "-0.001"),
        (-0.00001, "-1e-05"),
        (-0.0, "0.000"),
        (58.1234, "58.1"),
        (1234567.8, "1,234,568"),
        (None, "not defined"),
        (0, "0.000"),
    ],
)
def test_figures_are_for_people(value: float | None, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.5, 0.4, 0.6, "0.500 (0.400 to 0.600)"),
        (0.5, None, None, "0.500"),
        (0.00042, 0.00031, 0.00055, "0.00042 (0.00031 to 0.00055)"),
        (None, None, None, "not defined"),
    ],
)
def test_an_interval_stands_beside_its_value_and_may_be_missing(
    value: float | None, low: float | None, high: float | None, text: str
) -> None:
    assert with_interval({"value": value, "low": low, "high": high}) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.70734, "0.7073"),
        (-0.5, "-0.5"),
        (9999.4, "9999"),
        (9999.6, "10000"),
        (20231104.0, "20231104"),
    ],
)
def test_a_large_number_has_no_exponent(value: float, text: str) -> None:
    assert as_number(value) == text
