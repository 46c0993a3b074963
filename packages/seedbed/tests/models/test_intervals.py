"""Figures stand beside the dummy's, measured on the same resamples, in slices as in the whole."""

import json

import numpy as np
import pandas as pd
import pytest

from seedbed.models.metrics import METRICS, metrics_of
from seedbed.models.outcome import Outcome
from seedbed.models.report import MINIMUM_CLUSTERS, MINIMUM_ROWS, MOST_SLICES, compare

ROWS = 600


def outcomes(skill: float = 0.5) -> tuple[Outcome, Outcome]:
    """A model as good as `skill` says, and a dummy that says 0.3 of every row."""
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
    against = dict.fromkeys(metrics_of("binary"), baseline)
    return compare(model, against, slices or {}, clusters, METRICS["roc_auc"], 60, seed)


def test_every_metric_has_a_value_within_its_interval() -> None:
    found = report()
    for part in ("model", "baseline", "difference"):
        assert list(found[part]) == list(metrics_of("binary"))
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
    found = compare(
        model, dict.fromkeys(metrics_of("binary"), model), {}, ALONE, METRICS["roc_auc"], 60, 0
    )["difference"]["roc_auc"]
    assert found == {"value": 0, "low": 0, "high": 0}


def test_each_metric_is_held_against_its_own_outcome() -> None:
    model, baseline = outcomes()
    against = {**dict.fromkeys(metrics_of("binary"), baseline), "recall": model}
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
    # Enough in all, and too few in a slice: even rows are in nine clusters, odd ones in nine others.
    shared = report({"side": side}, clusters=np.arange(ROWS) % (2 * MINIMUM_CLUSTERS - 2))
    assert shared["model"]["roc_auc"]["low"] is not None
    assert shared["slices"]["side"]["left"]["roc_auc"]["low"] is None


def width(figure: dict) -> float:
    return figure["high"] - figure["low"]


def test_only_the_largest_slices_are_listed() -> None:
    codes = np.minimum(np.arange(ROWS) // 20, 25)
    found = report({"code": pd.Series([f"c{code:02d}" for code in codes])})["slices"]["code"]
    assert list(found) == [f"c{code:02d}" for code in [*range(MOST_SLICES - 1), 25]]


def test_a_slice_of_one_class_has_no_ranking() -> None:
    side = pd.Series(np.where(outcomes()[0].truth == 1, "late", "on time"))
    found = report({"side": side})["slices"]["side"]["late"]
    assert found["roc_auc"] == {"value": None, "low": None, "high": None}
    assert found["difference"]["value"] is None
