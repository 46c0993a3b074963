"""Before the first job a sweep is named, checked and pinned; at the end it is summed up."""

import os
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from seedbed.sweeps import callback as module
from seedbed.sweeps.callback import SweepCallback, sweep_name
from seedbed.sweeps.records import Record
from seedbed.sweeps.snapshot import FOLDER, VARIABLE, Sweep

from support import STATED_PROBLEM, Project

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"
"""Hydra's own sweeper."""


def config(*task: str, name: str | None = None, objective: Any = "cv") -> DictConfig:
    hydra = {
        "overrides": {
            "task": [word for word in task if not word.startswith("hydra")],
            "hydra": ["hydra.mode=MULTIRUN", *(word for word in task if word.startswith("hydra"))],
        },
        "sweeper": {"_target_": GRID},
    }
    return OmegaConf.create(
        {"problem": STATED_PROBLEM, "sweep": {"name": name, "objective": objective}, "hydra": hydra}
    )


@pytest.fixture
def here(small: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The working directory of the command; what it leaves in the environment goes afterwards."""
    monkeypatch.chdir(small.root)
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setattr(module, "check_job", lambda config, job, sweep: None)
    return small


def name_of(*task: str, baseline: str = "b", tree: str = "t", **settings: Any) -> str:
    return sweep_name(config(*task, **settings), baseline, tree)


@pytest.mark.parametrize(
    ("task", "chosen", "words"),
    [
        (["model=mlp,dummy", "seed=range(3)"], None, "model-mlp-dummy-seed-range-3"),
        ([], None, "sweep"),
        (["a=ü"], None, "a"),
        (["../../x=1"], None, "x-1"),
        (["seed=1,2", "sweep.name=mine"], "mine", "mine"),
        (["seed=1,2"], "../größe", "gr-e"),
        (["seed=1,2"], "x" * 101, "x" * 40),
    ],
)
def test_a_sweep_is_named_by_its_command_or_as_it_is_told(
    task: list[str], chosen: str | None, words: str
) -> None:
    assert name_of(*task, name=chosen).rpartition("-")[0] == words


@pytest.mark.parametrize(
    "same",
    [
        {"task": ["hydra.sweeper.n_trials=30"]},
        {"task": ["hydra.sweeper.batch=4"]},
        {"task": ["hydra.launcher.n_jobs=4"]},
        {"task": ["hydra/launcher=basic"]},
    ],
)
def test_the_same_command_at_the_same_state_is_the_same_sweep(same: dict[str, Any]) -> None:
    assert name_of("seed=1,2", *same["task"]) == name_of("seed=1,2")


def test_other_records_have_another_folder() -> None:
    others = [
        name_of("seed=1,2", name="mine"),
        name_of("seed=1,3", name="mine"),
        name_of("seed=1,2", name="mine", baseline="c"),
        name_of("seed=1,2", name="mine", tree="u"),
        name_of("seed=1,2", name="mine", objective=["cv", "model_size"]),
        name_of("seed=1,2", "hydra/sweeper=random", name="mine"),
        name_of("seed=1,2", "hydra/sweeper/sampler=nsgaii", name="mine"),
        name_of("seed=1,2", "hydra.sweeper.seed=1", name="mine"),
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize("way", ["multirun", "run"])
def test_from_the_first_to_the_last_job(
    here: Project, capsys: pytest.CaptureFixture[str], way: str
) -> None:
    (here.root / "notes.md").write_text("edited\n")
    given = config("seed=1,2", name="mine")
    callback = SweepCallback()
    getattr(callback, f"on_{way}_start")(given)
    sweep = Sweep.from_environment()
    assert sweep is not None, "workers find the sweep in the environment"
    assert (sweep.root, sweep.objectives, sweep.jobs) == (str(here.root), ("cv.roc_auc",), 2)
    assert here.git("for-each-ref", "--format=%(refname)", "refs/seedbed") == sweep.ref
    Record(["seed=1"], 1e12, 2.0, "seed1-aa", values=[0.5]).write(sweep.folder)
    Record(["seed=2"], 2e12, 1.0, error="no").write(sweep.folder)
    with pytest.raises(SystemExit, match="^1$"):
        getattr(callback, f"on_{way}_end")(given)
    printed = capsys.readouterr().err
    assert "failed  seed=2: no" in printed
    assert "dvc exp apply seed1-aa" in printed
    assert printed.endswith(f"report: reports/sweeps/{sweep.name}\n")
    jobs = (here.root / "reports/sweeps" / sweep.name / "jobs.csv").read_text().splitlines()
    assert len(jobs) == 3
    assert here.git("for-each-ref", "refs/seedbed") == ""


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"objective": "test.roc_auc"}, "^sweep: sweep.objective=test.roc_auc: train writes no"),
        ({"task": ["x=interval(0,1)"]}, "^sweep: x=interval.* a grid needs single values"),
        ({"check": UserWarning("?")}, "^1$"),
        ({"check": OSError(28, "No space left on device")}, "^sweep: .*No space left on device$"),
    ],
    ids=["an objective", "a grid", "what nobody foresaw", "a full disk"],
)
def test_a_mistake_ends_the_command_and_leaves_nothing(
    here: Project, monkeypatch: pytest.MonkeyPatch, spoil: dict[str, Any], said: str
) -> None:
    def fail(*_: Any) -> None:
        raise spoil["check"]

    if "check" in spoil:
        monkeypatch.setattr(module, "check_job", fail)
    (here.root / "notes.md").write_text("edited\n")
    given = config(*spoil.get("task", ["seed=1,2"]), objective=spoil.get("objective", "cv"))
    with pytest.raises(SystemExit, match=said):
        SweepCallback().on_multirun_start(given)
    assert not os.environ[VARIABLE]
    assert not Path(FOLDER).exists()
    assert here.git("for-each-ref", "refs/seedbed") == ""
