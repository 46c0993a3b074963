"""Drift of single columns: figures against SciPy's, no alarm by chance, each kind of change named."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from seedbed.config.monitor import Monitor
from seedbed.data.profiles import Profile
from seedbed.serving.drift import ColumnDrift, compare_profiles
from seedbed.serving.drift_statistics import (
    adjust,
    homogeneity_p,
    pool_rare,
    population_stability,
)

LIMITS = Monitor()


def sample(size: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=size)
    return pd.DataFrame(
        {
            "number": x,
            "sparse": np.where(random.random(size) < 0.9, 0.0, random.exponential(size=size)),
            "gaps": np.where(random.random(size) < 0.2, np.nan, x),
            "few": random.choice(["a", "b", "c"], size=size, p=[0.6, 0.3, 0.1]),
            "many": np.char.add("v", random.zipf(1.5, size=size).clip(max=400).astype(str)),
        }
    )


def drift_of(reference: pd.DataFrame, current: pd.DataFrame) -> dict[str, ColumnDrift]:
    profile = Profile.of(reference)
    found = compare_profiles(profile, Profile.of(current, bins=profile.bins), LIMITS)
    return {drift.column: drift for drift in found}


@pytest.mark.parametrize("size", [100, 1_000, 4_000])
def test_two_samples_of_one_distribution_seldom_raise_an_alarm(size: int) -> None:
    alarms = [
        drift.column
        for seed in range(100)
        for drift in drift_of(sample(size, seed), sample(size, seed + 1_000)).values()
        if drift.reasons
    ]
    assert len(alarms) <= 5, alarms


def test_months_of_the_reference_count_as_they_do_in_the_current_rows() -> None:
    random = np.random.default_rng(0)
    months = np.repeat(["2026-05-01", "2026-06-01"], 4_000)
    warmer = 2.0 * (months == "2026-06-01")
    rows = pd.DataFrame({"temp": random.normal(size=8_000) + warmer})
    reference = Profile.of(rows, pd.Series(pd.to_datetime(months)))
    now = pd.DataFrame({"temp": random.normal(size=4_000) + 2.0 * (np.arange(4_000) < 200)})
    current = Profile.of(now, bins=reference.bins)
    [pooled] = compare_profiles(reference, current, LIMITS, {"05": 4_000, "06": 4_000})
    [shared] = compare_profiles(reference, current, LIMITS, {"05": 3_800, "06": 200})
    assert pooled.reasons
    assert not shared.reasons
    assert shared.psi == pytest.approx(0, abs=0.01)


CHANGES = {
    "shifted": ("number", lambda rows: rows["number"] + 0.5, "PSI"),
    "another unit": ("number", lambda rows: rows["number"] * 1.609, "PSI"),
    "beyond the range": ("number", lambda rows: rows["number"].where(rows.index % 20 > 0, 9.0), "never seen"),
    "frozen": ("number", lambda rows: rows["number"] * 0 + 0.3, "PSI"),
    "missing": ("number", lambda rows: rows["number"].mask(rows.index % 10 == 0), "missing in 10.0%"),
    "no longer missing": ("gaps", lambda rows: rows["gaps"].fillna(0.0), "missing in 0.0%"),
    "renamed": ("few", lambda rows: rows["few"].replace("b", "B"), "never seen"),
    "other shares": ("few", lambda rows: rows["few"].mask(rows.index % 4 == 0, "c"), "PSI"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found_in_its_column_and_no_other(change: str) -> None:
    column, edit, reason = CHANGES[change]
    current = sample(5_000, 2)
    found = drift_of(sample(5_000, 1), current.assign(**{column: edit(current)}))
    assert [name for name, drift in found.items() if drift.reasons] == [column]
    assert next(iter(found)) == column, "the worst first"
    assert any(text.startswith(reason) for text in found[column].reasons), found[column].reasons


def test_the_figures_are_near_those_of_the_rows_themselves() -> None:
    before, now = sample(20_000, 1)["number"], sample(20_000, 2)["number"] * 1.2 + 0.3
    drift = drift_of(before.to_frame(), now.to_frame())["number"]
    assert drift.kolmogorov_smirnov == pytest.approx(
        stats.ks_2samp(before, now).statistic, abs=0.02
    )
    inside = now.clip(before.min(), before.max())  # what lies beyond is in one bin
    spread = before.quantile(0.75) - before.quantile(0.25)
    expected = stats.wasserstein_distance(before, inside) / spread
    assert drift.wasserstein == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("rows", [150, 300, 3_000])
@pytest.mark.parametrize("categories", [20, 200])
def test_psi_is_without_what_chance_makes_it(categories: int, rows: int) -> None:
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, categories + 1)
    shares /= shares.sum()
    found = [
        population_stability(
            *pool_rare(random.multinomial(50_000, shares), random.multinomial(rows, shares))
        )
        for _ in range(500)
    ]
    assert np.mean(found) == pytest.approx(0, abs=0.01)


def test_a_shift_of_many_categories_is_found_in_few_rows() -> None:
    random = np.random.default_rng(0)
    shares = 1 / np.arange(1, 201)
    names = np.char.add("v", np.arange(200).astype(str))
    before = random.choice(names, size=50_000, p=shares / shares.sum())
    now = random.choice(names, size=150, p=shares / shares.sum())
    now = np.where((now == "v0") | (now == "v1"), "v2", now)
    found = drift_of(pd.DataFrame({"place": before}), pd.DataFrame({"place": now}))["place"]
    assert found.reasons[0].startswith("PSI"), found


def test_the_test_of_homogeneity_is_that_of_scipy() -> None:
    before, now = np.array([50, 30, 20, 0]), np.array([30, 40, 30, 0])
    expected = stats.chi2_contingency(np.array([before, now])[:, :3], correction=False).pvalue
    assert homogeneity_p(before, now) == pytest.approx(expected)
    assert homogeneity_p(np.array([10, 0]), np.array([7, 0])) == 1.0


def test_p_values_are_corrected_for_their_number() -> None:
    assert adjust(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])
    assert adjust(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_cells_of_a_picture_hold_all_rows() -> None:
    for drift in drift_of(sample(1_000, 1), sample(1_000, 2)).values():
        assert sum(before for _, before, _ in drift.cells) == pytest.approx(1)
        assert sum(now for _, _, now in drift.cells) == pytest.approx(1)
        assert len(drift.cells) <= 12
