"""A lock that a killed Git left is removed; one that somebody may hold stays."""

import subprocess
import sys
import threading
from collections import namedtuple
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from seedbed.errors import UserError
from seedbed.remotes import refs
from seedbed.remotes.refs import local_refs, run_git

Mount = namedtuple("Mount", ["mountpoint", "fstype"])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(refs, "PAUSE", 0.02)
    run_git(tmp_path, "init", "-q", "-b", "main", ".")
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    run_git(tmp_path, *who, "commit", "-q", "--allow-empty", "-m", "begin")
    return tmp_path


@pytest.fixture
def lock(root: Path) -> Path:
    path = root / ".git/refs/tags/v1.lock"
    path.touch()
    return path


def tag(root: Path) -> None:
    run_git(root, "update-ref", "refs/tags/v1", "HEAD")


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Let a process like DVC's be at work in a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)  # dvc"], cwd=folder
    ) as process:
        try:
            yield
        finally:
            process.kill()


def test_a_lock_of_a_killed_git_is_removed(root: Path, lock: Path) -> None:
    tag(root)
    assert "refs/tags/v1" in local_refs(root)
    assert not lock.exists()


def test_a_lock_that_comes_and_goes_is_waited_for_and_not_removed(
    root: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made anew by somebody whose process nobody sees, such as one in a container."""
    monkeypatch.setattr(refs, "PAUSE", 0.1)
    ended = threading.Event()

    def work() -> None:
        for number in range(1000):
            beside = lock.with_name(f"{number}.tmp")
            beside.touch()
            beside.replace(lock)
            if ended.wait(0.02):
                break

    thread = threading.Thread(target=work)
    thread.start()
    try:
        with pytest.raises(UserError, match=r"If no Git is at work there, remove .*v1\.lock"):
            tag(root)
    finally:
        ended.set()
        thread.join()
    assert lock.exists()


def test_a_lock_that_a_dvc_in_this_repository_may_hold_stays(root: Path, lock: Path) -> None:
    (root / "sub").mkdir()
    with at_work(root / "sub"), pytest.raises(UserError, match="File exists"):
        tag(root)
    assert lock.exists()


def test_who_is_at_work_elsewhere_holds_no_lock_here(root: Path, lock: Path) -> None:
    run_git(root, "init", "-q", str(root / "other"))
    with at_work(root / "other"):
        tag(root)
    assert not lock.exists()


def test_a_lock_that_another_machine_may_hold_stays(
    root: Path, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = [Mount("/", "ext4"), Mount(str(root), "nfs4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    with pytest.raises(UserError, match="File exists"):
        tag(root)
    assert lock.exists()
