"""Before the first job a sweep is named, counted and pinned, and what could not work is refused; at the end it is summed up."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from seedbed.sweeps import callback as module
from seedbed.sweeps.callback import SweepCallback, stop_watching, sweep_name
from seedbed.sweeps.pin import VARIABLE, Pin
from seedbed.sweeps.records import FOLDER, Record

from support import STATED_PROBLEM, Project

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""Hydra's own sweeper."""


def config(
    *task: str, name: str | None = None, objective: Any = "cv", **sweeper: Any
) -> DictConfig:
    hydra = {
        "overrides": {
            "task": [word for word in task if not word.startswith("hydra")],
            "hydra": ["hydra.mode=MULTIRUN", *(word for word in task if word.startswith("hydra"))],
        },
        "sweeper": {"_target_": GRID, **sweeper},
    }
    return OmegaConf.create(
        {"problem": STATED_PROBLEM, "sweep": {"name": name, "objective": objective}, "hydra": hydra}
    )


@pytest.fixture
def here(small: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The working directory of the command; what it leaves in the environment goes afterwards."""
    monkeypatch.chdir(small.root)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(module, "check_grid", lambda config, root: None)
    yield small


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (["model=mlp,dummy", "seed=range(3)"], "model-mlp-dummy-seed-range-3"),
        ([], "sweep"),
        (["a=ü"], "a"),
        (["../../x=1"], "x-1"),
    ],
)
def test_a_sweep_is_named_by_its_command(task: list[str], words: str) -> None:
    name = sweep_name(config(*task), "b" * 40, "t" * 40)
    assert name.rpartition("-")[0] == words
    assert len(name) <= 47
    assert "/" not in name


def test_the_same_command_at_the_same_state_is_the_same_sweep() -> None:
    name = sweep_name(config("seed=1,2"), "b" * 40, "t" * 40)
    assert name == sweep_name(config("seed=1,2"), "b" * 40, "t" * 40)
    others = [
        sweep_name(config("seed=1,3"), "b" * 40, "t" * 40),
        sweep_name(config("seed=1,2"), "c" * 40, "t" * 40),
        sweep_name(config("seed=1,2"), "b" * 40, "u" * 40),
    ]
    assert len({name, *others}) == 4


def test_a_chosen_name_is_taken() -> None:
    assert sweep_name(config("seed=1,2", name="mine"), "b" * 40, "t" * 40) == "mine"


@pytest.mark.parametrize(
    "name",
    [
        "/some/folder",
        "..",
        ".",
        "../explore",
        ".hidden",
        "a/b",
        "a\\b",
        "my sweep",
        "größe",
        "a\n",
        "x" * 101,
    ],
)
def test_a_name_that_is_none_of_a_folder_is_refused_before_anything_is_made(
    here: Project, name: str
) -> None:
    assert refused(name=name).startswith(
        f"sweep: sweep.name={name}: a sweep's name is that of a folder"
    )
    assert not (here.root / FOLDER).exists()
    assert here.git("for-each-ref", "refs/seedbed") == ""


def test_from_the_first_to_the_last_job(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    (here.root / "notes.md").write_text("edited\n")
    callback = SweepCallback()
    callback.on_multirun_start(config("seed=1,2", name="mine"))
    pin = Pin.from_environment()
    assert pin is not None, "workers find the pin in the environment"
    assert (pin.root, pin.name, pin.compared_by) == (str(here.root), "mine", "cv.roc_auc (binary)")
    assert here.git("for-each-ref", "--format=%(refname)", "refs/seedbed") == pin.ref
    folder = here.root / FOLDER / "mine"
    Record(["seed=1"], "done", 1, 1e12, 2.0, "seed1-aa", values=[0.5]).write(folder)
    Record(["seed=2"], "failed", 1, 2e12, error="no").write(folder)
    Record(["seed=9"], "running", 1, 1.0).write(folder)
    callback.on_multirun_end(config())
    told = capsys.readouterr().err
    assert "0.5  seed=1" in told
    assert "failed: seed=2: no" in told
    assert "dvc exp apply seed1-aa" in told
    assert told.endswith("report: reports/sweeps/mine\n")
    jobs = (here.root / "reports/sweeps/mine/jobs.csv").read_text().splitlines()
    assert jobs[0].startswith("experiment_name,state,cv.roc_auc,seconds")
    assert len(jobs) == 3, "what was running when an earlier run was killed is no job of the report"
    assert here.git("for-each-ref", "refs/seedbed") == ""


def test_a_single_job_is_treated_alike(here: Project, capsys: pytest.CaptureFixture[str]) -> None:
    callback = SweepCallback()
    callback.on_run_start(config(name="one"))
    Record([], "done", 1, 1e12, 2.0, "aa", values=[0.5]).write(here.root / FOLDER / "one")
    callback.on_run_end(config())
    assert "best: 0.5 by aa" in capsys.readouterr().err


def begin_and_end(*how: str, **settings: Any) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config("seed=1,2", *how, **settings))
    callback.watch.stop()
    callback.pin.release()


def refused(**settings: Any) -> str:
    with pytest.raises(SystemExit) as told:
        begin_and_end(**settings)
    return str(told.value)


def test_a_sweep_of_the_same_name_goes_on_at_the_same_state(here: Project) -> None:
    begin_and_end(name="mine")
    begin_and_end(name="mine")


@pytest.mark.parametrize("change", ["commit", "edit"])
def test_records_of_another_state_are_refused(here: Project, change: str) -> None:
    begin_and_end(name="mine")
    baseline = here.git("rev-parse", "--short=7", "HEAD")
    (here.root / "notes.md").write_text("edited\n")
    if change == "commit":
        here.commit("went on")
    file = here.root / FOLDER / "mine/pin/pin.json"
    before = file.read_text()
    said = refused(name="mine")
    assert said.startswith(
        f"sweep: sweep.name=mine: a sweep of this name was begun at {baseline} with other files"
    )
    assert str(file.parents[1]) in said
    assert file.read_text() == before
    begin_and_end(name="other")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"objective": "test.roc_auc"},
            "sweep: sweep.objective=test.roc_auc: train writes no such figure",
        ),
        (
            {"objective": ["cv", "cv.roc_auc"]},
            "sweep: sweep.objective=[cv,cv.roc_auc]: that is cv.roc_auc, cv.roc_auc, one of them twice",
        ),
        ({"objective": ["cv", "test"]}, "sweep: sweep.objective=test: train writes no such figure"),
    ],
)
def test_a_mistake_ends_the_command_before_anything_is_made(
    here: Project, settings: dict[str, Any], said: str
) -> None:
    assert refused(**settings).startswith(said)
    assert not os.environ[VARIABLE]
    assert not (here.root / FOLDER).exists()


def test_what_is_no_problem_ends_the_command(here: Project) -> None:
    spoilt = config("seed=1,2")
    spoilt.problem.foo = 1
    with pytest.raises(
        SystemExit, match=r"^sweep: params\.yaml: problem\.foo is not a known key \(value 1\)"
    ):
        SweepCallback().on_multirun_start(spoilt)


def test_a_disk_that_lets_nothing_be_written_is_told(
    here: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "pin.json")

    monkeypatch.setattr(module, "write_json", full)
    assert refused() == "sweep: [Errno 28] No space left on device: 'pin.json'."
    assert here.git("for-each-ref", "refs/seedbed") == ""


def test_what_nobody_foresaw_ends_the_command_too(
    here: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "check_grid", lambda config, root: 1 / 0)
    assert refused() == "1", "of an exception Hydra would make a warning, and run the jobs"
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_a_sweep_that_is_interrupted_is_watched_no_longer(here: Project) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config("seed=1,2"))
    stop_watching()
    assert not callback.watch._thread.is_alive()
    stop_watching()
    callback.pin.release()


def test_the_watch_stays_in_its_process() -> None:
    import pickle

    callback = SweepCallback()
    callback.watch = object()  # type: ignore[assignment]
    assert vars(pickle.loads(pickle.dumps(callback))) == {}


def test_what_a_sweep_began_with_is_written_down(here: Project) -> None:
    begin_and_end(name="mine")
    written = json.loads(Path(FOLDER / "mine/pin/pin.json").read_text())
    assert written == {
        "baseline": here.git("rev-parse", "HEAD"),
        "tree": here.git("rev-parse", "HEAD^{tree}"),
        "objectives": ["cv"],
        "overrides": ["seed=1,2"],
    }


@pytest.mark.parametrize(
    "how",
    [
        "hydra.sweeper.n_trials=30",
        "hydra.sweeper.batch=4",
        "hydra.launcher.n_jobs=4",
        "hydra/launcher=basic",
        "hydra.verbose=true",
    ],
)
def test_how_and_how_far_a_sweep_is_run_makes_no_other_sweep(here: Project, how: str) -> None:
    assert sweep_name(config("a=1,2", how), "b" * 40, "t" * 40) == sweep_name(
        config("a=1,2"), "b" * 40, "t" * 40
    )
    begin_and_end(name="mine")
    begin_and_end(how, name="mine")


@pytest.mark.parametrize(
    "what", ["hydra/sweeper=random", "hydra/sweeper/sampler=nsgaii", "hydra.sweeper.seed=1"]
)
def test_another_search_is_another_sweep(what: str) -> None:
    assert sweep_name(config("a=1,2", what), "b" * 40, "t" * 40) != sweep_name(
        config("a=1,2"), "b" * 40, "t" * 40
    )


def test_records_of_other_objectives_are_refused(here: Project) -> None:
    begin_and_end(name="mine")
    said = refused(name="mine", objective=["cv", "model_size"])
    assert said.startswith(
        "sweep: sweep.name=mine: the sweep of this name optimises cv, not cv and model_size. Choose"
    )
    assert here.git("for-each-ref", "refs/seedbed") == ""
