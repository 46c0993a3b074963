"""Rows that a random split would put on both sides are counted, with the column that gathers them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from seedbed.data.repeats import find_repeats


@pytest.fixture
def patients() -> pd.DataFrame:
    """569 patients; the first 100 come a second time, with another weight."""
    frame = load_breast_cancer(as_frame=True).frame
    rows = [*range(len(frame)), *range(100)]
    weight = np.random.default_rng(0).normal(size=len(rows))
    patient = pd.Series([f"p{row}" for row in rows], dtype="str")
    return frame.iloc[rows].reset_index(drop=True).assign(weight=weight, patient=patient)


def features(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame if name not in ("target", "patient")]


def test_rows_that_differ_in_one_column_are_found_with_their_group(patients: pd.DataFrame) -> None:
    found = find_repeats(patients, features(patients), patients["target"])
    assert found is not None
    assert (found.equal, found.nearly) == (0, pytest.approx(200 / 669))
    assert (found.same_target, found.group, found.gathered) == (1.0, "patient", 1.0)
    assert "29.9 % of the rows" in str(found)
    assert "patient gathers 100 % of them" in str(found)


def test_rows_that_are_equal_are_found_and_no_group_is_made_up(patients: pd.DataFrame) -> None:
    frame = patients.drop(columns=["weight", "patient"])
    found = find_repeats(frame, features(frame), frame["target"])
    assert found is not None
    assert found.equal == found.nearly == pytest.approx(200 / 669)
    assert found.group is None
    assert "no column gathers them" in str(found)


def test_other_targets_of_twins_are_counted(patients: pd.DataFrame) -> None:
    target = patients["target"].where(patients.index < 569 + 50, 1 - patients["target"])
    found = find_repeats(patients, features(patients), target)
    assert found is not None
    assert found.same_target == pytest.approx(0.5)


def test_numbers_of_twins_may_differ_a_little(patients: pd.DataFrame) -> None:
    target = patients["mean radius"] + patients["weight"] * 0.01
    names = [name for name in features(patients) if name != "mean radius"]
    found = find_repeats(patients, names, target)
    assert found is not None
    assert found.same_target == 1.0


@pytest.mark.parametrize("columns", [3, 8])
def test_repeats_by_chance_do_not_count(columns: int) -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.integers(0, 2, size=(2000, columns))).add_prefix("c")
    assert find_repeats(frame, list(frame), pd.Series(random.integers(0, 2, 2000))) is None


@pytest.mark.parametrize("rows", [0, 1, 2, 300])
def test_a_table_without_repeats_has_none(rows: int) -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(rows, 6))).add_prefix("c")
    assert find_repeats(frame, list(frame), pd.Series(np.arange(rows))) is None
    assert find_repeats(frame, [], pd.Series(np.arange(rows))) is None
