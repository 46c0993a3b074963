"""Texts, outliers and surplus columns: what is learned of train rows, and what odd columns become."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from seedbed.models.encoders import ColumnSelector, LogTarget, QuantileClipper, TextEncoder

NOTES = ["late again", "on time", "late", None, "never late", "in time, again"]


def texts(*columns: list) -> pd.DataFrame:
    return pd.DataFrame({f"t{place}": pd.Series(c, dtype="str") for place, c in enumerate(columns)})


@pytest.mark.parametrize("weights", ["tfidf", "hashing"])
@pytest.mark.parametrize("analyzer", ["words", "characters"])
@pytest.mark.parametrize(
    ("column", "width"),
    [
        pytest.param(NOTES, 3, id="free text"),
        pytest.param(["12", "7", "1234", "99", "7", "12"], 3, id="numbers only"),
        pytest.param([None] * 6, 0, id="all missing"),
        pytest.param(["?!", " ", "...", "", None, "-"], None, id="no words"),
        pytest.param(["the same"] * 6, 3, id="one distinct value"),
        pytest.param(["a"], 1, id="one row"),
    ],
)
def test_any_text_becomes_finite_numbers_the_same_alone_and_among_others(
    column: list, width: int | None, analyzer: str, weights: str
) -> None:
    frame = texts(column, NOTES[: len(column)])
    encoder = TextEncoder(analyzer, weights, components=3)
    numbers = encoder.fit_transform(frame)
    assert len(numbers) == len(frame) and np.isfinite(numbers).all()
    np.testing.assert_array_equal(encoder.transform(frame), numbers)
    for place in range(len(frame)):
        np.testing.assert_array_equal(
            encoder.transform(frame.iloc[[place]]), numbers[[place]], err_msg=str(column[place])
        )
    if width is not None:
        alone = TextEncoder(analyzer, weights, components=3).fit_transform(texts(column))
        assert alone.shape[1] <= width
        assert (alone.shape[1] == 0) == (width == 0)


def test_without_components_the_ngrams_themselves_are_a_sparse_matrix() -> None:
    encoder = TextEncoder(components=None)
    numbers = encoder.fit_transform(texts(NOTES, [None] * 6))
    assert sparse.issparse(numbers) and numbers.shape == (6, 11)
    assert (encoder.transform(texts(NOTES, [None] * 6)) != numbers).nnz == 0


def test_like_texts_get_like_numbers_and_an_unknown_text_that_of_a_missing_one() -> None:
    encoder = TextEncoder(components=2).fit(texts(NOTES))
    late, again, other, missing = encoder.transform(texts(["late", "late again", "xyz", None]))
    assert np.linalg.norm(late - again) < np.linalg.norm(late - other)
    assert other.tolist() == missing.tolist() == [0.0, 0.0]


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
