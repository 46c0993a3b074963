"""Figures stand beside the baseline's, on the same fair resamples, in slices as in the whole."""

import json

import numpy as np
import pandas as pd
import pytest

from seedbed.models.intervals import (
    MINIMUM_CLUSTERS,
    MINIMUM_ROWS,
    MOST_SLICES,
    bootstrap,
    compare,
    interval,
    resample_counts,
)
from seedbed.models.metrics import metrics_of
from seedbed.models.outcome import Outcome

ROWS = 600
METRICS = metrics_of("binary")


def outcomes(skill: float = 0.5) -> tuple[Outcome, Outcome]:
    """A model as good as `skill` says, and a baseline that scores every row 0.3."""
    random = np.random.default_rng(0)
    truth = (random.random(ROWS) < 0.3).astype(int)
    scores = skill * truth * 0.5 + random.random(ROWS) * 0.5
    nothing = np.zeros(ROWS, dtype=int)
    model = Outcome("binary", truth, scores, (scores > 0.5).astype(int), (False, True))
    return model, Outcome("binary", truth, np.full(ROWS, 0.3), nothing, (False, True))


ALONE = np.arange(ROWS)


def report(
    slices: dict[str, pd.Series] | None = None,
    seed: int = 0,
    skill: float = 0.5,
    clusters: np.ndarray = ALONE,
):
    model, baseline = outcomes(skill)
    against = dict.fromkeys(METRICS, baseline)
    return compare(model, against, slices or {}, clusters, METRICS["roc_auc"], 60, seed)


def test_every_metric_has_a_value_within_its_interval() -> None:
    found = report()
    for part in ("model", "baseline", "difference"):
        assert list(found[part]) == list(METRICS)
    for name, figure in found["model"].items():
        assert figure["value"] == METRICS[name].of(outcomes()[0])
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "brier"])
def test_a_positive_difference_means_that_the_model_is_better(name: str) -> None:
    good, bad = report(skill=1), report(skill=-1)
    assert good["difference"][name]["low"] > 0
    assert bad["difference"][name]["high"] < 0
    model, baseline = outcomes(1)
    expected = METRICS[name].sign * (METRICS[name].of(model) - METRICS[name].of(baseline))
    assert good["difference"][name]["value"] == pytest.approx(expected)


def test_the_difference_is_paired() -> None:
    model, _ = outcomes()
    found = compare(model, dict.fromkeys(METRICS, model), {}, ALONE, METRICS["roc_auc"], 60, 0)[
        "difference"
    ]["roc_auc"]
    assert found == {"value": 0, "low": 0, "high": 0}


def test_each_metric_is_held_against_its_own_outcome() -> None:
    model, baseline = outcomes()
    against = {**dict.fromkeys(METRICS, baseline), "recall": model}
    found = compare(model, against, {}, ALONE, METRICS["recall"], 60, 0)
    assert found["difference"]["recall"] == {"value": 0, "low": 0, "high": 0}
    assert found["baseline"]["recall"] == found["model"]["recall"]
    assert found["baseline"]["f1"]["value"] == METRICS["f1"].of(baseline)


def test_the_seed_decides_the_interval() -> None:
    assert report() == report()
    assert report(seed=1)["model"]["roc_auc"]["value"] == report()["model"]["roc_auc"]["value"]
    assert report(seed=1)["model"]["roc_auc"]["low"] != report()["model"]["roc_auc"]["low"]


def test_a_slice_is_measured_on_its_own_rows() -> None:
    side = pd.Series(["left", "right"] * (ROWS // 2))
    found = report({"side": side})["slices"]["side"]
    assert list(found) == ["left", "right"]
    rows = np.flatnonzero(side == "left")
    assert found["left"]["rows"] == ROWS // 2
    assert found["left"]["roc_auc"]["value"] == METRICS["roc_auc"].of(outcomes()[0].take(rows))
    assert (
        found["left"]["roc_auc"]["low"]
        < found["left"]["roc_auc"]["value"]
        < found["left"]["roc_auc"]["high"]
    )


def test_a_small_slice_has_no_interval_and_a_missing_value_is_a_slice() -> None:
    few = MINIMUM_ROWS - 1
    side = pd.Series(
        ["few"] * few + [None] * MINIMUM_ROWS + ["many"] * (ROWS - few - MINIMUM_ROWS), dtype="str"
    )
    found = report({"side": side})["slices"]["side"]
    assert {value: entry["rows"] for value, entry in found.items()} == {
        "few": few,
        "many": ROWS - few - MINIMUM_ROWS,
        "missing": MINIMUM_ROWS,
    }
    assert found["few"]["roc_auc"]["low"] is None
    assert found["few"]["roc_auc"]["value"] is not None
    assert found["missing"]["roc_auc"]["low"] is not None


def test_rows_that_are_alike_make_intervals_wider_and_too_few_clusters_make_none() -> None:
    truth, side = outcomes()[0].truth, pd.Series(["left", "right"] * (ROWS // 2))
    alike = (
        np.argsort(np.argsort(-outcomes()[0].scores * truth, kind="stable"), kind="stable") // 30
    )
    assert width(report(clusters=alike)["model"]["recall"]) > 2 * width(report()["model"]["recall"])
    assert report(clusters=alike)["bootstrap"] == {"resamples": 60, "clusters": 20}
    few = report({"side": side}, clusters=np.arange(ROWS) % (MINIMUM_CLUSTERS - 1))
    for figure in (
        *few["model"].values(),
        *few["difference"].values(),
        few["slices"]["side"]["left"]["roc_auc"],
    ):
        assert figure["low"] is figure["high"] is None
    assert few["model"]["roc_auc"]["value"] == report()["model"]["roc_auc"]["value"]
    # Enough in all, too few in a slice: even rows are in nine clusters, odd ones in nine others.
    shared = report({"side": side}, clusters=np.arange(ROWS) % (2 * MINIMUM_CLUSTERS - 2))
    assert shared["model"]["roc_auc"]["low"] is not None
    assert shared["slices"]["side"]["left"]["roc_auc"]["low"] is None


def width(figure: dict) -> float:
    return figure["high"] - figure["low"]


def test_only_the_largest_slices_are_listed_and_the_others_counted() -> None:
    codes = np.minimum(np.arange(ROWS) // 20, 25)
    found = report({"code": pd.Series([f"c{code:02d}" for code in codes])})
    assert list(found["slices"]["code"]) == [
        f"c{code:02d}" for code in [*range(MOST_SLICES - 1), 25]
    ]
    assert found["slices_left_out"] == {"code": 26 - MOST_SLICES}


def test_a_slice_of_one_class_has_no_ranking() -> None:
    side = pd.Series(np.where(outcomes()[0].truth == 1, "late", "on time"))
    found = report({"side": side})["slices"]["side"]["late"]
    assert found["roc_auc"] == {"value": None, "low": None, "high": None}
    assert found["difference"]["value"] is None


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
        measures = {"x": lambda c, v=values: {"mean": c @ v / c.sum(axis=1)}}
        low, high = interval(bootstrap(measures, clusters, 200, seed, 200)["x"]["mean"])
        covered += low <= 0 <= high
    assert least <= covered / 200 <= most


def test_an_interval_is_not_given_where_many_resamples_are_undefined() -> None:
    values = np.linspace(0, 1, 100)
    few, many = values.copy(), values.copy()
    few[:4], many[:20] = np.nan, np.nan
    assert interval(values) == pytest.approx((0.025, 0.975))
    assert None not in interval(few)
    assert interval(many) == (None, None)
