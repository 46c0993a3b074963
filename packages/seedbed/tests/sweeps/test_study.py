"""A search asks for as many trials as were wanted in all, in batches, and goes on where it was left."""

import math
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from optuna.samplers import RandomSampler
from optuna.trial import TrialState

from hydra_plugins.seedbed_optuna_sweeper import OptunaSweeper
from seedbed.sweeps.snapshot import VARIABLE, Sweep
from seedbed.sweeps.study import alive, ask, finished, open_study, run_study, tell

from support import REPOSITORY, STATED_PROBLEM

SAMPLER = OmegaConf.create({"_target_": "optuna.samplers.RandomSampler"})


def config(
    arguments: list[str], model: str = "linear", objective: Any = "cv", n_jobs: int = 2
) -> DictConfig:
    launcher = {"_target_": "a.Launcher", "n_jobs": n_jobs}
    hydra = {
        "runtime": {"choices": {"model": model}},
        "launcher": launcher,
        "overrides": {"task": arguments},
    }
    return OmegaConf.create(
        {"problem": STATED_PROBLEM, "sweep": {"objective": objective}, "hydra": hydra}
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pinned sweep named "study" in a folder whose only space is that of the model "linear"."""
    (tmp_path / "conf/search").mkdir(parents=True)
    (tmp_path / "conf/search/linear.yaml").write_text("model.C: interval(0, 1)\n")
    monkeypatch.setenv(VARIABLE, "")
    Sweep(str(tmp_path), "b" * 40, "b" * 40, "c" * 40, "study").hand_on()
    return tmp_path


class Launched:
    """A sweeper as Hydra sets it up, whose launcher answers by `answer` and keeps what it was asked."""

    def __init__(
        self, answer: Any, n_trials: int = 6, batch: int | None = None, **settings: Any
    ) -> None:
        self.batches: list[list[list[str]]] = []
        self.first: list[int] = []
        self.answer = answer
        self.sweeper = OptunaSweeper(SAMPLER, n_trials, batch, seed=0)
        self.settings = settings
        self.sweeper.launcher = self

    def launch(self, jobs: list[list[str]], initial_job_idx: int) -> list[Any]:
        self.batches.append(jobs)
        self.first.append(initial_job_idx)
        return [SimpleNamespace(return_value=self.answer(job)) for job in jobs]

    def run(self, *arguments: str) -> "Launched":
        self.sweeper.config = config(list(arguments), **self.settings)
        run_study(self.sweeper)
        return self

    @property
    def jobs(self) -> list[list[str]]:
        return [job for batch in self.batches for job in batch]


def study_of(root: Path) -> Any:
    return open_study(root / ".dvc/tmp/sweeps/study/study/journal.log", ["maximize"])


@pytest.mark.parametrize(
    ("n_trials", "batch", "n_jobs", "sizes"),
    [(6, None, 2, [2, 2, 2]), (5, None, 2, [2, 2, 1]), (3, 8, 2, [3]), (3, None, 1, [1, 1, 1])],
)
def test_trials_come_in_batches_as_large_as_the_launcher_runs_at_once(
    root: Path, n_trials: int, batch: int | None, n_jobs: int, sizes: list[int]
) -> None:
    done = Launched(lambda job: 0.5, n_trials, batch, n_jobs=n_jobs).run("seed=3")
    assert [len(jobs) for jobs in done.batches] == sizes
    assert done.first == [sum(sizes[:place]) for place in range(len(sizes))]
    assert all(job[0] == "seed=3" and job[1].startswith("model.C=") for job in done.jobs)


def test_the_study_learns_what_each_job_came_to(root: Path) -> None:
    done = Launched(lambda job: float(job[0].partition("=")[2])).run()
    trials = finished(study_of(root))
    assert [trial.values for trial in trials] == [
        [trial.params["linear:model.C"]] for trial in trials
    ]
    assert [f"model.C={trial.values[0]}" for trial in trials] == [job[0] for job in done.jobs]


def test_a_failed_job_ends_neither_the_batch_nor_the_study(root: Path) -> None:
    answers = iter([0.1, math.nan, 0.3, 0.4])
    Launched(lambda job: next(answers), n_trials=4).run()
    trials = study_of(root).trials[:4]
    assert [trial.state.name[0] for trial in trials] == ["C", "F", "C", "C"]
    again = Launched(lambda job: 0.2, n_trials=4).run()
    assert again.jobs == [[f"model.C={trials[1].params['linear:model.C']}"]], (
        "what failed is tried again"
    )


def test_a_sweep_that_is_typed_again_goes_on_to_its_number(root: Path) -> None:
    first = Launched(lambda job: 0.5, n_trials=4).run()
    second = Launched(lambda job: 0.5, n_trials=6).run()
    assert (len(first.jobs), len(second.jobs)) == (4, 2)
    assert not [job for job in second.jobs if job in first.jobs], (
        "what was tried before is asked for again"
    )
    assert Launched(lambda job: 0.5, n_trials=6).run().jobs == []


def test_what_was_interrupted_is_queued_once_however_often_the_sweep_is_typed(root: Path) -> None:
    def interrupt(job: list[str]) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Launched(interrupt, n_trials=6, batch=3).run()
    for _ in range(3):
        states = [trial.state for trial in study_of(root).trials]
        assert states.count(TrialState.WAITING) == 3
    interrupted = [trial.params["linear:model.C"] for trial in study_of(root).trials[:3]]
    again = Launched(lambda job: 0.5, n_trials=6, batch=3).run()
    assert again.batches[0] == [[f"model.C={value}"] for value in interrupted]
    assert len(again.jobs) == 6
    assert Launched(lambda job: 0.5, n_trials=6).run().jobs == []


def test_several_processes_make_as_many_trials_as_are_wanted_in_all(root: Path) -> None:
    other = study_of(root)
    journal = root / ".dvc/tmp/sweeps/study/study/journal.log"
    theirs: list[Any] = []

    def answer(job: list[str]) -> float:
        """Work on a job, while another process ends one and begins the next."""
        if theirs:
            other.tell(theirs.pop(), 0.5)
        theirs.extend(ask(other, journal, lambda number: RandomSampler(seed=number), them, 1, 6))
        return 0.5

    with alive(journal) as them:
        ours = Launched(answer, n_trials=6, batch=1).run()
    assert len(ours.jobs) == 3
    assert len(finished(study_of(root))) + len(theirs) == 6


def test_the_same_study_asks_for_the_same_trials(root: Path) -> None:
    first = Launched(lambda job: 0.5).run()
    shutil.rmtree(root / ".dvc")
    assert Launched(lambda job: 0.5).run().jobs == first.jobs


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (REPOSITORY / "conf/hydra/sweeper/sampler").glob("*.yaml"))
)
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("directions", [["maximize"], ["maximize", "minimize"]], ids=len)
def test_each_sampler_can_be_chosen(root: Path, name: str, directions: list[Any]) -> None:
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        chosen = ["hydra/sweeper=optuna", f"hydra/sweeper/sampler={name}"]
        composed = compose("sweep", chosen, return_hydra_config=True).hydra.sweeper
    study = open_study(root / "study/journal.log", directions)
    for number in range(20):
        study.sampler = instantiate(composed.sampler, seed=number)
        trial = study.ask()
        tell(
            study,
            trial,
            [trial.suggest_float(f"{trial.suggest_categorical('model', ['a', 'b'])}:C", 0, 1)]
            * len(directions),
        )
    assert len(finished(study)) == 20
