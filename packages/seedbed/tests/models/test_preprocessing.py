"""Outliers are cut off where train rows say, surplus columns go, and a log target comes back."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from seedbed.models.preprocessing import ColumnSelector, LogTarget, QuantileClipper


@pytest.mark.parametrize(
    ("column", "sent", "expected"),
    [
        ([0.0, 1.0, 2.0, 3.0, 100.0], [-5.0, 1.5, 1e9], [0.5, 1.5, 3.0]),
        ([0.0, 0.0, 0.0, 0.0, 9.0], [9.0, -9.0, np.nan], [9.0, -9.0, np.nan]),
        ([np.nan] * 5, [1.0, np.nan, -1.0], [1.0, np.nan, -1.0]),
        ([0.0, 1.0, np.nan, 3.0, 4.0], [np.nan, 9.0, 2.0], [np.nan, 3.25, 2.0]),
    ],
)
def test_clipping_keeps_what_is_missing_and_what_is_rare(
    column: list[float], sent: list[float], expected: list[float]
) -> None:
    clipper = QuantileClipper(0.125, 0.75).fit(pd.DataFrame({"x": column}))
    np.testing.assert_allclose(clipper.transform(pd.DataFrame({"x": sent})).ravel(), expected)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize(
    ("by", "expected"),
    [("k_best", [0, 2, 4]), ("importance", [0, 2, 4]), ("variance", [0, 2, 3, 4])],
)
def test_selection_keeps_what_tells_most_and_the_first_columns_asked_for(
    by: str, expected: list[int], task: str
) -> None:
    random = np.random.default_rng(0)
    target = random.integers(0, 3 if task == "multiclass" else 2, 300)
    rows = random.normal(size=(300, 5))  # the first is kept, the fourth is noise
    rows[:, 2] += 2 * target
    rows[:, 4] -= 2 * target
    rows[:, 1] = 7.0  # tells nothing
    rows[::7, 2:] = np.nan
    selector = ColumnSelector(by, 2, task, always=1).fit(rows, target)
    assert selector.kept_.tolist() == expected
    np.testing.assert_array_equal(selector.transform(rows), rows[:, expected])
    filled = sparse.csr_matrix(np.nan_to_num(rows))
    assert ColumnSelector(by, 2, task, always=1).fit(filled, target).kept_.tolist() == expected


def test_the_logarithm_is_for_targets_that_are_not_negative() -> None:
    target = np.array([[0.0], [3.0], [1e6]])
    np.testing.assert_allclose(
        LogTarget().fit(target).inverse_transform(LogTarget().transform(target)), target
    )
    with pytest.raises(ValueError, match="goes down to -2, and log is for targets of 0 or more"):
        LogTarget().fit(np.array([[-2.0], [1.0]]))
