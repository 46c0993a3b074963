"""A classifier of reference against current rows finds what no column shows by itself."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.monitor import Monitor
from seedbed.data.profiles import Profile
from seedbed.monitoring.domain import compare_domains
from seedbed.serving.drift import compare_profiles


def coupled(size: int, seed: int, sign: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    x = random.normal(size=size)
    y = sign * x + 0.5 * random.normal(size=size)
    return pd.DataFrame({"x": x, "y": y, "z": random.normal(size=size), "letter": "a"})


def test_columns_that_part_are_found_where_each_looks_as_before() -> None:
    before, now = coupled(2_000, 1), coupled(2_000, 2, sign=-1.0)
    profile = Profile.of(before)
    single = compare_profiles(profile, Profile.of(now, bins=profile.bins), Monitor())
    assert not any(drift.reasons for drift in single)
    found = compare_domains(before, now)
    assert found.auc > 0.8
    assert found.p < 1e-6
    assert set(list(found.importances)[:2]) == {"x", "y"}


@pytest.mark.slow
def test_rows_of_one_distribution_cannot_be_told_apart() -> None:
    found = [compare_domains(coupled(300, seed), coupled(300, seed + 50)) for seed in range(10)]
    assert sum(drift.p < 0.01 for drift in found) <= 1
    assert abs(np.mean([drift.auc for drift in found]) - 0.5) < 0.02
