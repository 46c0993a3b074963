"""Before the first job a sweep is named, checked and pinned; at the end it is summed up."""

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from seedbed.sweeps.callback import sweep_name

from support import STATED_PROBLEM

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
