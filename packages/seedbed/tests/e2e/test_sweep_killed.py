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

from support import Project, lock_up_to_train, started, wait_for

LIMIT = 300
LITTLE = ["model=dummy", "evaluation=quick"]


@contextlib.contextmanager
def sweeping(project: Project, *arguments: str) -> Iterator[subprocess.Popen]:
    """Start a sweep in a process group of its own; what it prints is in sweep.log beside the project."""
    log = project.root.parent / "sweep.log"
    log.unlink(missing_ok=True)
    command = [project.root / ".venv/bin/python", "-m", "seedbed.sweep", "-m", *arguments]
    with started(command, log, project.root, PYTHONFAULTHANDLER="1") as process:
        yield process


def wait_for_experiments(project: Project, count: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + LIMIT
    while len(project.experiments()) < count:
        assert process.poll() is None, (project.root.parent / "sweep.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def end_of(process: subprocess.Popen, project: Project) -> int:
    """Return the exit code of a sweep that has been told to stop; of one that does not, say where it hangs."""
    try:
        return process.wait(60)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        process.wait()
        raise AssertionError((project.root.parent / "sweep.log").read_text()) from None


def workers(process: subprocess.Popen) -> list[psutil.Process]:
    """Return the launcher's worker processes."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
        return [
            child for child in children if any("popen_loky" in word for word in command_of(child))
        ]
    return []


def stage_of(process: subprocess.Popen) -> bool:
    """Say whether DVC runs a stage."""
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
        return any(
            "stage.sh" in word or "zygote_client" in word
            for child in children
            for word in command_of(child)
        )
    return False


def command_of(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.Error):
        return process.cmdline()
    return []


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
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(project: Project) -> None:
    with sweeping(project, *LITTLE, "seed=range(40)") as process:
        wait_for_experiments(project, 2, process)
        started = [
            *workers(process),
            *(child for worker in workers(process) for child in worker.children()),
        ]
        assert {child.environ()["OMP_NUM_THREADS"] for child in started} == {"1"}, (
            "fits fight for the cores"
        )
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert end_of(process, project) == 1
        _, alive = psutil.wait_procs(started, timeout=10)
        assert alive == []
    said = (project.root.parent / "sweep.log").read_text()
    assert "Traceback" not in said
    assert 2 <= len(project.experiments()) < 40
    assert (
        "sweep: stopped. What is done is kept; to go on from there, type the same command again."
        in said
    )
    assert project.git("status", "--porcelain") == ""
    assert project.git("for-each-ref", "refs/seedbed") == ""


@pytest.mark.slow
def test_ctrl_c_stops_jobs_that_run_one_after_the_other(project: Project) -> None:
    with sweeping(project, *LITTLE, "seed=range(40)", "hydra/launcher=basic") as process:
        wait_for_experiments(project, 1, process)
        wait_for(lambda: stage_of(process), "no stage of the next job has begun", LIMIT)
        os.killpg(process.pid, signal.SIGINT)
        assert end_of(process, project) == 1
    said = (project.root.parent / "sweep.log").read_text()
    assert "Traceback" not in said
    assert "failed" not in said, (
        "a job that was interrupted counts as failed, and the next one starts"
    )
    assert "sweep: stopped. What is done is kept" in said
    assert len(project.experiments()) == 1


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was(project: Project) -> None:
    command = [*LITTLE, "seed=range(4)"]
    with sweeping(project, *command) as process:
        wait_for_experiments(project, 1, process)
        os.killpg(process.pid, signal.SIGKILL)
    kept = project.experiment_commits()
    done = project.run("python", "-m", "seedbed.sweep", "-m", *command)
    assert done.stdout.count("was there before") >= len(kept)
    assert len(project.experiment_commits()) == 4
    assert kept.items() <= project.experiment_commits().items()
    assert project.git("fsck", "--no-dangling") == ""


@pytest.mark.slow
def test_chaos(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 jobs on 4 workers, of which one is killed as they start, and, typed again, as they work; the third time all is let be.

    A worker's end is the end of its sweep, so that a round is about one kill: another follows, 5 seconds later, only on a sweep
    that is still there.
    """
    monkeypatch.chdir(project.root)
    command = [*LITTLE, "seed=range(40)", "hydra.launcher.n_jobs=4"]
    head, status = project.git("rev-parse", "HEAD"), project.git("status", "--porcelain")
    killed = 0
    for awaited in (0, 2):
        there = len(project.experiments())
        with sweeping(project, *command) as process:
            wait_for_experiments(project, there + awaited, process)
            deadline = time.monotonic() + LIMIT
            while process.poll() is None:
                assert time.monotonic() < deadline
                for worker in workers(process)[:1]:
                    worker.kill()
                    killed += 1
                time.sleep(5)
            said = (project.root.parent / "sweep.log").read_text()
            if process.returncode != 0:
                assert "a worker was killed" in said, said
                assert "Traceback" not in said
    assert killed >= 2
    kept = project.experiment_commits()
    assert 2 <= len(kept) < 40
    done = project.run("python", "-m", "seedbed.sweep", "-m", *command, limit=1200)
    assert done.stdout.count("was there before") >= len(kept)
    found = project.experiment_commits()
    assert kept.items() <= found.items()
    assert len(found) == 40
    seeds = {
        yaml.safe_load(project.git("show", f"{commit}:params.yaml"))["seed"]: commit
        for commit in found.values()
    }
    assert sorted(seeds) == list(range(40))
    for seed, commit in seeds.items():
        assert project.git("rev-parse", f"{commit}^") == head
        overrides = [*LITTLE, f"seed={seed}"]
        assert (
            project.git("show", f"{commit}:params.yaml")
            == compose_text(project.root, overrides).strip()
        )
    shared = []
    for seed, commit in seeds.items():
        lock = lock_up_to_train(project, commit)
        assert lock["train"]["params"]["params.yaml"].pop("seed") == seed
        for out in [*lock["compose"].pop("outs"), *lock["train"].pop("outs")]:
            assert is_kept(project, commit, out), (
                f"seed={seed}: {out['path']} is not what dvc.lock says"
            )
        shared.append(lock)
    assert all(lock == shared[0] for lock in shared), (
        "jobs differ in more than the seed and what follows from it"
    )
    for seed in (0, 39):
        changes = [word for override in [*LITTLE, f"seed={seed}"] for word in ("-S", override)]
        project.dvc("exp", "run", "--temp", "-n", f"by-dvc-{seed}", *changes, "train")
        theirs = project.experiment_commits()[f"by-dvc-{seed}"]
        assert project.git("show", f"{theirs}:params.yaml") == project.git(
            "show", f"{seeds[seed]}:params.yaml"
        )
        assert lock_up_to_train(project, theirs) == lock_up_to_train(project, seeds[seed])
    assert project.git("fsck", "--no-dangling") == ""
    assert (project.git("rev-parse", "HEAD"), project.git("status", "--porcelain")) == (
        head,
        status,
    )
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
            done = project.run("python", "-m", "seedbed.sweep", *LITTLE, check=False)
            assert done.returncode == 1
            assert re.search(
                r"No space left on device|disk( is|/quota)? full|is full", done.stdout
            ), done.stdout
            assert len(done.stdout) < 3000
            assert "Traceback" not in done.stdout
            assert project.experiment_commits() == {}
            assert project.git("status", "--porcelain") == ""
        finally:
            subprocess.run(["umount", "-l", small], check=True)
    project.run("python", "-m", "seedbed.sweep", *LITTLE)
    assert len(project.experiment_commits()) == 1
