"""The report of a sweep has a row for each job and pictures of what can be drawn, whatever the jobs came to."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.sweeps import sweep_report
from seedbed.sweeps.records import Record
from seedbed.sweeps.sweep_report import (
    MOST_PARAMETERS,
    draw_parameters,
    importance,
    importances_by_model,
    to_table,
    varied,
    write_report,
)


def job(
    *overrides: str, values: list[float] | None = None, state: str = "done", error: str = ""
) -> Record:
    done = state == "done"
    return Record(
        list(overrides), state, 1, 0.0, 1.234, "job" if done else "", False, values or [], error
    )


def report(folder: Path, records: list[Record], objectives: tuple[str, ...] = ("cv",)) -> set[str]:
    """Write it; return the names of its files."""
    write_report(
        folder / "new/sweep", records, list(objectives), ["maximize", "minimize"][: len(objectives)]
    )  # type: ignore[list-item]
    return {file.name for file in (folder / "new/sweep").iterdir()}


def test_the_table_has_a_row_for_each_job_and_a_column_for_each_key() -> None:
    table = to_table(
        [
            job("model=mlp", "+a.b=1e-3", values=[0.5, 0.25]),
            job("model=dummy", "seed=2", "~gate.thresholds", state="failed", error="no"),
        ],
        ["cv", "validation.log_loss"],
    )
    fixed = ["experiment_name", "state", "cv", "validation.log_loss", "seconds", "error"]
    assert list(table) == [*fixed, "model", "a.b", "seed", "gate.thresholds"]
    first, second = table.to_dict("records")
    assert {key: first[key] for key in [*fixed, "a.b"]} == {
        "experiment_name": "job", "state": "done", "cv": 0.5, "validation.log_loss": 0.25, "seconds": 1.23, "error": "", "a.b": 0.001,
    }  # fmt: skip
    assert (second["state"], second["error"], second["seed"]) == ("failed", "no", 2)
    assert np.isnan(
        [second["cv"], second["validation.log_loss"], second["a.b"], first["seed"]]
    ).all()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1", -1),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("[1,2]", "[1,2]"),
        ("true", "true"),
        ("", ""),
    ],
)
def test_what_is_a_number_becomes_one(text: str, value: Any) -> None:
    found = to_table([job(f"key={text}", values=[1.0])], ["cv"])["key"].tolist()[0]
    assert found == value
    assert isinstance(found, type(value))


def test_a_value_with_an_equals_sign_stays_whole() -> None:
    assert to_table([job("key=a=b", values=[1.0])], ["cv"])["key"].tolist() == ["a=b"]


def test_only_what_differs_between_jobs_is_drawn() -> None:
    done = to_table(
        [job("model=mlp", "seed=1", values=[1.0]), job("model=mlp", "seed=2", "c=1", values=[2.0])],
        ["cv"],
    )
    assert varied(done) == ["seed", "c"], "a key that only some jobs have differs too"


def test_a_parameter_that_explains_everything_comes_first() -> None:
    random = np.random.default_rng(0)
    parameters = pd.DataFrame(
        {
            "noise": random.random(12),
            "rate": random.random(12),
            "kind": random.choice(["a", "b"], 12),
            "one": 1,
        }
    )
    found = importance(parameters, 3 * parameters["rate"], "maximize")
    assert next(iter(found)) == "rate"
    assert found["rate"] > 0.9
    assert set(found) == {"rate", "noise", "kind"}


@pytest.mark.parametrize(
    ("parameters", "values"),
    [
        ({"a": [1, 2, 3], "b": [2, 1, 3]}, [1, 2, 3]),
        ({"a": [1, 2, 3, 4], "b": [2, 1, 3, 4]}, [1, 1, 1, 1]),
        ({"a": [1, 1, 1, 1], "b": [2, 1, 3, 4]}, [1, 2, 3, 4]),
        ({"a": [1, 2, None, 4], "b": [2, 1, 3, 4]}, [1, 2, 3, 4]),
        ({"a": [1, 2, 3, 4]}, [1, 2, 3, 4]),
    ],
    ids=[
        "few jobs",
        "the same value",
        "the same parameter",
        "a parameter of some jobs",
        "one parameter",
    ],
)
def test_where_nothing_can_be_told_no_parameter_is_important(
    parameters: dict[str, Any], values: list[float]
) -> None:
    assert importance(pd.DataFrame(parameters), pd.Series(values, dtype=float), "maximize") == {}


GRID = [
    job(f"model={model}", f"seed={seed}", values=[seed + (model == "a"), 0.1 * seed])
    for model in "ab"
    for seed in (1, 2)
]


def test_a_grid_of_two_objectives_has_all_pictures(tmp_path: Path) -> None:
    names = report(
        tmp_path, [*GRID, job("model=c", state="failed", error="no")], ("cv", "validation.log_loss")
    )
    assert names == {"jobs.csv", "history.png", "parameters.png", "importances.png", "front.png"}
    assert len(pd.read_csv(tmp_path / "new/sweep/jobs.csv")) == 5


@pytest.mark.parametrize(
    "records",
    [
        [],
        [job("seed=1", values=[0.5])],
        [job("seed=1", state="failed"), job("seed=2", state="failed")],
        [job(values=[0.5]), job(values=[0.6])],
    ],
    ids=["no job", "one job", "failures alone", "the same overrides"],
)
def test_where_there_is_nothing_to_draw_there_is_a_table(
    tmp_path: Path, records: list[Record]
) -> None:
    assert report(tmp_path, records) == {"jobs.csv"}
    assert len(pd.read_csv(tmp_path / "new/sweep/jobs.csv")) == len(records)


def test_models_with_parameters_of_their_own_can_be_drawn(tmp_path: Path) -> None:
    records = [
        job("model=a", "model.C=0.001", values=[0.1]),
        job("model=a", "model.C=100", values=[0.2]),
        job("model=b", "model.size=[16]", "deep=1", values=[0.3]),
        job("model=b", "model.size=3", "deep=auto", values=[0.4]),
        job("model=b", "model.size=3", state="failed"),
    ]
    assert report(tmp_path, records) == {"jobs.csv", "history.png", "parameters.png"}, (
        "of each model there are few jobs"
    )


def test_parameters_are_important_among_the_jobs_of_their_model() -> None:
    random = np.random.default_rng(0)
    jobs = [
        job(
            f"model={model}",
            f"model.{one}={random.random()}",
            f"model.{other}={number % 3}",
            values=[random.random()],
        )
        for model, one, other in (("a", "C", "size"), ("b", "rate", "size"))
        for number in range(6)
    ]
    done = to_table([*jobs, job("model=c", values=[0.5])], ["cv"])
    found = importances_by_model(done, varied(done), "cv", "maximize")
    assert {name: sorted(group) for name, group in found.items()} == {
        "a, 6 jobs": ["model.C", "model.size"],
        "b, 6 jobs": ["model.rate", "model.size"],
    }


def test_the_front_of_three_objectives_is_drawn_as_the_table_tells_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures: dict[str, Any] = {}
    monkeypatch.setattr(
        sweep_report, "save_figure", lambda figure, path: figures.update({path.name: figure})
    )
    values = [
        [0.9, 5.0, 9.0],
        [0.8, 6.0, 1.0],
        [0.7, 7.0, 9.0],
    ]  # the second is beaten in the first two alone
    records = [job(f"seed={seed}", values=figures) for seed, figures in enumerate(values)]
    write_report(
        tmp_path / "three",
        records,
        ["cv", "prediction_time", "model_size"],
        ["maximize", "minimize", "minimize"],
    )
    assert pd.read_csv(tmp_path / "three/jobs.csv")["on_front"].tolist() == [True, True, False]
    beaten, front = figures["front.png"].axes[0].lines
    assert front.get_xydata().tolist() == [[0.8, 6.0], [0.9, 5.0]]
    assert beaten.get_xydata().tolist() == [[0.7, 7.0]]


def test_of_many_parameters_those_with_the_most_values_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(sweep_report, "save_figure", lambda figure, path: figures.append(figure))
    many = {
        f"model.arguments.a{number:02d}": [1.0, 2.0, 2.0] for number in range(MOST_PARAMETERS + 2)
    }
    parameters = pd.DataFrame({**many, "last": [1.0, 2.0, 3.0]})
    draw_parameters(Path("nowhere.png"), parameters, pd.Series([0.1, 0.2, 0.3]), "cv")
    (figure,) = figures
    shown = [panel.get_xlabel() for panel in figure.axes if panel.get_visible()]
    assert shown == ["last", *(f"a{number:02d}" for number in range(MOST_PARAMETERS - 1))]


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ([0.01, 0.1, 1.0], "log"),
        ([3e-4, 1e-3, 6e-3], "log"),
        ([1.0, 2.0, 9.0], "linear"),
        ([1, 15, 29], "linear"),
        ([0.0, 1.0, 99.0], "linear"),
    ],
)
def test_numbers_that_are_spread_over_decades_have_a_logarithmic_axis(
    monkeypatch: pytest.MonkeyPatch, values: list[float], scale: str
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(sweep_report, "save_figure", lambda figure, path: figures.append(figure))
    draw_parameters(
        Path("nowhere.png"), pd.DataFrame({"rate": values}), pd.Series([1.0, 2.0, 3.0]), "cv"
    )
    assert figures[0].axes[0].get_xscale() == scale


def test_the_report_of_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    assert "history.png" in report(tmp_path, GRID[:2], ("cv", "validation.log_loss"))
    assert report(tmp_path, GRID[:1], ("cv", "validation.log_loss")) == {"jobs.csv"}


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        report(tmp_path / name, GRID, ("cv", "validation.log_loss"))
    for file in (tmp_path / "one/new/sweep").iterdir():
        assert file.read_bytes() == (tmp_path / "two/new/sweep" / file.name).read_bytes(), file.name
