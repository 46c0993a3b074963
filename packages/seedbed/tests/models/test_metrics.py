"""Each metric is scikit-learn's, whatever the weights, and is known by name, direction and task."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics as reference

from seedbed.config.extensions import only_seedbed
from seedbed.config.metrics import known_metrics, metric
from seedbed.errors import UserError
from seedbed.models.metrics import find_metric, metrics_of
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


REFERENCE = {
    "roc_auc": lambda o, w: reference.roc_auc_score(o.truth, o.scores, sample_weight=w),
    "average_precision": lambda o, w: reference.average_precision_score(
        o.truth, o.scores, sample_weight=w
    ),
    "log_loss": lambda o, w: reference.log_loss(o.truth, o.probabilities, sample_weight=w),
    "brier": lambda o, w: reference.brier_score_loss(o.truth, o.scores, sample_weight=w),
    "accuracy": lambda o, w: reference.accuracy_score(o.truth, o.prediction, sample_weight=w),
    "balanced_accuracy": lambda o, w: reference.balanced_accuracy_score(
        o.truth, o.prediction, sample_weight=w
    ),
    "f1": lambda o, w: reference.f1_score(o.truth, o.prediction, sample_weight=w),
    "precision": lambda o, w: reference.precision_score(o.truth, o.prediction, sample_weight=w),
    "recall": lambda o, w: reference.recall_score(o.truth, o.prediction, sample_weight=w),
    "f1_macro": lambda o, w: reference.f1_score(
        o.truth, o.prediction, sample_weight=w, average="macro"
    ),
    # scikit-learn takes no weights for the multiclass AUC, the mean of the binary ones.
    "roc_auc_ovr": lambda o, w: np.mean(
        [reference.roc_auc_score(o.truth == k, o.scores[:, k], sample_weight=w) for k in range(3)]
    ),
    "rmse": lambda o, w: reference.root_mean_squared_error(o.truth, o.scores, sample_weight=w),
    "mae": lambda o, w: reference.mean_absolute_error(o.truth, o.scores, sample_weight=w),
    "r2": lambda o, w: reference.r2_score(o.truth, o.scores, sample_weight=w),
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
    expected = [REFERENCE[name](outcome, weights) for weights in counts]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize(("name", "outcome"), CASES)
def test_counting_a_row_twice_is_having_it_twice(name: str, outcome: Outcome) -> None:
    rows = RANDOM.integers(0, ROWS, ROWS)
    counts = np.bincount(rows, minlength=ROWS)[None].astype(float)
    assert METRICS[name].compute(outcome.sample(counts))[0] == pytest.approx(
        METRICS[name].of(outcome.take(rows)), rel=1e-9
    )


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_ranking_of_one_class_alone_is_not_defined(name: str) -> None:
    truth = np.zeros(20, dtype=int)
    outcome = Outcome("binary", truth, RANDOM.random(20), truth, (False, True))
    assert np.isnan(METRICS[name].of(outcome))


def test_a_multiclass_auc_without_one_of_the_classes_is_not_defined() -> None:
    outcome = multiclass_outcome()
    assert np.isnan(METRICS["roc_auc_ovr"].of(outcome.take(np.flatnonzero(outcome.truth != 2))))


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
    ("name", "better"), [("roc_auc", 1), ("log_loss", -1), ("rmse", -1), ("r2", 1)]
)
def test_a_metric_knows_which_way_is_better(name: str, better: int) -> None:
    assert METRICS[name].sign == better


@pytest.mark.parametrize(
    ("name", "told"), [("auc", "not a known metric"), ("rmse", "metric of regression problems")]
)
def test_a_metric_that_does_not_fit_is_told_with_those_that_do(name: str, told: str) -> None:
    with pytest.raises(
        UserError,
        match=f"problem.metric is '{name}', which .*{told}.*roc_auc, average_precision, log_loss",
    ):
        find_metric(name, "binary")


def test_a_metric_judges_scores_or_decisions() -> None:
    """Other decisions of the same scores change exactly the metrics that use decisions."""
    outcome = binary_outcome()
    other = Outcome("binary", outcome.truth, outcome.scores, 1 - outcome.prediction, (False, True))
    for name, found in metrics_of("binary").items():
        assert (found.of(other) != found.of(outcome)) is (found.uses == "decisions"), name


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


def test_a_configuration_is_checked_without_importing_scikit_learn() -> None:
    code = (
        "import sys; from seedbed.config.metrics import why_not; "
        "assert why_not('roc_auc', 'binary') is None and 'rmse' in why_not('x', 'regression'); "
        "print('sklearn' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
