"""Texts and images become numbers, whatever they hold, the same alone and among others."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from seedbed.models.encoders import ImageEncoder, TextEncoder

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


IMAGES = ["00ff8000", "ff008000", None, "00fe8100", "00ff8000", ""]


@pytest.mark.parametrize(
    ("column", "width"),
    [
        pytest.param(IMAGES, 2, id="images"),
        pytest.param([None] * 6, 0, id="all missing"),
        pytest.param(["7f7f"] * 6, 2, id="one image"),
        pytest.param(["7f7f", *[None] * 5], 1, id="one row has one"),
    ],
)
def test_images_become_finite_numbers_and_a_missing_one_is_average(
    column: list, width: int
) -> None:
    encoder = ImageEncoder(components=2)
    numbers = encoder.fit_transform(texts(column, IMAGES))
    assert numbers.shape == (6, width + 2) and np.isfinite(numbers).all()
    assert numbers[2, -2:].tolist() == numbers[5, -2:].tolist() == [0.0, 0.0]
    for place in range(6):
        alone = encoder.transform(texts(column, IMAGES).iloc[[place]])
        np.testing.assert_array_equal(alone, numbers[[place]])


def test_images_that_differ_get_numbers_that_do() -> None:
    numbers = ImageEncoder(components=1).fit_transform(texts(IMAGES)).ravel()
    assert np.sign(numbers[0]) == np.sign(numbers[3]) == -np.sign(numbers[1])
    assert abs(numbers[0] - numbers[1]) > 1
