"""A row gets the same score, to the last bit, whatever rows it is asked with."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.errors import CodeError
from seedbed.models.features import feature_frame, feature_kinds
from seedbed.models.predicting import predict_scores
from seedbed.models.rowwise import score_encoded

MODELS = sorted(path.stem for path in (Path(__file__).parents[4] / "conf" / "model").glob("*.yaml"))
CASES: list[Any] = [
    *((name, task, {}) for name in MODELS for task in ("binary", "multiclass", "regression")),
    *(
        ("logistic_regression", "regression", {"target_transform": kind})
        for kind in ("log", "quantile")
    ),
    *(("stacking", "regression", {"target_transform": kind}) for kind in ("log", "quantile")),
    ("linear_svm", "multiclass", {"calibration": "isotonic"}),
    pytest.param("stacking", "binary", {"calibration": "sigmoid"}, marks=pytest.mark.slow),
    ("hist_gradient_boosting", "binary", {"calibration": "isotonic"}),
    ("mlp", "binary", {"preprocessing": {"min_frequency": 2}}),
    ("mlp", "binary", {"arguments": {"hidden_layer_sizes": [33, 17], "max_iter": 5}}),
    ("logistic_regression", "binary", {"preprocessing": {"min_frequency": 2}}),
    ("logistic_regression", "multiclass", {"preprocessing": {"min_frequency": 2}}),
]


@pytest.mark.parametrize(("name", "task", "changes"), CASES)
def test_rows_are_scored_alike_alone_in_chunks_and_together(
    name: str, task: str, changes: dict[str, Any], tables, fitted_of
) -> None:
    rows, pipeline = tables[task], fitted_of(name, task, **changes)
    features = feature_frame(rows, feature_kinds(rows))
    classes = ("0", "1", "2") if task == "multiclass" else ()

    def score(asked: pd.DataFrame) -> np.ndarray:
        return predict_scores(pipeline, asked, task, classes)

    together = score(features)
    for size, rounds in ((1, 25), (2, 12), (7, 12), (63, 4), (257, 4)):
        starts = range(0, min(len(features), size * rounds), size)
        chunks = np.concatenate([score(features.iloc[start : start + size]) for start in starts])
        assert np.array_equal(chunks, together[: len(chunks)]), f"in chunks of {size}"


def test_many_classes_are_added_up_alike_for_one_row_and_for_many(model_of, fit) -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(random.normal(size=(600, 4)), columns=list("abcd"))
    rows["_split"], rows["_target"] = "train", (random.integers(0, 11, 600) + 10).astype(str)
    model = model_of("hist_gradient_boosting", arguments={"max_iter": 5})
    pipeline = fit(rows, model, "multiclass")
    classes = tuple(str(10 + number) for number in range(11))
    features = rows[list("abcd")]
    together = predict_scores(pipeline, features, "multiclass", classes)
    for place in range(50):
        alone = predict_scores(pipeline, features.iloc[[place]], "multiclass", classes)
        assert np.array_equal(alone[0], together[place])


def test_a_forest_told_to_use_threads_adds_its_trees_up_in_order(tables, model_of, fit) -> None:
    rows = tables["binary"]
    model = model_of("random_forest", arguments={"n_estimators": 30, "n_jobs": 4})
    pipeline = fit(rows, model, "binary")
    features = feature_frame(rows, feature_kinds(rows))
    expected = sum(
        tree.predict_proba(pipeline[:-1].transform(features))[:, 1] for tree in pipeline[-1]
    )
    for _ in range(3):
        assert np.array_equal(predict_scores(pipeline, features, "binary"), expected / 30)


class Odd:
    """An estimator of a project's own, which says of rows what a test wants."""

    def __init__(self, answers: Callable[[int], Any], classes: list[Any] | None) -> None:
        self.predict = self.predict_proba = lambda rows: answers(len(rows))
        if classes is not None:
            self.classes_ = classes


HALVES = (0.5, 0.5)
TWO = [False, True]


@pytest.mark.parametrize(
    ("task", "answers", "classes", "words"),
    [
        ("binary", lambda n: np.full(n, 0.5), TWO, "predict_proba gives an array of shape (256,) for 256 rows, where (256, 2) is"),
        ("binary", lambda n: np.full((n, 1), 0.5), TWO, "gives an array of shape (256, 1) for 256 rows"),
        ("binary", lambda n: np.full((n, 3), 0.3), TWO, "gives an array of shape (256, 3) for 256 rows"),
        ("binary", lambda n: [HALVES] * (n - 1), TWO, "gives an array of shape (255, 2) for 256 rows"),
        ("binary", lambda n: [HALVES] * n, None, "Odd has no classes_ when it is fitted: let fit set them"),
        ("binary", lambda n: None, TWO, "gives an array of shape () for 256 rows"),
        ("binary", lambda n: [(6.7, -5.7)] * n, TWO, "predict_proba gives 6.7 for a row, where a probability is needed"),
        ("binary", lambda n: [(np.nan, 0.5)] * n, TWO, "gives nan for a row, where a probability"),
        ("multiclass", lambda n: [HALVES] * n, ["a", "b", "c"], "gives an array of shape (256, 2)"),
        ("regression", lambda n: np.ones((n, 2)), None, "predict gives an array of shape (256, 2) for 256 rows, where (256,) is"),
        ("regression", lambda n: np.ones(n - 1), None, "predict gives an array of shape (255,) for 256"),
        ("regression", lambda n: 1.0, None, "predict gives an array of shape () for 256 rows"),
        ("regression", lambda n: np.where(np.arange(n) == 7, np.nan, 1.0), None, "predict gives nan for a row, where a number is needed"),
    ],
)  # fmt: skip
def test_an_estimator_that_gives_no_prediction_of_each_row_is_refused(
    task: Any, answers: Callable[[int], Any], classes: list[Any] | None, words: str
) -> None:
    estimator, rows = Odd(answers, classes), np.zeros((300, 2))
    with pytest.raises(CodeError, match=re.escape(words)) as refusal:
        score_encoded(estimator, rows, task, tuple(classes or ()))
    assert str(refusal.value).startswith("Odd")


@pytest.mark.parametrize(
    ("task", "answers", "classes", "expected"),
    [
        ("binary", lambda n: [(0.25, 0.75)] * n, TWO, [0.75] * 300),
        ("binary", lambda n: [(1 + 1e-7, -1e-7)] * n, TWO, [-1e-7] * 300),
        ("regression", lambda n: np.ones((n, 1)), None, [1.0] * 300),
        ("regression", lambda n: [np.inf] * n, None, [np.inf] * 300),
    ],
)
def test_an_estimator_of_ones_own_may_answer_so(
    task: Any, answers: Callable[[int], Any], classes: list[Any] | None, expected: list[float]
) -> None:
    assert score_encoded(Odd(answers, classes), np.zeros((300, 2)), task).tolist() == expected
