"""Resamples are fair, seeded, bounded in memory, and their intervals mean what they say."""

import numpy as np
import pytest

from seedbed.models import bootstrap as module
from seedbed.models.bootstrap import bootstrap, interval, resample_counts


def test_a_resample_holds_as_many_rows_as_there_are() -> None:
    counts = np.concatenate(list(resample_counts(np.arange(300), 50, seed=0)))
    assert counts.shape == (50, 300)
    assert (counts.sum(axis=1) == 300).all()
    assert counts.std() == pytest.approx(1, abs=0.05)  # counts are near Poisson(1)


def test_resamples_do_not_depend_on_how_many_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = np.concatenate(list(resample_counts(np.arange(100), 30, seed=1)))
    monkeypatch.setattr(module, "CELLS", 700)
    parts = list(resample_counts(np.arange(100), 30, seed=1))
    assert max(part.size for part in parts) <= 700
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_another_seed_draws_other_resamples() -> None:
    first, second = (next(resample_counts(np.arange(100), 5, seed)) for seed in (0, 1))
    assert (first != second).any()


def test_things_are_measured_on_the_same_resamples() -> None:
    values = np.random.default_rng(0).normal(size=200)
    found = bootstrap(
        {
            "plain": lambda counts: {"mean": counts @ values},
            "moved": lambda counts: {"mean": counts @ (values + 1)},
        },
        np.arange(200),
        40,
        seed=0,
    )
    np.testing.assert_allclose(found["moved"]["mean"] - found["plain"]["mean"], 200)


@pytest.mark.parametrize(
    ("size", "drawn", "least", "most"),
    [(1, "rows", 0.9, 0.98), (10, "clusters", 0.9, 0.98), (10, "rows", 0, 0.7)],
)
def test_the_interval_of_a_mean_covers_it_19_times_of_20(
    size: int, drawn: str, least: float, most: float
) -> None:
    """Unless rows share what moves them and are yet drawn one by one: such intervals are too narrow."""
    random, shared = np.random.default_rng(0), np.repeat(np.arange(100), size)
    clusters = shared if drawn == "clusters" else np.arange(len(shared))
    covered = 0
    for seed in range(200):
        values = random.normal(size=100)[shared] + random.normal(size=len(shared))
        found = bootstrap(
            {"x": lambda c, v=values: {"mean": c @ v / c.sum(axis=1)}}, clusters, 200, seed
        )
        low, high = interval(found["x"]["mean"])
        covered += low <= 0 <= high
    assert least <= covered / 200 <= most


def test_rows_of_a_cluster_come_together() -> None:
    clusters = np.array([0, 1, 0, 2, 2, 1])
    counts = np.concatenate(list(resample_counts(clusters, 50, seed=0)))
    assert (counts[:, [0, 1, 3]] == counts[:, [2, 5, 4]]).all()
    assert (counts[:, [0, 1, 3]].sum(axis=1) == 3).all()


def test_an_interval_is_not_given_where_many_resamples_are_undefined() -> None:
    values = np.linspace(0, 1, 100)
    few, many = values.copy(), values.copy()
    few[:4], many[:20] = np.nan, np.nan
    assert interval(values) == pytest.approx((0.025, 0.975))
    assert None not in interval(few)
    assert interval(many) == (None, None)
