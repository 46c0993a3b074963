"""Before the first job of a grid its jobs are counted, and what no job could use is refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf, open_dict

from seedbed.errors import UserError
from seedbed.sweeps.grid import check_grid, check_job, count_jobs

from support import REPOSITORY

GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"


def config(*task: str, **sweeper: Any) -> DictConfig:
    hydra = {"overrides": {"task": list(task)}, "sweeper": {"_target_": GRID, **sweeper}}
    return OmegaConf.create({"hydra": hydra})


@pytest.mark.parametrize(
    ("task", "jobs"),
    [
        ([], 1),
        (["seed=1"], 1),
        (["seed=1,2"], 2),
        (["model=mlp,dummy", "seed=range(3)", "x=[1,2]"], 6),
        (["x=choice([1],[2,3])", "y='a,b'"], 2),
        (["seed=range(0,10,5)", "~gate.thresholds"], 2),
        (["x=range(1,2,0.5)"], 2),
        (["model=glob(*)", "seed=1,2"], None),
    ],
)
def test_the_jobs_of_a_grid_are_counted(task: list[str], jobs: int | None) -> None:
    assert count_jobs(config(*task)) == jobs


@pytest.mark.parametrize(
    ("sweeper", "jobs"),
    [({"n_trials": 7}, 7), ({"_target_": "another.Sweeper"}, None)],
    ids=["trials", "not known"],
)
def test_other_sweepers_count_for_themselves(sweeper: dict[str, Any], jobs: int | None) -> None:
    assert count_jobs(config("seed=interval(0,1)", **sweeper)) == jobs


@pytest.mark.parametrize("sweep", ["interval(0,1)", "int(interval(1,5))", "tag(log,interval(1,2))"])
def test_a_grid_over_an_interval_is_refused(sweep: str) -> None:
    with pytest.raises(
        UserError, match=r"x=.*interval.*a grid needs single values.*hydra/sweeper=optuna"
    ):
        count_jobs(config("seed=1,2", f"x={sweep}"))


@pytest.fixture(scope="module", autouse=True)
def hydra() -> Iterator[None]:
    """Hydra, as an application of it has begun."""
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        yield


def at_start(*task: str, fixed: tuple[str, ...] = ()) -> DictConfig:
    """What Hydra composes before a multirun: without that which is swept."""
    composed = compose("sweep", list(fixed), return_hydra_config=True)
    with open_dict(composed):
        composed.hydra.overrides.task = [*fixed, *task]
        composed.hydra.job.config_name = "sweep"
    return composed


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (["+foo=1", "seed=1,2"], "there is no such key as foo"),
        (["+model.x=1"], "model.x is not a known key"),
        (["seed=abc"], "seed is 'abc'"),
        (["seed=1,abc"], "seed is 'abc'"),
        (["model.arguments=???"], r"model.arguments is not set \(\?\?\?\)"),
        (["seed=range(3)", "split=time,group"], "columns.group is not set"),
        (["seed=${nowhere}"], "seed is '\$\{nowhere\}'"),
    ],
)  # fmt: skip
def test_what_no_job_could_use_is_refused(task: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_grid(at_start(*task), REPOSITORY)


@pytest.mark.parametrize(
    "task",
    [
        ["model=mlp,dummy", "seed=range(100)", "sweep.objective=validation"],
        ["model=glob(*)", "+foo=1"],
        ["model=nowhere"],
    ],
    ids=["a grid", "names that Hydra finds", "what Hydra tells itself"],
)
def test_what_jobs_can_use_or_nobody_knows_yet_is_let_be(task: list[str]) -> None:
    check_grid(at_start(*task), REPOSITORY)


def test_figures_that_mean_different_things_are_not_compared() -> None:
    said = r"^dataset=diabetes is judged by cv\.rmse \(regression\), and the sweep by cv\.roc_auc \(binary\)"
    with pytest.raises(UserError, match=said):
        check_grid(at_start("dataset=flights,diabetes"), REPOSITORY)
    with pytest.raises(UserError, match=r"judged by cv\.log_loss \(binary\), and the sweep by"):
        check_job(at_start(), ["problem.metric=log_loss"], REPOSITORY)


def test_a_figure_that_is_named_is_compared() -> None:
    fixed = ("sweep.objective=cv.log_loss",)
    check_grid(at_start("problem.metric=roc_auc,log_loss", fixed=fixed), REPOSITORY)
    check_grid(at_start("dataset=flights,wine", fixed=fixed), REPOSITORY)
