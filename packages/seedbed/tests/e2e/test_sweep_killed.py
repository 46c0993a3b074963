"""Sweeps that are stopped: by Ctrl-C, by kill -9 of all or of one worker, by a full disk. Nothing is lost, nothing is bogus."""

import contextlib
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator

import psutil
import pytest
import yaml

from seedbed.config.compose import compose_text

from support import LONG, Project, lock_up_to_train, started, wait_for

LIMIT = 300
LITTLE = ["model=dummy", "evaluation=quick"]
JOBS = 40 if LONG else 16
"""How many jobs there are to lose when workers are killed."""


@contextlib.contextmanager
def sweeping(project: Project, *arguments: str) -> Iterator[subprocess.Popen]:
    """Start a sweep in a process group of its own; what it prints is in sweep.log beside the project."""
    log = project.root.parent / "sweep.log"
    log.unlink(missing_ok=True)
    command = [project.root / ".venv/bin/python", "-m", "seedbed.sweep", "-m", *arguments]
    with started(command, log, project.root, PYTHONFAULTHANDLER="1") as process:
        yield process


def wait_for_experiments(project: Project, count: int, process: subprocess.Popen) -> None:
    def are_there() -> bool:
        assert process.poll() is None, printed(project)
        return len(project.experiments()) >= count

    wait_for(are_there, f"there are not {count} experiments", LIMIT)


def printed(project: Project) -> str:
    """Return what the sweep has printed, which is never a traceback of it."""
    text = (project.root.parent / "sweep.log").read_text()
    assert "Traceback" not in text, text
    return text


def interrupt(process: subprocess.Popen, project: Project) -> str:
    """Stop a sweep by Ctrl-C, as a terminal does; return what it printed. If it hangs, show where."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        assert process.wait(60) == 1
    except subprocess.TimeoutExpired:
        raise AssertionError(where_it_hangs(process, project)) from None
    text = printed(project)
    assert "sweep: stopped. What is done is kept; to go on from there, type the same" in text
    return text


def where_it_hangs(process: subprocess.Popen, project: Project) -> str:
    """End a sweep; return what it printed, where its threads stood, and what it had started."""
    children = [" ".join(child.cmdline()) for child in psutil.Process(process.pid).children(True)]
    process.send_signal(signal.SIGABRT)
    process.wait()
    return "\n".join([(project.root.parent / "sweep.log").read_text(), *children])


def started_by(process: subprocess.Popen, *words: str) -> list[psutil.Process]:
    """Return the processes that a sweep started and in whose command is one of the words."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(word in " ".join(child.cmdline()) for word in words):
                    found.append(child)
    return found


def workers(process: subprocess.Popen) -> list[psutil.Process]:
    return started_by(process, "popen_loky")


def is_kept(project: Project, commit: str, out: dict[str, str]) -> bool:
    """Say whether an output that a commit's dvc.lock names is there: in DVC's cache, else in the commit itself."""
    if (project.root / ".dvc/cache/files/md5" / out["md5"][:2] / out["md5"][2:]).exists():
        return True
    found = subprocess.run(
        ["git", "show", f"{commit}:{out['path']}"],
        cwd=project.root,
        capture_output=True,
        check=True,
    ).stdout
    return hashlib.md5(found, usedforsecurity=False).hexdigest() == out["md5"]


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_prints_how_to_go_on(project: Project) -> None:
    with sweeping(project, *LITTLE, "seed=range(40)") as process:
        wait_for_experiments(project, 2, process)
        begun = [each for worker in workers(process) for each in (worker, *worker.children())]
        threads = {child.environ()["OMP_NUM_THREADS"] for child in begun}
        assert threads == {"1"}, "fits fight for the cores"
        interrupt(process, project)
        _, alive = psutil.wait_procs(begun, timeout=10)
        assert alive == []
    assert 2 <= len(project.experiments()) < 40
    assert project.git("status", "--porcelain") == ""
    assert project.git("for-each-ref", "refs/seedbed") == ""


@pytest.mark.slow
def test_ctrl_c_stops_jobs_that_run_one_after_the_other(project: Project) -> None:
    with sweeping(project, *LITTLE, "seed=range(40)", "hydra/launcher=basic") as process:
        wait_for_experiments(project, 1, process)
        stage = ("stage.sh", "zygote_client")
        wait_for(lambda: started_by(process, *stage), "no stage of the next job has begun", LIMIT)
        assert "failed" not in interrupt(process, project), "the next job starts"
    assert len(project.experiments()) == 1


@pytest.mark.slow
def test_chaos(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many jobs on 4 workers. One is killed as they start; typed again, one as they work; then all; the last time is let be.

    A worker's end is the end of its sweep, so that a round is about one kill: another follows, 5 seconds later, only on a sweep
    that is still there.
    """
    monkeypatch.chdir(project.root)
    command = [*LITTLE, f"seed=range({JOBS})", "hydra.launcher.n_jobs=4"]
    head, status = project.git("rev-parse", "HEAD"), project.git("status", "--porcelain")
    killed = 0
    for awaited in (0, 2):
        there = len(project.experiments())
        with sweeping(project, *command) as process:
            wait_for_experiments(project, there + awaited, process)
            deadline = time.monotonic() + LIMIT
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise AssertionError(where_it_hangs(process, project))
                for worker in workers(process)[:1]:
                    worker.kill()
                    killed += 1
                time.sleep(5)
            assert process.returncode == 0 or "a worker was killed" in printed(project)
    assert killed >= 2
    with sweeping(project, *command) as process:
        wait_for_experiments(project, len(project.experiments()) + 1, process)
        os.killpg(process.pid, signal.SIGKILL)
    kept = project.experiment_commits()
    assert 3 <= len(kept) < JOBS
    done = project.run("python", "-m", "seedbed.sweep", "-m", *command, limit=1200, unaided=True)
    assert done.stdout.count("was there before") >= len(kept)
    found = project.experiment_commits()
    assert kept.items() <= found.items()
    assert len(found) == JOBS

    def shown(commit: str) -> str:
        return project.git("show", f"{commit}:params.yaml")

    seeds = {yaml.safe_load(shown(commit))["seed"]: commit for commit in found.values()}
    assert sorted(seeds) == list(range(JOBS))
    shared = []
    for seed, commit in seeds.items():
        assert project.git("rev-parse", f"{commit}^") == head
        expected = compose_text(project.root, [*LITTLE, f"seed={seed}"])
        assert shown(commit) == expected.strip()
        lock = lock_up_to_train(project, commit)
        assert lock["train"]["params"]["params.yaml"].pop("seed") == seed
        for out in [*lock["compose"].pop("outs"), *lock["train"].pop("outs")]:
            assert is_kept(project, commit, out), f"seed={seed}: {out['path']}"
        shared.append(lock)
    assert all(lock == shared[0] for lock in shared), "jobs differ in more than the seed"
    changes = [word for override in [*LITTLE, "seed=0"] for word in ("-S", override)]
    project.dvc("exp", "run", "--temp", "-n", "by-dvc", *changes, "train")
    theirs = project.experiment_commits()["by-dvc"]
    assert shown(theirs) == shown(seeds[0])
    assert lock_up_to_train(project, theirs) == lock_up_to_train(project, seeds[0])
    assert project.git("fsck", "--no-dangling") == ""
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("status", "--porcelain") == status
    assert project.git("symbolic-ref", "--short", "HEAD") == "main"


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount a small disk"
)
def test_a_full_disk_fails_the_job_and_loses_nothing(project: Project) -> None:
    small = project.root / ".dvc/tmp"
    for size in ("64k", "1m"):
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", small]
        if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine lets nobody mount")
        try:
            refused = project.refused("python", "-m", "seedbed.sweep", *LITTLE)
            assert re.search(r"No space left on device|disk( is|/quota)? full|is full", refused)
            assert len(refused) < 3000
            assert project.experiment_commits() == {}
            assert project.git("status", "--porcelain") == ""
        finally:
            subprocess.run(["umount", "-l", small], check=True)
    project.run("python", "-m", "seedbed.sweep", *LITTLE)
    assert len(project.experiment_commits()) == 1
