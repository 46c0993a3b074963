"""Each metric is scikit-learn's, whatever the weights, and is known by name, direction and task."""

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as reference

from seedbed.config.extensions import only_seedbed
from seedbed.config.metrics import Metric, known_metrics, metric
from seedbed.errors import CodeError, UserError
from seedbed.models.metrics import find_metric, metrics_of, refuse_other_counts
from seedbed.models.outcome import Outcome, Sample

METRICS = dict(known_metrics())
RANDOM = np.random.default_rng(0)
ROWS = 400


def binary_outcome(ties: bool = True) -> Outcome:
    truth = RANDOM.integers(0, 2, ROWS)
    scores = np.clip(0.3 * truth + RANDOM.random(ROWS) * 0.7, 0, 1)
    scores = np.round(scores, 1 if ties else 9)
    return Outcome("binary", truth, scores, (scores >= 0.4).astype(int), (False, True))


def multiclass_outcome() -> Outcome:
    truth = RANDOM.integers(0, 3, ROWS)
    scores = RANDOM.random((ROWS, 3)) + np.eye(3)[truth] * 0.4
    scores /= scores.sum(axis=1, keepdims=True)
    return Outcome("multiclass", truth, scores, scores.argmax(axis=1), ("a", "b", "c"))


def regression_outcome() -> Outcome:
    truth = RANDOM.normal(1e4, 3, ROWS)
    scores = truth + RANDOM.normal(0, 1, ROWS)
    return Outcome("regression", truth, scores, scores)


def mean_auc(truth: np.ndarray, scores: np.ndarray, sample_weight: np.ndarray) -> float:
    """scikit-learn takes no weights for the multiclass AUC, the mean of the binary ones."""
    return np.mean(
        [
            reference.roc_auc_score(truth == k, scores[:, k], sample_weight=sample_weight)
            for k in range(scores.shape[1])
        ]
    )


REFERENCE = {
    "roc_auc": (reference.roc_auc_score, "scores"),
    "average_precision": (reference.average_precision_score, "scores"),
    "log_loss": (reference.log_loss, "probabilities"),
    "brier": (reference.brier_score_loss, "scores"),
    "accuracy": (reference.accuracy_score, "prediction"),
    "balanced_accuracy": (reference.balanced_accuracy_score, "prediction"),
    "f1": (reference.f1_score, "prediction"),
    "precision": (reference.precision_score, "prediction"),
    "recall": (reference.recall_score, "prediction"),
    "f1_macro": (partial(reference.f1_score, average="macro"), "prediction"),
    "roc_auc_ovr": (mean_auc, "scores"),
    "rmse": (reference.root_mean_squared_error, "scores"),
    "mae": (reference.mean_absolute_error, "scores"),
    "r2": (reference.r2_score, "scores"),
}
OUTCOMES = {
    "binary": [binary_outcome(), binary_outcome(ties=False)],
    "multiclass": [multiclass_outcome()],
    "regression": [regression_outcome()],
}
CASES = [
    (name, outcome)
    for name, metric in METRICS.items()
    for task in metric.tasks
    for outcome in OUTCOMES[task]
]


@pytest.mark.parametrize(("name", "outcome"), CASES)
def test_a_metric_of_counted_rows_is_that_of_scikit_learn_with_weights(
    name: str, outcome: Outcome
) -> None:
    counts = RANDOM.integers(0, 4, (5, ROWS)).astype(float)
    found = METRICS[name].compute(outcome.sample(counts))
    function, judged = REFERENCE[name]
    expected = [
        function(outcome.truth, getattr(outcome, judged), sample_weight=weights)
        for weights in counts
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "task"),
    [("roc_auc", "binary"), ("average_precision", "binary"), ("roc_auc_ovr", "multiclass")],
)
def test_a_ranking_without_one_of_the_classes_is_not_defined(name: str, task: str) -> None:
    outcome = OUTCOMES[task][0]
    last = len(outcome.classes) - 1
    assert np.isnan(METRICS[name].of(outcome.take(np.flatnonzero(outcome.truth != last))))


def test_deciding_nothing_positive_has_precision_0_and_not_an_error() -> None:
    nothing = np.zeros(4, dtype=int)
    outcome = Outcome("binary", np.array([0, 1, 0, 1]), np.full(4, 0.1), nothing, (False, True))
    assert [METRICS[name].of(outcome) for name in ("precision", "recall", "f1")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("task", "names"),
    [
        (
            "binary",
            "roc_auc average_precision log_loss brier accuracy balanced_accuracy f1 precision "
            "recall",
        ),
        ("multiclass", "log_loss accuracy balanced_accuracy f1_macro roc_auc_ovr"),
        ("regression", "rmse mae r2"),
    ],
)
def test_a_task_has_its_metrics(task: str, names: str) -> None:
    assert list(metrics_of(task)) == names.split()


@pytest.mark.parametrize(
    ("name", "why"), [("auc", "not a known metric"), ("rmse", "metric of regression problems")]
)
def test_a_metric_that_does_not_fit_is_an_error_that_names_those_that_do(
    name: str, why: str
) -> None:
    with pytest.raises(
        UserError,
        match=f"problem.metric is '{name}', which .*{why}.*roc_auc, average_precision, log_loss",
    ):
        find_metric(name, "binary")


def test_a_metric_of_ones_own_is_one_function() -> None:
    with only_seedbed():  # registries are as before afterwards

        @metric("minimize", "regression")
        def median_error(sample: Sample) -> np.ndarray:
            return sample.each(
                lambda truth, scores, weights: reference.median_absolute_error(
                    truth, scores, sample_weight=weights
                )
            )

        outcome = regression_outcome()
        found = find_metric("median_error", "regression")
        expected = reference.median_absolute_error(outcome.truth, outcome.scores)
        assert found.of(outcome) == pytest.approx(expected)
        assert found.sign == -1
        assert "median_error" not in metrics_of("binary")

        def rmse(sample: Sample) -> np.ndarray:
            return sample.mean(sample.outcome.truth)

        with pytest.raises(
            UserError, match=r"there is a metric 'rmse' already, seedbed\.models\.metrics, line"
        ):
            metric("maximize", "regression")(rmse)
    assert "median_error" not in metrics_of("regression")


def once_of(odd: Any) -> Callable[..., Any]:
    """Return what gives a number, and for the third resample something else."""
    values = iter([0.0, np.nan, odd, 1.0, 1.0])
    return lambda truth, scores, weights: next(values)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda sample: 1.0, "gives a value of type float, where an array of numbers of shape (5,)"),
        (lambda sample: None, "gives a value of type NoneType, where an array"),
        (lambda sample: [1.0] * 5, "gives a value of type list, where an array"),
        (lambda sample: np.ones(1), "gives a value of type ndarray and shape (1,), where an array"),
        (lambda sample: np.ones((5, 1)), "gives a value of type ndarray and shape (5, 1), where an"),
        (lambda sample: np.array(["1"] * 5), "gives a value of type ndarray and shape (5,), where an"),
        (lambda sample: np.array([None] * 5), "gives a value of type ndarray and shape (5,), where an"),
        (
            lambda sample: sample.each(once_of(None)),
            "calls sample.each with a function that returns a value of type NoneType, where one number",
        ),
        (lambda sample: sample.each(once_of(np.ones(3))), "calls sample.each with a function that returns a value of type ndarray"),
        (lambda sample: sample.each(once_of("1.5")), "calls sample.each with a function that returns a value of type str"),
        (lambda sample: sample.each(once_of(1j)), "calls sample.each with a function that returns a value of type complex"),
    ],
)  # fmt: skip
def test_a_metric_that_gives_no_number_is_refused(
    function: Callable[[Sample], Any], words: str
) -> None:
    found = Metric("median_error", "minimize", ("regression",), function)
    sample = regression_outcome().sample(np.ones((5, ROWS)))
    with pytest.raises(CodeError, match=re.escape(f"the metric median_error {words}")) as refusal:
        found.compute(sample)
    assert str(refusal.value).startswith(f"{__name__}, line ")


@pytest.mark.parametrize(
    ("task", "function"),
    [
        ("binary", lambda sample: sample.each(lambda truth, *others: truth[:70].mean())),
        ("binary", lambda sample: np.full(len(sample.counts), len(sample.outcome) * 1.0)),
        ("binary", lambda sample: sample.each(lambda truth, scores, weights: weights.mean())),
        (
            "regression",
            lambda sample: sample.each(lambda truth, scores, _: reference.r2_score(truth, scores)),
        ),
    ],
)
def test_a_metric_that_uses_no_counts_is_refused(
    task: Any, function: Callable[[Sample], Any]
) -> None:
    found = Metric("share", "maximize", (task,), function)
    with pytest.raises(
        CodeError, match="the metric share of half of the rows is .* counted 0 times"
    ):
        refuse_other_counts(found, OUTCOMES[task][0])


@pytest.mark.parametrize(("name", "outcome"), CASES)
def test_a_metric_that_uses_counts_is_taken(name: str, outcome: Outcome) -> None:
    refuse_other_counts(METRICS[name], outcome)


def test_a_metric_cannot_change_what_the_next_one_is_measured_on() -> None:
    truth = np.array([0, 1, 0, 1])
    outcome = Outcome("binary", truth, truth * 0.5, truth, (False, True))
    for held in (outcome.truth, outcome.scores, outcome.prediction):
        with pytest.raises(ValueError, match="read-only"):
            held[:] = 1
    truth[0] = 1  # whose array it is may still


@pytest.mark.parametrize("number", [1, 1.0, np.float32(1), np.int64(1), True, np.True_])
def test_what_a_function_returns_for_a_resample_is_any_number(number: Any) -> None:
    values = regression_outcome().sample(np.ones((2, ROWS))).each(lambda *row: number)
    assert values.tolist() == [1.0, 1.0] and values.dtype == np.float64


def test_a_metric_that_is_infinite_is_not_defined() -> None:
    values = np.array([np.inf, -np.inf, np.nan, 1.0])
    found = Metric("odds", "maximize", ("regression",), lambda sample: values)
    sample = regression_outcome().sample(np.ones((4, ROWS)))
    np.testing.assert_array_equal(found.compute(sample), [np.nan, np.nan, np.nan, 1.0])
