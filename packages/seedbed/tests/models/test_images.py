"""Each picture has a limit on what it draws, says what it left out, and takes any name."""

import re
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from seedbed.models.evaluating import Evaluated, evaluate_model
from seedbed.models.reports import write_report
from seedbed.models.training import Trained, train_model

from support import slow_after

CLASSIFYING = {"roc", "precision_recall", "confusion", "scores", "calibration"}
REGRESSION = {"predicted_actual", "residuals", "calibration"}
ODD = ("price_$ of $x_1$", r"Größe_日本 \alpha", "a/b: <c>?", "n" * 300, "n" * 299 + "m", "#%{}")
LONG = tuple(f"class {'long ' * 40}$x_{n}$ ü" for n in range(3))
MANY = tuple(f"c{n}" for n in range(60))


@pytest.fixture(scope="module")
def run(problem_of, model_of, split_of, evaluation):
    """Train and evaluate on 500 rows with these feature names, classes and slices."""

    @lru_cache
    def run(task: str, names: tuple[str, ...], classes: tuple[str, ...], slices: int):
        random, count = np.random.default_rng(0), 500
        rows = pd.DataFrame(random.normal(size=(count, len(names))), columns=names)
        targets = {
            "regression": rows.iloc[:, 0] * 100,
            "binary": rows.iloc[:, 0] > 0.5,
            "multiclass": pd.Series(np.resize(classes or ["a"], count), dtype="str"),
        }
        place = np.arange(count) * 5 // count
        rows = rows.assign(
            _target=targets[task],
            _row=np.arange(count),
            _cluster=np.arange(count),
            _split=np.array(["train", "train", "train", "validation", "test"])[place],
            _fold=np.arange(count) % 3,
            **{f"_slice_{'Größe_$ ' * 30}": [f"{'$v_' * 60}{n % slices}" for n in range(count)]},
        )
        model, problem = model_of("logistic_regression"), problem_of(task)
        trained = train_model(rows, problem, split_of("random"), model, evaluation, 0)
        evaluated = evaluate_model(trained.pipeline, trained.decision, rows, problem, evaluation, 0)
        return trained, evaluated

    return run


def draw(folder: Path, trained: Trained, evaluated: Evaluated) -> dict[str, bytes]:
    write_report(trained, "a model", folder / "train")
    write_report(evaluated, "a model", folder / "evaluate")
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*")}


@pytest.mark.parametrize(
    ("task", "names", "classes", "slices", "expected"),
    slow_after(
        1,
        [
            ("regression", ODD, (), 40, REGRESSION),
            ("binary", ODD, (), 2, CLASSIFYING),
            ("binary", MANY, (), 90, CLASSIFYING),
            ("multiclass", ODD, LONG, 2, CLASSIFYING),
            ("multiclass", ("x",), MANY, 1, CLASSIFYING),
        ],
    ),
)
def test_any_table_is_drawn_without_a_warning(
    task: str, names: tuple[str, ...], classes: tuple[str, ...], slices: int, expected: set[str],
    run, tmp_path: Path,
) -> None:  # fmt: skip
    trained, evaluated = run(task, names, classes, slices)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = draw(tmp_path, trained, evaluated)
    pictures = {name: content for name, content in drawn.items() if name.endswith(".png")}
    slice_picture = next(name for name in pictures if "slices" in name)
    assert pictures.keys() == {
        *(f"{part}/images/{name}.png" for part in ("train", "evaluate") for name in expected),
        "train/images/folds.png",
        "evaluate/images/importance.png",
        slice_picture,
    }
    for name, content in pictures.items():
        height = int.from_bytes(content[20:24], "big")
        assert height < 1000, f"{name} is {height} pixels high"


@pytest.mark.slow
def test_what_is_drawn_is_the_same_twice(run, tmp_path: Path) -> None:
    found = run("binary", ODD, (), 2)
    assert draw(tmp_path / "a", *found) == draw(tmp_path / "b", *found)


def test_a_title_names_what_is_left_out(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    titles: list[str] = []

    def keep(figure: Figure, path: Path) -> None:
        titles.append(figure.get_suptitle())

    monkeypatch.setattr("seedbed.plotting.save_figure", keep)
    draw(tmp_path, *run("binary", MANY, (), 90))
    shown = "\n".join(titles)
    assert "20 of 60 features" in shown
    assert re.search(r"by Größe_\$.*, the 20 largest of 90", shown)


def test_undefined_figures_are_left_out(run, tmp_path: Path) -> None:
    trained, evaluated = run("binary", ("x",), (), 2)
    nothing = {"roc_auc": {"value": None, "low": None, "high": None}}
    trained.details["validation"] |= nothing
    evaluated.details["baseline"] |= nothing
    for group in evaluated.details["slices"].values():
        next(iter(group.values())).update(nothing)
    assert "evaluate/images/roc.png" in draw(tmp_path, trained, evaluated)
    slices = pd.read_csv(tmp_path / "evaluate/plots/slices.csv")
    assert len(slices) == 1, "of few rows a figure is chance"
