"""A sweep and what all its jobs start from: a commit, and the uncommitted work on top of it."""

import json
import os
import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil
import yaml

from seedbed.config.repository import git, git_or_stop, untracked_files
from seedbed.errors import UserError

VARIABLE = "SEEDBED_SWEEP"
"""The environment variable by which a sweep reaches its workers, on this machine or another."""
REFS = "refs/seedbed/sweeps"
FOLDER = Path(".dvc/tmp/sweeps")
"""Where the records and logs of each sweep's jobs are, and the journal of its study."""


@dataclass(frozen=True)
class Sweep:
    """A sweep, as its workers know it."""

    root: str
    baseline: str  # the commit on which the experiments hang
    snapshot: str  # a commit that holds the uncommitted work; the baseline where there is none
    tree: str  # the content of the snapshot
    name: str = ""
    objectives: tuple[str, ...] = ()  # what its jobs are compared by, as cv.roc_auc
    jobs: int | None = None  # how many there will be, where that is known
    process: int = 0  # which keeps the snapshot
    began: float = 0.0  # in seconds since the epoch

    @property
    def folder(self) -> Path:
        """Where the records of its jobs are."""
        return Path(self.root) / FOLDER / self.name

    @property
    def ref(self) -> str:
        """The reference that keeps the snapshot from Git's garbage collection meanwhile."""
        return f"{REFS}/{self.tree[:8]}-{self.process}"

    def release(self) -> None:
        """Let go of the snapshot: the experiments hold what they need of it."""
        git(Path(self.root), "update-ref", "-d", self.ref)

    def hand_on(self) -> None:
        """Put the sweep into this process's environment, which workers inherit."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls) -> Self | None:
        """Return the sweep that this process works for, or None outside a sweep."""
        text = os.environ.get(VARIABLE)
        if not text:
            return None
        values = json.loads(text)
        return cls(**{**values, "objectives": tuple(values["objectives"])})


def take_snapshot(root: Path) -> Sweep:
    """Return a sweep of the repository as it is now; work tree, index and stash stay as they are.

    Raises UserError if jobs could not start from it: no commit, no identity, a detached HEAD, a
    shallow clone, a repository that is a part of another, or files that Git does not track and a
    stage reads.
    """
    if git(root, "rev-parse", "--git-dir") is None:
        raise UserError(
            f"{root}: there is no Git repository, and experiments are commits. Run `git init`, "
            "then `git add -A && git commit`."
        )
    baseline = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
    if baseline is None:
        raise UserError(
            f"{root}: there is no commit yet, and experiments hang on one. "
            "Run `git add -A && git commit`."
        )
    _check_repository(root, baseline)
    snapshot = _commit_uncommitted(root) or baseline
    tree = git_or_stop(root, "rev-parse", f"{snapshot}^{{tree}}")
    sweep = Sweep(str(root), baseline, snapshot, tree, process=os.getpid(), began=time.time())
    if snapshot != baseline:
        git_or_stop(root, "update-ref", sweep.ref, snapshot)
    return sweep


def dead_snapshots(root: Path) -> list[str]:
    """Return the references of sweeps that were killed before they let go of their snapshot."""
    refs = (git(root, "for-each-ref", "--format=%(refname)", REFS) or "").splitlines()
    return [ref for ref in refs if not psutil.pid_exists(int(ref.rpartition("-")[2]))]


def _commit_uncommitted(root: Path) -> str | None:
    """Return a commit that holds the uncommitted work, or None where there is none."""
    # As `git status` does: else files that were only touched, or copied, count as changed.
    git(root, "update-index", "-q", "--refresh")
    if git(root, "diff-index", "--quiet", "HEAD") is not None:
        return None
    snapshot = git(root, "stash", "create", "seedbed: the work tree of a sweep")
    if not snapshot:
        raise UserError(
            f"{root}: Git makes no snapshot of the uncommitted work. Files added by `git add -N` "
            "or an unfinished merge may be why: add the files wholly, or commit."
        )
    return snapshot


def _check_repository(root: Path, baseline: str) -> None:
    if git(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise UserError(
            f"{root}: HEAD is detached at {baseline[:7]}, so experiments would hang on no branch. "
            "Run `git switch <branch>`; if a killed experiment left it so, `seedbed doctor --mend`."
        )
    if git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise UserError(
            f"{root}: experiments cannot be made in a shallow clone. Run `git fetch --unshallow`."
        )
    if git(root, "rev-parse", "--show-prefix"):
        raise UserError(
            f"{root}: the project is a folder of a larger Git repository. Experiments need it "
            "at the top of one."
        )
    if git(root, "var", "GIT_COMMITTER_IDENT") is None:
        raise UserError(
            "Git does not know who you are, and an experiment is a commit. Run "
            "`git config user.name ...` and `git config user.email ...`."
        )
    if needed := _untracked_inputs(root):
        raise UserError(
            f"Git does not track {', '.join(needed)}, so no job would have "
            f"{'it' if len(needed) == 1 else 'them'}. Run `git add` on what is needed, and remove "
            "or ignore the rest."
        )


def _untracked_inputs(root: Path) -> list[str]:
    """Return untracked files that a stage reads: its code, its dependencies, or DVC's own files.

    What begins with a dot or an underscore below conf/ is an editor's or a tool's own, which
    conf_hash leaves out.
    """
    text = (root / "dvc.yaml").read_text(encoding="utf-8")
    stages = yaml.safe_load(text).get("stages", {}).values()
    read = {"conf", "src", "packages", *(path for one in stages for path in one.get("deps", []))}
    return [
        path
        for path in untracked_files(root, ".")
        if not re.match(r"conf/(.*/)?[._]", path)
        and (
            path in ("dvc.yaml", ".dvcignore")
            or path.endswith(".dvc")
            or any(Path(path).is_relative_to(one) for one in read)
        )
    ]
