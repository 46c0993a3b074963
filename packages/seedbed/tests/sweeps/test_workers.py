"""Workers side by side: what several jobs need is computed once, and what a failed job left is not reused."""

import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from omegaconf import DictConfig, OmegaConf

from seedbed.errors import UserError
from seedbed.sweeps import jobs
from seedbed.sweeps.dvc_calls import split_lock
from seedbed.sweeps.jobs import UPSTREAM, Worker
from seedbed.sweeps.slots import SLOTS
from seedbed.sweeps.snapshot import Sweep, take_snapshot
from small_graph import PARAMS, STAGES, ran

from support import Project, copied

COMPOSE = {
    "cmd": "cp params.yaml overrides.yaml && echo compose >> ran",
    "deps": ["code.txt"],
    "outs": [
        {"params.yaml": {"cache": False, "persist": True}},
        {"overrides.yaml": {"cache": False}},
    ],
}
CODE = {
    "cmd": "cat dvc.yaml > code.txt && echo code >> ran",
    "deps": ["raw.txt"],
    "outs": [{"code.txt": {"cache": False, "persist": True}}],
}
CLEAN = "mkdir -p data/clean && grep since params.yaml > data/clean/rows.txt && sleep 0.3 && echo clean >> ran"
FEATURIZE = "sed 's/ *//' data/clean/rows.txt > features.txt && echo featurize >> ran && ! grep -q 'since: fail' params.yaml"


class NoZygote:
    """The stages of the small graph are no Python: none of them needs one."""

    environment: ClassVar[dict[str, str]] = {}

    def __init__(self, root: Path) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def sweepable(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The small graph with stages that write code.txt and params.yaml; nothing has run as it now stands."""
    project = copied(template, tmp_path / "sweepable")
    stages = {
        "code": CODE,
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
def sweep(sweepable: Project) -> Sweep:
    return take_snapshot(sweepable.root)


@pytest.fixture
def worker(sweep: Sweep) -> Iterator[Worker]:
    worker = Worker(sweep)
    yield worker
    worker.close()


def composed(rate: float, since: str = "2013") -> DictConfig:
    return OmegaConf.create({**PARAMS, "train": {"rate": rate}, "cleaning": {"since": since}})


def side_by_side(sweep: Sweep, rates: list[float], log: Path) -> None:
    """Run jobs as a launcher does that starts a process for each, all at the same time."""
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(len(rates))

    def work(rate: float) -> None:
        worker = Worker(sweep)
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
    slots = [path for path in (project.root / SLOTS).iterdir() if path.is_dir()]
    names = [name for slot in slots for name in ran(slot)]
    return {name: names.count(name) for name in names}


@pytest.mark.slow
def test_what_all_need_is_computed_once_however_many_start_cold(
    sweepable: Project, sweep: Sweep, tmp_path: Path
) -> None:
    side_by_side(sweep, [1, 2, 3], tmp_path / "log")
    once = {"code": 1, "clean": 1, "featurize": 1, "compose": 3, "train": 3}
    assert ran_in_all_slots(sweepable) == once
    assert len(list((sweepable.root / SLOTS).glob("*/"))) == 3
    found = sweepable.experiment_commits().values()
    params = [yaml.safe_load(sweepable.git("show", f"{one}:params.yaml")) for one in found]
    assert sorted(values["train"]["rate"] for values in params) == [1, 2, 3]
    locks = [split_lock(sweepable.git("show", f"{one}:dvc.lock"))[1] for one in found]
    assert len({lock["clean"] + lock["featurize"] for lock in locks}) == 1
    # `dvc gc` has freed what no experiment names any more.
    shutil.rmtree(sweepable.root / ".dvc/cache/files")
    side_by_side(sweep, [4, 5, 6], tmp_path / "log")
    again = {"code": 1, "clean": 2, "featurize": 2, "compose": 6, "train": 6}
    assert ran_in_all_slots(sweepable) == again


@pytest.mark.parametrize("content", ["0" * 40, "half", ""])
def test_a_tree_that_is_gone_is_computed_again(
    sweepable: Project, sweep: Sweep, tmp_path: Path, content: str
) -> None:
    side_by_side(sweep, [1], tmp_path / "log")
    (file,) = (path for path in (sweepable.root / UPSTREAM).iterdir() if path.suffix != ".lock")
    kept = file.read_text()
    file.write_text(content)
    side_by_side(sweep, [2], tmp_path / "log")
    assert ran_in_all_slots(sweepable)["train"] == 2
    assert len(sweepable.experiments()) == 2
    assert sweepable.git("cat-file", "-t", file.read_text()) == "tree"
    assert sweepable.git("cat-file", "-t", kept) == "tree"


def test_what_a_failed_job_left_is_not_reused(worker: Worker, tmp_path: Path) -> None:
    log = tmp_path / "log"
    worker.run([], composed(1), log)
    with pytest.raises(UserError, match="featurize"):
        worker.run([], composed(2, since="fail"), log)
    assert (worker.slot.root / "features.txt").read_text() == "since: fail\n"
    _, _, found = worker.run([], composed(3), log)
    model = (worker.slot.root / "model.txt").read_text()
    assert model.startswith("since: '2013'\n")
    assert "rate: 3" in model
    assert not found


def test_a_job_that_is_typed_in_other_words_is_the_same_experiment(
    worker: Worker, tmp_path: Path
) -> None:
    name, commit, _ = worker.run(["seed=1", "train.rate=1"], composed(1), tmp_path / "log")
    assert worker.run(["train.rate=1"], composed(1), tmp_path / "log") == (name, commit, True)
