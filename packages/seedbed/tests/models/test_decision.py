"""The rule by which scores become decisions is the same when it is read again."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from seedbed.errors import UserError
from seedbed.models.decision import Decision, baseline_scores, make_decision
from seedbed.models.metrics import find_metric, metrics_of
from seedbed.models.threshold import choose_threshold

BINARY = Decision("binary", {"x": "number"}, (False, True), 0.4, (0.7, 0.3))
CLASSES = Decision("multiclass", {"x": "number"}, ("a", "b", "c"), None, (0.2, 0.5, 0.3))
NUMBER = Decision("regression", {"x": "number", "y": "category"}, baseline_scores=(2.5, 2.0))


@pytest.mark.parametrize("decision", [BINARY, CLASSES, NUMBER], ids=lambda decision: decision.task)
def test_a_decision_is_read_as_it_was_written(decision: Decision, tmp_path: Path) -> None:
    decision.write(tmp_path / "decision.json")
    assert Decision.read(tmp_path / "decision.json") == decision


@pytest.mark.parametrize(
    "text", [None, "", "[]", "{}", '{"classes": [], "baseline_scores": [], "colour": 1}']
)
def test_what_is_no_decision_is_an_error(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "decision.json").write_text(text)
    with pytest.raises(
        UserError, match=r"decision\.json: no decision rule can be read.*dvc repro train"
    ):
        Decision.read(tmp_path / "decision.json")


@pytest.mark.parametrize(
    ("decision", "scores", "answers"),
    [
        (BINARY, [0.39, 0.4], {"prediction": [False, True], "score": [0.39, 0.4]}),
        (
            CLASSES, [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]],
            {
                "prediction": ["c", "a"], "score_a": [0.1, 0.6], "score_b": [0.2, 0.3],
                "score_c": [0.7, 0.1],
            },
        ),
        (NUMBER, [1.5], {"prediction": [1.5]}),
    ],
)  # fmt: skip
def test_scores_become_answers(decision: Decision, scores: list, answers: dict) -> None:
    found = decision.answers(np.array(scores))
    assert {name: values.tolist() for name, values in found.items()} == answers


@pytest.mark.parametrize(
    ("decision", "truth", "metric", "scores"),
    [
        (BINARY, [0, 1], "brier", [0.3, 0.3]),
        (CLASSES, [0, 1], "log_loss", [[0.2, 0.5, 0.3]] * 2),
        (NUMBER, [1.0, 4.0], "rmse", [2.5, 2.5]),
    ],
)
def test_the_baseline_scores_every_row_alike(
    decision: Decision, truth: list, metric: str, scores: list
) -> None:
    baseline = decision.baseline(np.array(truth))
    assert baseline[metric].scores.tolist() == scores
    assert list(baseline) == list(metrics_of(decision.task))


@pytest.mark.parametrize(
    ("decision", "truth", "metric", "value"),
    [
        (BINARY, [0, 0, 0, 1], "accuracy", 0.75),
        (BINARY, [0, 1, 1, 1], "accuracy", 0.75),  # more positives than among the train rows
        (BINARY, [0, 0, 0, 1], "balanced_accuracy", 0.5),
        (BINARY, [0, 0, 0, 1], "f1", 0.4),
        (BINARY, [0, 0, 0, 1], "precision", 0.25),
        (BINARY, [0, 0, 0, 1], "recall", 1.0),
        (BINARY, [0, 0, 0, 1], "roc_auc", 0.5),
        (CLASSES, [0, 1, 1, 2], "accuracy", 0.5),
        (CLASSES, [0, 0, 1, 2], "accuracy", 0.5),
        (CLASSES, [0, 1, 1, 2], "f1_macro", 2 / 9),
        (NUMBER, [2.0, 2.0, 3.5], "rmse", np.sqrt(0.5)),  # the mean
        (NUMBER, [2.0, 2.0, 3.5], "mae", 0.5),  # the median
    ],
)
def test_each_metric_has_the_constant_answer_that_is_best_by_it(
    decision: Decision, truth: list, metric: str, value: float
) -> None:
    best = decision.baseline(np.array(truth))[metric]
    assert find_metric(metric, decision.task).of(best) == pytest.approx(value)


def test_a_baseline_knows_shares_or_mean_and_median() -> None:
    assert baseline_scores("binary", np.array([0, 0, 0, 1]), 2) == (0.75, 0.25)
    assert baseline_scores("regression", np.array([1.0, 2.0, 6.0]), 0) == (3.0, 2.0)


def test_the_threshold_is_chosen_on_validation_rows(problem_of) -> None:
    train, validation = np.array([0] * 70 + [1] * 30), np.array([0] * 10 + [1] * 10)
    problem = problem_of("binary", threshold="f1")
    decision = make_decision(
        problem, {"x": "number"}, (False, True), train, validation, validation * 0.8 + 0.1
    )
    assert decision.baseline_scores == (0.7, 0.3)
    assert decision.threshold == pytest.approx(0.5)
    assert decision.decide(np.array([0.1, 0.9])).tolist() == [0, 1]


SCORERS = {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score}


@pytest.mark.parametrize("rule", SCORERS)
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_does_better(rule: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.random(200) < 0.25
    scores = np.round(0.2 * truth + random.random(200) * 0.8, 2)
    chosen = SCORERS[rule](truth, scores >= choose_threshold(truth, scores, rule))
    best = max(SCORERS[rule](truth, scores >= cut) for cut in np.append(np.unique(scores), 2))
    assert chosen == pytest.approx(best)


@pytest.mark.parametrize(
    ("truth", "rule", "expected"),
    [
        ([False, False, True, True], "f1", 0.4),  # half way, so that a last bit decides nothing
        ([False, False, True, True], "half", 0.5),
        ([False] * 4, "f1", 0.5),
        ([True] * 4, "f1", 0.5),
    ],
)
def test_a_threshold_lies_between_scores(truth: list[bool], rule: str, expected: float) -> None:
    found = choose_threshold(np.array(truth), np.array([0.1, 0.2, 0.6, 0.8]), rule)
    assert found == pytest.approx(expected)
