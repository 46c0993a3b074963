"""Folds follow the split, and no model sees the rows it is scored on."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.preparation import Features, Split
from seedbed.config.schema import Column
from seedbed.data.featurizing import build_training_table
from seedbed.errors import UserError
from seedbed.models.cross_validation import (
    cross_validation_folds,
    fit_with_folds,
    repeated_folds,
    summarize_folds,
)
from seedbed.models.decision import Decision
from seedbed.models.training import train_model

FOLD = np.array([0, 0, 1, 1, 2, 2, 3])


ALL = set(range(7))


@pytest.mark.parametrize(
    ("kind", "scored", "fitted"),
    [
        ("time", [[2, 3], [4, 5], [6]], [{0, 1}, {0, 1, 2, 3}, {0, 1, 2, 3, 4, 5}]),
        *(
            (kind, [[0, 1], [2, 3], [4, 5], [6]], [ALL - {0, 1}, ALL - {2, 3}, ALL - {4, 5}, ALL - {6}])
            for kind in ("random", "group")
        ),
    ],
)  # fmt: skip
def test_time_chains_forward_and_other_folds_take_turns(
    kind: str, scored: list[list[int]], fitted: list[set[int]]
) -> None:
    found = cross_validation_folds(FOLD, kind)
    assert [rows.tolist() for _, rows in found] == scored
    assert [set(rows) for rows, _ in found] == fitted


def test_one_fold_is_too_few() -> None:
    with pytest.raises(UserError, match=r"split\.folds.*3 train rows"):
        cross_validation_folds(np.zeros(3, int), "random")


def test_repeated_folds_are_others_and_keep_clusters_together() -> None:
    split = Split(kind="group", validation=0.2, test=0.2, folds=4, repeats=3)
    clusters = np.repeat(np.arange(100, dtype="uint64"), 3)
    first, second = repeated_folds(clusters, split, clusters)
    assert (first != second).any()
    for found in (first, second):
        assert set(found) == {0, 1, 2, 3}
        assert (pd.Series(found).groupby(clusters).nunique() == 1).all()
    assert repeated_folds(clusters, split.model_copy(update={"repeats": 1}), clusters) == []


def test_each_repetition_scores_every_train_row_once_more(flights, model_of) -> None:
    train = flights[flights["_split"] == "train"].reset_index(drop=True)
    fold = np.arange(len(train)) % 2
    _, scored = fit_with_folds(
        model_of("dummy"),
        train[["distance"]],
        train["_target"].to_numpy(),
        Decision("binary", {"distance": "number"}, (False, True)),
        fold,
        "random",
        0,
        repeated=[1 - fold, np.arange(len(train)) % 3],
    )
    counts = np.bincount(np.concatenate([rows for _, rows, _ in scored]))
    assert len(scored) == 7
    assert (counts == 3).all()


def test_repeats_are_no_choice_by_time() -> None:
    with pytest.raises(ValueError, match="repeats 2 and kind time exclude each other"):
        Split(kind="time", validation=0.2, test=0.2, folds=4, repeats=2)


def test_a_fold_to_fit_on_with_one_class_is_an_error(flights, model_of) -> None:
    train = flights[flights["_split"] == "train"].reset_index(drop=True)
    fold = train["_fold"].to_numpy()
    target = train["_target"].to_numpy() & (fold > 0)
    decision = Decision("binary", {"distance": "number"}, (False, True))
    with pytest.raises(UserError, match=r"split\.folds.*fold 1 fits on are of one class"):
        fit_with_folds(model_of("dummy"), train[["distance"]], target, decision, fold, "time", 0)


def test_the_summary_is_mean_and_sample_deviation_of_the_folds() -> None:
    decision = Decision("regression", {"x": "number"}, baseline_scores=(0.0,))
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    scored = [
        (np.array([2, 3]), np.array([0, 1]), np.array([1.0, 1.0])),
        (np.array([0, 1]), np.array([2, 3]), np.array([3.0, 1.0])),
    ]
    model, baseline = summarize_folds(decision, truth, scored)
    assert model["mae"] == {
        "mean": 1.0,
        "std": pytest.approx(np.std([0.5, 1.5], ddof=1)),
        "folds": [0.5, 1.5],
    }
    # A fold's baseline knows the mean of the rows it was fitted on, 3.5 and 1.5.
    assert baseline["mae"]["folds"] == [2.0, 2.0]


def test_a_fold_without_a_figure_is_null_and_not_counted() -> None:
    decision = Decision("binary", {}, (False, True), 0.5, (0.5, 0.5))
    truth = np.array([0, 1, 1, 1])
    scored = [
        (np.array([2, 3]), np.array([0, 1]), np.array([0.1, 0.9])),
        (np.array([0, 1]), np.array([2, 3]), np.array([0.2, 0.9])),
    ]
    model, _ = summarize_folds(decision, truth, scored)
    assert model["roc_auc"] == {"mean": 1.0, "std": None, "folds": [1.0, None]}


@pytest.mark.parametrize(("kind", "least", "most"), [("random", 0.6, 1.0), ("group", -5.0, 0.1)])
def test_a_model_that_only_remembers_groups_is_found_out_by_a_split_by_groups(
    kind: str, least: float, most: float, model_of, problem_of, evaluation
) -> None:
    random = np.random.default_rng(0)
    person = np.repeat(np.arange(60), 10)  # the target is the person's own
    rows = pd.DataFrame(
        {
            "who": pd.Series([f"p{number}" for number in person], dtype="str"),
            "height": random.normal(size=60)[person],
            "noise": random.normal(size=600),
            "t": random.normal(size=60)[person],
        }
    )
    columns = {
        "who": Column(role="group", type="category"),
        "height": Column(role="feature"),
        "noise": Column(role="feature"),
        "t": Column(role="target"),
    }
    split = Split(kind=kind, validation=0.2, test=0.2, folds=3, repeats=2)  # type: ignore[arg-type]
    problem = problem_of("regression", metric="r2")
    table = build_training_table(rows, columns, problem, Features(), split)
    model = model_of("hist_gradient_boosting", arguments={"min_samples_leaf": 2})
    details = train_model(table, problem, split, model, evaluation, 0).details
    assert len(details["cross_validation"]["r2"]["folds"]) == 6
    assert least < details["validation"]["r2"]["value"] < most
    assert least < details["cross_validation"]["r2"]["mean"] < most
