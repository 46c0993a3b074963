"""Training never looks at test rows, evaluation at nothing else; figures and predictions say the same."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.schema import Gate
from seedbed.errors import UserError
from seedbed.files import write_json
from seedbed.models.evaluating import Evaluated, evaluate_model
from seedbed.models.gate import judge
from seedbed.models.images import draw_evaluation, draw_training
from seedbed.models.plots import write_evaluation_plots, write_training_plots
from seedbed.models.training import Trained, train_model

TASKS = ["binary", "multiclass", "regression"]
CURVES = {"roc.csv", "precision_recall.csv", "calibration.csv", "confusion.csv", "scores.csv"}
PICTURES = {
    "binary": {"roc.png", "precision_recall.png", "confusion.png", "scores.png", "calibration.png"},
    "multiclass": {
        "roc.png",
        "precision_recall.png",
        "confusion.png",
        "scores.png",
        "calibration.png",
    },
    "regression": {"predicted_actual.png", "residuals.png", "calibration.png"},
}


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
def test_the_figures_are_told_in_a_line(task: str, trained, evaluated) -> None:
    name = trained[task].details["metric"]
    for found, value in (
        (trained[task], trained[task].headline["cv"][name]),
        (evaluated[task], evaluated[task].headline["test"][name]),
    ):
        assert found.in_words().startswith(f"{name}: {value:.4g} ")
        assert "\n" not in found.in_words()


@pytest.mark.parametrize("task", TASKS)
def test_training_is_the_same_whatever_the_test_rows_hold(
    task: str, train, trained, tables
) -> None:
    rows = tables[task]
    without = rows[rows["_split"] != "test"].reset_index(drop=True)
    assert train(task, without).details == trained[task].details


def test_training_says_where_rows_are_missing(train, tables) -> None:
    rows = tables["binary"]
    with pytest.raises(UserError, match=r"none of the \d+ rows is a validation row"):
        train("binary", rows[rows["_split"] != "validation"])


def test_a_target_of_one_class_is_told(train, tables) -> None:
    with pytest.raises(
        UserError, match=r"columns\.target: all \d+ train rows are of one class, True"
    ):
        train("binary", tables["binary"].assign(_target=True))


def test_a_class_without_train_rows_is_told(train, tables) -> None:
    rows = tables["multiclass"].copy()
    rows.loc[rows.index[rows["_split"] == "validation"][0], "_target"] = "9"
    with pytest.raises(UserError, match="1 rows are of class 9, of which there is no train row"):
        train("multiclass", rows)


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
def test_the_headline_is_what_the_details_hold(task: str, trained, evaluated, problem_of) -> None:
    name = problem_of(task).metric
    details = trained[task].details
    assert trained[task].headline == {
        "cv": {
            name: details["cross_validation"][name]["mean"],
            "std": details["cross_validation"][name]["std"],
        },
        "validation": {name: details["validation"][name]["value"]},
    }
    figure = evaluated[task].details["test"][name]
    assert evaluated[task].headline == {
        "test": {name: figure["value"], "low": figure["low"], "high": figure["high"]}
    }


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
    assert table["_row"].tolist() == test["_row"].tolist()
    assert table["_target"].tolist() == test["_target"].tolist()
    assert [name for name in table if name in ("_time", "_slice_origin", "_slice_sex")] == [
        name for name in rows if name in ("_time", "_slice_origin", "_slice_sex")
    ]
    figures = found.details["test"]
    if task == "regression":
        error = table["_prediction"] - table["_target"]
        assert np.sqrt((error**2).mean()) == pytest.approx(figures["rmse"]["value"])
        assert table["_baseline"].nunique() == 1
    else:
        assert (table["_prediction"] == table["_target"]).mean() == pytest.approx(
            figures["accuracy"]["value"]
        )
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


@pytest.mark.parametrize("task", TASKS)
def test_plots_and_pictures_are_written_the_same_twice(
    task: str, trained, evaluated, tmp_path: Path
) -> None:
    fitted, tested = trained[task], evaluated[task]
    for folder in (tmp_path / "a", tmp_path / "b"):
        for name in ("train", "evaluate"):
            (folder / name).mkdir(parents=True)
        write_training_plots(folder / "train", fitted.outcome, fitted.details)
        write_evaluation_plots(folder / "evaluate", tested.outcome, tested.details)
        draw_training(folder / "train", fitted.outcome, fitted.baseline, fitted.details, "a model")
        draw_evaluation(
            folder / "evaluate", tested.outcome, tested.baseline, tested.details, "a model"
        )
    contents = [
        {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.*"))}
        for folder in (tmp_path / "a", tmp_path / "b")
    ]
    assert contents[0] == contents[1]
    slices = {f"slices_{name}.png" for name in tested.details["slices"]}
    assert set(contents[0]) == {
        *(f"train/{name}" for name in CURVES | PICTURES[task] | {"folds.csv", "folds.png"}),
        *(
            f"evaluate/{name}"
            for name in CURVES
            | PICTURES[task]
            | slices
            | {"importance.csv", "importance.png", "slices.csv"}
        ),
    }


def test_a_slice_has_a_picture_whatever_its_column_is_called(evaluated, tmp_path: Path) -> None:
    tested = evaluated["binary"]
    (group,) = tested.details["slices"].values()
    names = ["od280/od315_of_wines", "od280%2Fod315_of_wines", "Größe: m²"]
    details = {**tested.details, "slices": dict.fromkeys(names, group)}
    draw_evaluation(tmp_path, tested.outcome, tested.baseline, details, "a model")
    assert {file.name for file in tmp_path.glob("slices_*.png")} == {
        "slices_od280%2Fod315_of_wines.png",
        "slices_od280%252Fod315_of_wines.png",
        "slices_Größe%3A m².png",
    }


def test_the_tables_of_folds_slices_and_importances_hold_the_details(
    trained, evaluated, tmp_path: Path
) -> None:
    fitted, tested = trained["binary"], evaluated["binary"]
    write_training_plots(tmp_path, fitted.outcome, fitted.details)
    write_evaluation_plots(tmp_path, tested.outcome, tested.details)
    folds = pd.read_csv(tmp_path / "folds.csv")
    assert folds["fold"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(
        folds["value"], fitted.details["cross_validation"]["roc_auc"]["folds"], rtol=1e-5
    )
    slices = pd.read_csv(tmp_path / "slices.csv").set_index("slice")["value"]
    assert slices["origin JFK"] == pytest.approx(
        tested.details["slices"]["origin"]["JFK"]["roc_auc"]["value"], rel=1e-5
    )
    importance = pd.read_csv(tmp_path / "importance.csv")
    assert importance["feature"].tolist() == list(tested.details["importance"])
    small = copy.deepcopy(tested.details)
    small["slices"]["origin"]["JFK"]["roc_auc"] |= {"low": None, "high": None}
    write_evaluation_plots(tmp_path, tested.outcome, small)
    assert set(slices.index) - set(pd.read_csv(tmp_path / "slices.csv")["slice"]) == {
        "origin JFK"
    }, "too few rows"


def test_a_figure_that_is_not_defined_is_left_out_of_a_picture(
    evaluated, trained, tmp_path: Path
) -> None:
    def emptied(details: dict[str, Any], *keys: str) -> dict[str, Any]:
        nothing = {"value": None, "low": None, "high": None}
        metrics = {"roc_auc": nothing, "average_precision": nothing}
        return {**details, **{key: {**details[key], **metrics} for key in keys}}

    tested, fitted = evaluated["binary"], trained["binary"]
    (tmp_path / "t").mkdir()
    (tmp_path / "e").mkdir()
    draw_training(
        tmp_path / "t",
        fitted.outcome,
        fitted.baseline,
        emptied(fitted.details, "validation"),
        "a model",
    )
    details = emptied(tested.details, "baseline")
    details["slices"] = dict.fromkeys(("origin", "od280/od315"), tested.details["slices"]["origin"])
    draw_evaluation(tmp_path / "e", tested.outcome, tested.baseline, details, "a model")
    assert (tmp_path / "t/roc.png").exists()
    assert (tmp_path / "e/slices_origin.png").exists()
    assert (tmp_path / "e/slices_od280%2Fod315.png").exists(), "a name is no path"
