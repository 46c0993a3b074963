"""What all jobs of a sweep start from: a commit, and the uncommitted work on top of it, both pinned once."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil
import yaml

from seedbed.config.repository import git, git_or_stop, untracked_files
from seedbed.errors import UserError

VARIABLE = "SEEDBED_SWEEP"
"""The environment variable by which a sweep hands its pin to workers, on this machine or another."""
REFS = "refs/seedbed/sweeps"


@dataclass(frozen=True)
class Pin:
    """Where a sweep starts: `tree` is the work tree's content then, of which `snapshot` (a commit) keeps hold.

    Without uncommitted work, `snapshot` is the baseline itself. `name` is the sweep's, `compared_by` what its jobs are
    compared by, in full, and `process` the one that keeps hold of it.
    """

    root: str
    baseline: str
    snapshot: str
    tree: str
    name: str
    compared_by: str = ""
    process: int = 0

    @classmethod
    def take(cls, root: Path, name: Callable[[str, str], str], compared_by: str = "") -> Self:
        """Pin the repository as it is now. Neither work tree, index nor stash change.

        Parameters
        ----------
        root : Path
            Of the repository.
        name : callable
            Makes the sweep's name of baseline and tree.
        compared_by : str
            What its jobs are compared by.

        Raises
        ------
        UserError
            If jobs could not work from it: no commit, no identity, a detached HEAD, a shallow clone, a repository
            that is a part of another, or files that Git does not know and a stage would read.
        """
        baseline = git(root, "rev-parse", "--verify", "--quiet", "HEAD")
        _check(root, baseline)
        assert baseline is not None
        snapshot = _snapshot(root) or baseline
        tree = git_or_stop(root, "rev-parse", f"{snapshot}^{{tree}}")
        pin = cls(
            str(root), baseline, snapshot, tree, name(baseline, tree), compared_by, os.getpid()
        )
        if snapshot != baseline:
            git_or_stop(root, "update-ref", pin.ref, snapshot)
        return pin

    @property
    def ref(self) -> str:
        """The reference that keeps the snapshot from being collected as garbage while the sweep runs."""
        return f"{REFS}/{self.tree}-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}-{self.process}"

    def release(self) -> None:
        """Let go of the snapshot: the experiments hold what they need of it."""
        git(Path(self.root), "update-ref", "-d", self.ref)

    def hand_on(self) -> None:
        """Put the pin into this process's environment, which workers inherit."""
        os.environ[VARIABLE] = json.dumps(asdict(self))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Return the pin that a sweep handed on, or None outside a sweep."""
        text = environment.get(VARIABLE)
        return cls(**json.loads(text)) if text else None


def dead_pins(root: Path) -> list[str]:
    """Return the references of sweeps whose process was killed before it let go of its snapshot."""
    refs = (git(root, "for-each-ref", "--format=%(refname)", REFS) or "").splitlines()
    return [ref for ref in refs if not psutil.pid_exists(int(ref.rpartition("-")[2]))]


def _snapshot(root: Path) -> str | None:
    """Return a commit that holds the uncommitted work, or None where there is none."""
    # As `git status` does: else files that were only touched, or copied with the repository, count as changed.
    git(root, "update-index", "-q", "--refresh")
    if git(root, "diff-index", "--quiet", "HEAD") is not None:
        return None
    snapshot = git(root, "stash", "create", "seedbed: the work tree of a sweep")
    if not snapshot:
        raise UserError(
            f"{root}: Git makes no snapshot of the uncommitted work. Files of which it knows the name only (`git add -N`) "
            "or a merge that is not finished may be why: add them wholly, or commit."
        )
    return snapshot


def _check(root: Path, baseline: str | None) -> None:
    if baseline is None:
        raise UserError(
            f"{root}: there is no commit yet, and experiments hang on one. Run `git add -A && git commit`."
        )
    if git(root, "symbolic-ref", "--quiet", "HEAD") is None:
        raise UserError(
            f"{root}: HEAD is detached at {baseline[:7]}, so experiments would hang on no branch. Run `git switch <branch>`; "
            "if a killed experiment left it so, `seedbed doctor --mend`."
        )
    if git(root, "rev-parse", "--is-shallow-repository") == "true":
        raise UserError(
            f"{root}: this is a shallow clone, of which no slot can be cloned. Run `git fetch --unshallow`."
        )
    if git(root, "rev-parse", "--show-prefix"):
        raise UserError(
            f"{root}: the project is a folder of a larger Git repository. Sweeps need it at the top of one."
        )
    if git(root, "var", "GIT_COMMITTER_IDENT") is None:
        raise UserError(
            "Git does not know who you are, and an experiment is a commit. Run `git config user.name ...` and "
            "`git config user.email ...`."
        )
    if needed := _needed_but_untracked(root):
        raise UserError(
            f"Git does not track {', '.join(needed)}, so no job would have {'it' if len(needed) == 1 else 'them'}. "
            "Run `git add` on what the sweep needs, and remove or ignore the rest."
        )


def _needed_but_untracked(root: Path) -> list[str]:
    """Return untracked files that a stage reads: below conf/ and src/, named in dvc.yaml, or tracked by DVC.

    What begins with a dot or an underscore below conf/ is an editor's or a tool's own, of which conf_hash knows nothing.
    """
    stages = (
        yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8")).get("stages", {}).values()
    )
    read = {"conf", "src", *(path for stage in stages for path in stage.get("deps", []))}
    return [
        path
        for path in untracked_files(root, ".")
        if not re.match(r"conf/(.*/)?[._]", path)
        and (
            path in ("dvc.yaml", ".dvcignore")
            or path.endswith(".dvc")
            or any(Path(path).is_relative_to(dep) for dep in read)
        )
    ]
