"""Workers side by side: what several jobs need is computed once, and nobody takes what a failed job left for his own."""

import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from seedbed.errors import UserError
from seedbed.sweeps import jobs
from seedbed.sweeps.dvc_files import split_lock
from seedbed.sweeps.jobs import Worker
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.slots import FOLDER
from small_graph import PARAMS, STAGES, ran

from support import Project, copied

COMPOSE = {
    "cmd": "cp params.yaml overrides.yaml && echo compose >> ran",
    "deps": ["raw.txt"],
    "outs": [
        {"params.yaml": {"cache": False, "persist": True}},
        {"overrides.yaml": {"cache": False}},
    ],
}
CLEAN = "mkdir -p data/clean && grep since params.yaml > data/clean/rows.txt && sleep 0.3 && echo clean >> ran"
FEATURIZE = "sed 's/ *//' data/clean/rows.txt > features.txt && echo featurize >> ran && ! grep -q 'since: fail' params.yaml"


class NoZygote:
    """A zygote that does not start."""

    def __init__(self, root: Path) -> None:
        pass

    def wait_until_ready(self) -> dict[str, str]:
        raise RuntimeError("it did not start")

    def close(self) -> None:
        pass


@pytest.fixture
def sweepable(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The small graph with a stage that is each job's own; nothing before `train` has run as it now stands."""
    project = copied(template, tmp_path / "sweepable")
    stages = {
        "compose": COMPOSE,
        **STAGES,
        "clean": {**STAGES["clean"], "cmd": CLEAN},
        "featurize": {**STAGES["featurize"], "cmd": FEATURIZE},
    }
    (project.root / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (project.root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    project.commit("another way to clean")
    monkeypatch.setattr(jobs, "Zygote", NoZygote)
    return project


@pytest.fixture
def worker(sweepable: Project, pin: Pin) -> Iterator[Worker]:
    worker = Worker(pin)
    yield worker
    worker.close()


@pytest.fixture
def pin(sweepable: Project) -> Pin:
    return Pin.take(sweepable.root, lambda baseline, tree: "sweep")


def composed(rate: float, since: str = "2013") -> DictConfig:
    return OmegaConf.create({**PARAMS, "train": {"rate": rate}, "cleaning": {"since": since}})


def at_once(pin: Pin, rates: list[float], log: Path) -> None:
    """Run jobs as a launcher does that starts a process for each, all at the same time."""
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(len(rates))

    def work(rate: float) -> None:
        worker = Worker(pin)
        barrier.wait()
        worker.run([f"train.rate={rate}"], composed(rate), log)
        worker.close()

    processes = [fork.Process(target=work, args=(rate,)) for rate in rates]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(rates), log.read_text()


def ran_in_all_slots(project: Project) -> dict[str, int]:
    names = [
        name for slot in (project.root / FOLDER).iterdir() if slot.is_dir() for name in ran(slot)
    ]
    return {name: names.count(name) for name in sorted(set(names))}


def test_what_all_need_is_computed_once_however_many_start_cold(
    sweepable: Project, pin: Pin, tmp_path: Path
) -> None:
    at_once(pin, [1, 2, 3], tmp_path / "log")
    assert ran_in_all_slots(sweepable) == {"clean": 1, "compose": 3, "featurize": 1, "train": 3}
    assert len(list((sweepable.root / FOLDER).glob("*/"))) == 3
    found = sweepable.experiment_commits().values()
    rates = [
        yaml.safe_load(sweepable.git("show", f"{commit}:params.yaml"))["train"]["rate"]
        for commit in found
    ]
    assert sorted(rates) == [1, 2, 3]
    locks = [split_lock(sweepable.git("show", f"{commit}:dvc.lock"))[1] for commit in found]
    assert len({lock["clean"] + lock["featurize"] for lock in locks}) == 1
    # `dvc gc` has freed what no experiment names any more.
    shutil.rmtree(sweepable.root / ".dvc/cache/files")
    at_once(pin, [4, 5, 6], tmp_path / "log")
    assert ran_in_all_slots(sweepable) == {"clean": 2, "compose": 6, "featurize": 2, "train": 6}


def test_what_a_failed_job_left_is_nobodys(
    worker: Worker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log"
    worker.run([], composed(1), log)
    with pytest.raises(UserError, match="featurize"):
        worker.run([], composed(2, since="fail"), log)
    assert (worker.slot.root / "features.txt").read_text() == "since: fail\n"
    done = worker.run([], composed(3), log)
    model = (worker.slot.root / "model.txt").read_text()
    assert model.startswith("since: '2013'\n")
    assert "rate: 3" in model
    assert not done.found
    assert "it did not start. Stages import for themselves." in capsys.readouterr().err


def test_a_job_that_is_typed_in_other_words_is_the_same_experiment(
    worker: Worker, tmp_path: Path
) -> None:
    first = worker.run(["seed=1", "train.rate=1"], composed(1), tmp_path / "log")
    other = worker.run(["train.rate=1"], composed(1), tmp_path / "log")
    assert (other.name, other.commit, other.found) == (first.name, first.commit, True)


def test_jobs_that_share_what_is_before_them_ask_about_it_once(
    worker: Worker, tmp_path: Path
) -> None:
    asked: list[Any] = []
    worker.run([], composed(1), tmp_path / "log")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs.Pipeline, "restore", asked.append)
        worker.run([], composed(2), tmp_path / "log")
    assert asked == []
    assert ran(worker.slot.root).count("train") == 2
