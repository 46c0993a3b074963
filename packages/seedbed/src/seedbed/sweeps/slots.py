"""A slot: a checkout in which a worker runs one job after the other, kept for the next sweep.

It borrows the repository's Git objects and DVC cache; its data are links to the cache or copies,
as the repository's `cache.type` says. The kernel frees its lock when the worker's process dies.
"""

import os
import shutil
from pathlib import Path
from typing import IO

from seedbed.config.repository import git_or_stop
from seedbed.errors import UserError
from seedbed.locks import is_locked, try_lock
from seedbed.sweeps.snapshot import Sweep

SLOTS = Path(".dvc/tmp/slots")


class Slot:
    """A private checkout below .dvc/tmp/slots of the repository `main`, held by this process."""

    def __init__(self, main: Path, root: Path, lock: IO[str]) -> None:
        self.main = main
        self.root = root
        self._lock = lock
        self._objects = Path(
            git_or_stop(main, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        )
        if not (root / ".git/objects/info/alternates").exists():
            self._create()

    @classmethod
    def acquire(cls, main: Path) -> "Slot":
        """Take the first slot that no living process holds; make one if there is none."""
        number = 0
        while (held := try_lock(main / SLOTS / f"{number}.lock")) is None:
            number += 1
        return cls(main, main / SLOTS / str(number), held)

    def prepare(self, sweep: Sweep) -> None:
        """Reset it; make it anew where a killed process or a full disk left it beyond that."""
        try:
            self.reset(sweep)
        except UserError:
            self._create()
            self.reset(sweep)

    def reset(self, sweep: Sweep, tree: str | None = None) -> None:
        """Bring the files that Git tracks to the snapshot, or to a tree; ignored data stay."""
        # What a killed Git or DVC left: a lock, or a list of locks that it was just writing.
        for left in (*(self.root / ".git").glob("*.lock"), self.root / ".dvc/tmp/rwlock"):
            left.unlink(missing_ok=True)
        self._git("update-ref", "--no-deref", "HEAD", sweep.baseline)
        self._git("read-tree", "--reset", "-u", tree or sweep.snapshot)
        self._git("clean", "-fdq")

    def write_tree(self) -> str:
        """Return the work tree as a tree of Git."""
        # Written into the repository's own object store, nothing has to be copied afterwards.
        borrowed = {**os.environ, "GIT_OBJECT_DIRECTORY": str(self._objects)}
        self._git("add", "--all", environment=borrowed)
        return self._git("write-tree", environment=borrowed)

    def commit(self, sweep: Sweep, name: str, message: str) -> bool:
        """Make the work tree an experiment of the repository; return whether it was one before."""
        tree = self.write_tree()
        commit = git_or_stop(self.main, "commit-tree", tree, "-p", sweep.baseline, "-m", message)
        try:
            # With forty zeros as its old value a reference is made, never moved.
            git_or_stop(self.main, "update-ref", experiment_ref(sweep, name), commit, "0" * 40)
        except UserError:
            if find_experiment(sweep, name) is None:
                raise
            return True
        return False

    def release(self) -> None:
        """Let the next process have it."""
        self._lock.close()

    def _create(self) -> None:
        """Make the checkout, over whatever a killed process left of it."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        self._git("init", "--quiet")
        self._git("checkout", "--quiet", "--orphan", "slot")
        info = self.root / ".git/objects/info"
        info.mkdir(exist_ok=True)
        written = info / "alternates.tmp"
        written.write_bytes(os.fsencode(f"{self._objects}\n"))
        written.rename(info / "alternates")

    def _git(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        return git_or_stop(self.root, *arguments, environment=environment)


def held(main: Path) -> bool:
    """Return whether a process works in a slot of the repository `main` now."""
    return any(is_locked(path) for path in (main / SLOTS).glob("*.lock"))


def experiment_ref(sweep: Sweep, name: str) -> str:
    """Return the reference by which DVC knows an experiment."""
    return f"refs/exps/{sweep.baseline[:2]}/{sweep.baseline[2:]}/{name}"


def find_experiment(sweep: Sweep, pattern: str) -> tuple[str, str] | None:
    """Return name and commit of the experiment of this name, where `*` stands for any text."""
    listed = git_or_stop(
        Path(sweep.root),
        "for-each-ref",
        "--count=1",
        "--format=%(refname) %(objectname)",
        experiment_ref(sweep, pattern),
    )
    if not listed:
        return None
    ref, commit = listed.split()
    return ref.rpartition("/")[2], commit
