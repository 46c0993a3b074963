"""Profiles: counts of values in bins, and nothing by which a row could be known."""

import json

import numpy as np
import pandas as pd
import pytest

from seedbed.data.profiles import ALL_YEAR, MOST_CUTS, MOST_VALUES, Bins, Profile

NUMBERS = pd.Series([1.0, 2.0, 2.0, 5.0, np.nan])
TEXTS = pd.Series(["a", "b", "a", None], dtype="str")
FLAGS = pd.Series([True, False, True, None], dtype="boolean")


@pytest.mark.parametrize(
    ("reference", "values", "expected"),
    [
        pytest.param(NUMBERS, NUMBERS, [0, 1, 2, 1, 0, 1], id="a number's own rows"),
        pytest.param(NUMBERS, [0.5, 1.5, 6.0, np.nan], [1, 0, 1, 0, 1, 1], id="beyond the range"),
        pytest.param(NUMBERS, [], [0, 0, 0, 0, 0, 0], id="no rows"),
        pytest.param(TEXTS, TEXTS, [2, 1, 0, 1], id="a category's own rows"),
        pytest.param(TEXTS, pd.Series(["c", "a"], dtype="str"), [1, 0, 1, 0], id="an unseen category"),
        pytest.param(FLAGS, FLAGS, [1, 2, 0, 1], id="booleans"),
        pytest.param(pd.Series([np.nan, np.nan]), [1.0, np.nan], [1, 1], id="nothing but missing"),
        pytest.param(pd.Series([7.0, 7.0]), [7.0, 8.0, 6.0], [1, 1, 1, 0], id="a constant"),
    ],
)  # fmt: skip
def test_values_are_counted_in_the_bins_of_the_reference(
    reference: pd.Series, values: object, expected: list[int]
) -> None:
    sample = values if isinstance(values, pd.Series) else pd.Series(values, dtype="float64")
    assert Bins.of(reference).count(sample).tolist() == expected


def test_there_are_limits_on_bins_and_values() -> None:
    many = Bins.of(pd.Series(np.arange(10_000.0)))
    assert len(many.cuts) <= MOST_CUTS + 1
    names = pd.Series([f"value {n}" for n in range(MOST_VALUES + 5)])
    frequent = Bins.of(pd.concat([names, names.iloc[-3:]], ignore_index=True))
    assert len(frequent.values) == MOST_VALUES
    assert not frequent.complete
    assert set(names.iloc[-3:]) <= set(frequent.values)


def test_bins_hold_about_equally_many_rows() -> None:
    values = pd.Series(np.random.default_rng(0).exponential(size=10_000))
    counts = Bins.of(values).count(values)
    assert counts[1:-2].max() <= 1.1 * 10_000 / MOST_CUTS
    assert counts.sum() == 10_000


def test_months_are_counted_apart() -> None:
    rows = pd.DataFrame({"x": [1.0, 2.0, 3.0, 3.0]})
    times = pd.Series(pd.to_datetime(["2013-01-31", "2013-02-01", "2014-01-01", None], utc=True))
    profile = Profile.of(rows, times)
    assert profile.rows == {"01": 2, "02": 1}
    assert profile.total("x").sum() == 3
    assert profile.total("x", {"01": 1}).tolist() == [0, 1, 0, 1, 0, 0]
    assert profile.total("x", {"01": 2, "02": 1}).tolist() == profile.total("x").tolist()
    assert Profile.of(rows).rows == {ALL_YEAR: 4}


def test_a_profile_is_the_same_after_a_way_through_json() -> None:
    rows = pd.DataFrame({"x": NUMBERS, "y": ["é", "b", None, "b", "b"]})
    profile = Profile.of(rows)
    again = Profile.from_dict(json.loads(json.dumps(profile.to_dict(), allow_nan=False)))
    assert again == profile
