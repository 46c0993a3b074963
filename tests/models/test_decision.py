"""The rule by which scores become decisions is the same when it is read again."""

from pathlib import Path

import numpy as np
import pytest

from seedbed.errors import UserError
from seedbed.models.decision import Decision, make_decision

BINARY = Decision("binary", {"x": "number"}, (False, True), 0.4, (0.7, 0.3), 0)
CLASSES = Decision("multiclass", {"x": "number"}, ("a", "b", "c"), None, (0.2, 0.5, 0.3), 1)
NUMBER = Decision("regression", {"x": "number", "y": "category"}, baseline_scores=(2.5,))


@pytest.mark.parametrize("decision", [BINARY, CLASSES, NUMBER], ids=lambda decision: decision.task)
def test_a_decision_is_read_as_it_was_written(decision: Decision, tmp_path: Path) -> None:
    decision.write(tmp_path / "decision.json")
    assert Decision.read(tmp_path / "decision.json") == decision


@pytest.mark.parametrize("text", [None, "", "[]", "{}", '{"classes": [], "baseline_scores": [], "colour": 1}'])
def test_what_is_no_decision_is_told(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "decision.json").write_text(text)
    with pytest.raises(UserError, match=r"decision\.json: no decision rule can be read.*dvc repro train"):
        Decision.read(tmp_path / "decision.json")


def test_scores_become_decisions_and_labels() -> None:
    assert BINARY.labels(BINARY.decide(np.array([0.39, 0.4, 0.9]))).tolist() == [False, True, True]
    assert CLASSES.labels(CLASSES.decide(np.array([[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]))).tolist() == ["c", "a"]
    np.testing.assert_array_equal(NUMBER.labels(NUMBER.decide(np.array([1.5]))), [1.5])


def test_the_dummy_says_the_same_of_every_row() -> None:
    assert BINARY.baseline(np.array([0, 1])).scores.tolist() == [0.3, 0.3]
    assert CLASSES.baseline(np.array([0, 1])).scores.tolist() == [[0.2, 0.5, 0.3]] * 2
    assert CLASSES.baseline(np.array([0, 1])).prediction.tolist() == [1, 1]
    assert NUMBER.baseline(np.array([1.0, 4.0])).prediction.tolist() == [2.5, 2.5]


@pytest.mark.parametrize(("rule", "decided"), [("half", 0), ("balanced_accuracy", 0), ("f1", 1)])
def test_the_dummy_decides_by_the_rule_of_the_model(rule: str, decided: int, problem_of) -> None:
    truth = np.array([0] * 70 + [1] * 30)
    decision = make_decision(
        problem_of("binary", threshold=rule), {"x": "number"}, (False, True), truth, truth, truth * 0.8 + 0.1
    )
    assert decision.baseline_class == decided
    assert decision.decide(np.array([0.1, 0.9])).tolist() == [0, 1]
