"""Folds follow the split, a fold's model never sees the rows it is scored on, and figures are summed up fairly."""

import numpy as np
import pytest

from seedbed.errors import UserError
from seedbed.models.cross_validation import cross_validation_folds, fit_with_folds, summarize_folds
from seedbed.models.decision import Decision

FOLD = np.array([0, 0, 1, 1, 2, 2, 3])


def test_time_chains_forward() -> None:
    found = cross_validation_folds(FOLD, "time")
    assert [(fitted.tolist(), scored.tolist()) for fitted, scored in found] == [
        ([0, 1], [2, 3]),
        ([0, 1, 2, 3], [4, 5]),
        ([0, 1, 2, 3, 4, 5], [6]),
    ]


@pytest.mark.parametrize("kind", ["random", "group"])
def test_other_folds_take_turns(kind: str) -> None:
    found = cross_validation_folds(FOLD, kind)
    assert [scored.tolist() for _, scored in found] == [[0, 1], [2, 3], [4, 5], [6]]
    assert all(sorted([*fitted, *scored]) == list(range(7)) for fitted, scored in found)


def test_one_fold_is_too_few() -> None:
    with pytest.raises(UserError, match=r"split\.folds.*3 train rows"):
        cross_validation_folds(np.zeros(3, int), "random")


def test_a_fold_to_fit_on_with_one_class_is_told(flights, model_of) -> None:
    train = flights[flights["_split"] == "train"].reset_index(drop=True)
    target = train["_target"].to_numpy() & (train["_fold"] > 0).to_numpy()
    decision = Decision("binary", {"distance": "number"}, (False, True))
    with pytest.raises(UserError, match=r"split\.folds.*fold 1 fits on are of one class"):
        fit_with_folds(
            model_of("dummy"),
            train[["distance"]],
            target,
            decision,
            train["_fold"].to_numpy(),
            "time",
            0,
        )


def test_the_summary_is_mean_and_sample_deviation_of_the_folds() -> None:
    decision = Decision("regression", {"x": "number"}, baseline_scores=(0.0,))
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    said = [
        (np.array([2, 3]), np.array([0, 1]), np.array([1.0, 1.0])),
        (np.array([0, 1]), np.array([2, 3]), np.array([3.0, 1.0])),
    ]
    model, dummy = summarize_folds(decision, truth, said)
    assert model["mae"] == {
        "mean": 1.0,
        "std": pytest.approx(np.std([0.5, 1.5], ddof=1)),
        "folds": [0.5, 1.5],
    }
    assert dummy["mae"]["folds"] == [
        2.0,
        2.0,
    ]  # a fold's dummy knows the mean of the rows it was fitted on, 3.5 and 1.5


def test_a_fold_without_a_figure_is_null_and_not_counted() -> None:
    decision = Decision("binary", {}, (False, True), 0.5, (0.5, 0.5))
    truth = np.array([0, 1, 1, 1])
    said = [
        (np.array([2, 3]), np.array([0, 1]), np.array([0.1, 0.9])),
        (np.array([0, 1]), np.array([2, 3]), np.array([0.2, 0.9])),
    ]
    model, _ = summarize_folds(decision, truth, said)
    assert model["roc_auc"] == {"mean": 1.0, "std": None, "folds": [1.0, None]}
