"""A slot: a checkout of its own in which a worker runs one job after the other, kept for the next sweep.

It borrows the repository's Git objects and DVC cache; the data in its work tree are links to the cache or copies, as the
repository's `cache.type` says. It is held by a lock that the kernel frees when its process dies, however that happens.
"""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from seedbed.config.repository import git_or_stop
from seedbed.errors import UserError
from seedbed.sweeps.pin import Pin

FOLDER = Path(".dvc/tmp/slots")


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
        folder = main / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(10_000):
            lock = (folder / f"{number}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            return cls(main, folder / str(number), lock)
        raise UserError(
            f"{folder}: ten thousand slots are in use. Is this a cluster with one folder for all?"
        )

    def prepare(self, pin: Pin) -> None:
        """Reset it for the first time, and make it anew where a killed process or a full disk left it beyond that."""
        try:
            self.reset(pin)
        except UserError:
            self._create()
            self.reset(pin)

    def reset(self, pin: Pin) -> None:
        """Bring the work tree to the pinned snapshot, with HEAD at the baseline; ignored data stay for DVC to reuse."""
        for left in (self.root / ".git").glob("*.lock"):  # of a killed Git
            left.unlink()
        self._git("update-ref", "--no-deref", "HEAD", pin.baseline)
        self._git("read-tree", "--reset", "-u", pin.snapshot)
        self._git("clean", "-fdq")
        self._configure()

    def commit(self, pin: Pin, name: str, message: str) -> bool:
        """Make the work tree an experiment of the repository; return whether it was there before."""
        # Written into the repository's own object store, nothing has to be copied afterwards.
        borrowed = {**os.environ, "GIT_OBJECT_DIRECTORY": str(self._objects)}
        self._git("add", "--all", environment=borrowed)
        tree = self._git("write-tree", environment=borrowed)
        commit = git_or_stop(self.main, "commit-tree", tree, "-p", pin.baseline, "-m", message)
        try:
            # With forty zeros as its old value a reference is made, never moved.
            git_or_stop(self.main, "update-ref", experiment_ref(pin, name), commit, "0" * 40)
        except UserError:
            if find_experiment(pin, name) is None:
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
        written.write_text(f"{self._objects}\n", encoding="utf-8")
        written.rename(info / "alternates")

    def _configure(self) -> None:
        """Give DVC here the repository's own settings and cache, and a place of its own for what it remembers."""
        from dvc.config import Config

        ours = self.main / ".dvc/config.local"
        theirs = self.root / ".dvc/config.local"
        if ours.exists():
            shutil.copyfile(ours, theirs)
        else:
            theirs.unlink(missing_ok=True)
        settings = Config(dvc_dir=str(self.main / ".dvc"), validate=False)
        cache = settings["cache"].get("dir") or str(self.main / ".dvc/cache")
        with Config(dvc_dir=str(self.root / ".dvc"), validate=False).edit("local") as local:
            local.setdefault("cache", {})["dir"] = str(cache)
            local.setdefault("core", {})["site_cache_dir"] = str(self.root / ".dvc/tmp/site")

    def _git(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        return git_or_stop(self.root, *arguments, environment=environment)


def experiment_ref(pin: Pin, name: str) -> str:
    """Return the reference by which DVC knows an experiment."""
    return f"refs/exps/{pin.baseline[:2]}/{pin.baseline[2:]}/{name}"


def find_experiment(pin: Pin, name: str) -> str | None:
    """Return the commit of an experiment, or None if there is none of that name."""
    try:
        return git_or_stop(
            Path(pin.root), "rev-parse", "--verify", "--quiet", experiment_ref(pin, name)
        )
    except UserError:
        return None


def find_by_digest(pin: Pin, digest: str) -> tuple[str, str] | None:
    """Return name and commit of the experiment whose name ends in a digest, or None if there is none."""
    patterns = [experiment_ref(pin, digest), experiment_ref(pin, f"*-{digest}")]
    listed = git_or_stop(
        Path(pin.root), "for-each-ref", "--count=1", "--format=%(refname) %(objectname)", *patterns
    )
    if not listed:
        return None
    ref, commit = listed.split()
    return ref.rpartition("/")[2], commit


def read_file(pin: Pin, commit: str, path: str) -> str:
    """Return the text of a file as an experiment's commit holds it."""
    return git_or_stop(Path(pin.root), "cat-file", "blob", f"{commit}:{path}")


def held(main: Path) -> bool:
    """Say whether a process works in a slot of the repository `main` now."""
    for path in (main / FOLDER).glob("*.lock"):
        with path.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
    return False
