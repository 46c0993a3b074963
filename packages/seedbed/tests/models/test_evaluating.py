"""Training never looks at test rows, evaluation at nothing else; figures and predictions agree."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.config.modelling import Gate
from seedbed.errors import UserError
from seedbed.files import write_json
from seedbed.models.evaluating import Evaluated, evaluate_model
from seedbed.models.gate import judge
from seedbed.models.intervals import as_text
from seedbed.models.training import Trained, train_model

TASKS = ["binary", "multiclass", "regression"]


@pytest.fixture(scope="module")
def train(tables, model_of, problem_of, split_of, evaluation) -> Callable[..., Trained]:
    def run(task: str, rows: pd.DataFrame | None = None) -> Trained:
        table = tables[task] if rows is None else rows
        kind = "time" if task == "binary" else "random"
        return train_model(
            table, problem_of(task), split_of(kind), model_of("logistic_regression"), evaluation, 0
        )

    return run


@pytest.fixture(scope="module")
def trained(train) -> dict[str, Trained]:
    return {task: train(task) for task in TASKS}


@pytest.fixture(scope="module")
def evaluate(trained, tables, problem_of, evaluation) -> Callable[..., Evaluated]:
    def run(task: str, rows: pd.DataFrame | None = None, **changes: object) -> Evaluated:
        table = tables[task] if rows is None else rows
        fitted = trained[task]
        return evaluate_model(
            fitted.pipeline, fitted.decision, table, problem_of(task, **changes), evaluation, 0
        )

    return run


@pytest.fixture(scope="module")
def evaluated(evaluate) -> dict[str, Evaluated]:
    return {task: evaluate(task) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_training_is_the_same_whatever_the_test_rows_hold(
    task: str, train, trained, tables
) -> None:
    rows = tables[task]
    without = rows[rows["_split"] != "test"].reset_index(drop=True)
    assert train(task, without).details == trained[task].details


def without_validation(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows["_split"] != "validation"]


def of_one_class(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(_target=True)


def with_a_class_that_was_not_in_training(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(_target=rows["_target"].mask(rows["_split"] == "validation", "9"))


@pytest.mark.parametrize(
    ("task", "change", "message"),
    [
        ("binary", without_validation, r"none of the \d+ rows is a validation row"),
        ("binary", of_one_class, r"columns\.target: all \d+ train rows are of one class, True"),
        (
            "multiclass", with_a_class_that_was_not_in_training,
            "rows are of class 9, of which there is no train row",
        ),
    ],
)  # fmt: skip
def test_rows_that_do_not_fit_the_problem_are_an_error(
    task: str, change: Callable, message: str, train, tables
) -> None:
    with pytest.raises(UserError, match=message):
        train(task, change(tables[task]))


@pytest.mark.parametrize("task", TASKS)
def test_evaluation_is_the_same_whatever_the_other_rows_hold(
    task: str, evaluate, evaluated, tables
) -> None:
    rows = tables[task]
    alone = rows[rows["_split"] == "test"]
    assert evaluate(task, alone).details == evaluated[task].details
    with pytest.raises(UserError, match="is a test row"):
        evaluate(task, rows[rows["_split"] != "test"])


@pytest.mark.parametrize("task", TASKS)
def test_the_headline_is_numbers_and_few_and_printed_on_one_line(
    task: str, trained, evaluated, problem_of
) -> None:
    name = problem_of(task).metric
    shown = {**trained[task].headline, **evaluated[task].headline}
    assert [list(part) for part in shown.values()] == [[name, "std"], [name], [name, "low", "high"]]
    folds = trained[task].details["cross_validation"][name]["folds"]
    assert shown["cv"] == {name: np.mean(folds), "std": np.std(folds, ddof=1)}
    assert shown["validation"][name] == trained[task].details["validation"][name]["value"]
    assert shown["test"]["low"] < shown["test"][name] < shown["test"]["high"]
    for found, part in ((trained[task], "cv"), (evaluated[task], "test")):
        assert str(found).startswith(f"{name}: {as_text(shown[part][name])} ")
        assert "\n" not in str(found)


@pytest.mark.parametrize(("metric", "passed"), [("accuracy", False), ("roc_auc", True)])
def test_a_threshold_for_f1_makes_a_model_that_always_no_beats_in_accuracy(
    metric: str, passed: bool, evaluate, problem_of
) -> None:
    problem = problem_of("binary", metric=metric)
    details = evaluate("binary", metric=metric).details
    assert judge(details, Gate(), problem).passed is passed
    always_no = details["baseline"]["accuracy"]["value"]
    assert details["test"]["accuracy"]["value"] < always_no
    assert always_no > 0.7, "the share of flights that are not late"


@pytest.mark.parametrize("task", TASKS)
def test_predictions_and_figures_agree(task: str, evaluated, tables, problem_of) -> None:
    rows, found = tables[task], evaluated[task]
    table, test = found.predictions, rows[rows["_split"] == "test"]
    for name in ("_row", "_target", "_cluster", *rows.filter(regex="^_(time|slice_)")):
        assert table[name].tolist() == test[name].tolist()
    figures, right = found.details["test"], table["_prediction"] == table["_target"]
    if task == "regression":
        error = table["_prediction"] - table["_target"]
        assert np.sqrt((error**2).mean()) == pytest.approx(figures["rmse"]["value"])
        assert table["_baseline"].nunique() == 1
    else:
        assert right.mean() == pytest.approx(figures["accuracy"]["value"])
    if task == "multiclass":
        scores = table[["_score_0", "_score_1", "_score_2"]].to_numpy()
        assert scores.argmax(axis=1).astype(str).tolist() == table["_prediction"].tolist()
    if task == "binary":
        assert ((table["_score"] >= found.details["threshold"]) == table["_prediction"]).all()


@pytest.mark.parametrize("task", TASKS)
def test_details_are_plain_json(task: str, trained, evaluated, tmp_path: Path) -> None:
    for number, details in enumerate((trained[task].details, evaluated[task].details)):
        write_json(tmp_path / f"{number}.json", details)


@pytest.mark.parametrize("task", TASKS)
def test_the_most_important_feature_comes_first(task: str, evaluated, trained) -> None:
    importance = evaluated[task].details["importance"]
    assert set(importance) == set(trained[task].decision.features)
    means = [entry["mean"] for entry in importance.values()]
    assert means == sorted(means, reverse=True)
    assert means[0] > 0
