"""What Git moves: the current branch, tags and experiments. Marks of running experiments and of DVC's queue stay here."""

import os
import re
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError, some_of
from seedbed.remotes.git_locks import LOCK, Watch

EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)", re.DOTALL)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+=@#!,-]*")
ALLOWED = "letters from a to z, digits, and _ . + = @ # ! , -"
SHOWN = 5
UNREACHABLE = re.compile(
    r"Could not read from remote|unable to access|does not appear to be a git|Connection|Authentication|not found"
)
REGISTRY = re.compile(r"refs/tags/.*(@v|#).*")
"""Tags of the registry, as .github/workflows/release.yml has them: a version or a stage of a model."""
TRIES, PAUSE = 10, 0.3
"""How often Git is called while something holds a lock, and seconds between."""


@dataclass(frozen=True)
class Upstream:
    """Where the current branch goes: `remote` by name, and `branch`, the reference there; no branch on a detached HEAD."""

    remote: str
    branch: str | None
    local: str | None
    is_set: bool

    @property
    def tracking(self) -> str:
        """The reference that remembers the branch of the remote here."""
        assert self.branch is not None
        return f"refs/remotes/{self.remote}/{self.branch.removeprefix('refs/heads/')}"


def find_upstream(root: Path) -> Upstream:
    """Return the Git remote of the current branch, else `origin`, else the only one.

    Raises
    ------
    UserError
        If there is none, or several and none is chosen.
    """
    local = git(root, "symbolic-ref", "--quiet", "HEAD")
    remotes = (git(root, "remote") or "").splitlines()
    if local:
        short = local.removeprefix("refs/heads/")
        remote, branch = (
            git(root, "config", f"branch.{short}.remote"),
            git(root, "config", f"branch.{short}.merge"),
        )
        if remote in remotes and branch:
            return Upstream(str(remote), branch, local, is_set=True)
    if not remotes:
        raise UserError(
            f"{root}: Git has no remote, so branches and experiments have nowhere to go. Run `git remote add origin <address>`."
        )
    if "origin" not in remotes and len(remotes) > 1:
        raise UserError(
            f"{root}: Git has the remotes {', '.join(remotes)}, and none is chosen for this branch. "
            "Run `git push -u <remote> HEAD` once."
        )
    return Upstream("origin" if "origin" in remotes else remotes[0], local, local, is_set=False)


def local_refs(root: Path) -> dict[str, str]:
    """Return tags and experiments of this repository: what each reference points to."""
    return _shared(
        run_git(
            root, "for-each-ref", "--format=%(objectname)%09%(refname)", "refs/tags", "refs/exps"
        )
    )


def remote_refs(root: Path, remote: str) -> dict[str, str]:
    """Return branches, tags and experiments of a remote: what each reference points to."""
    return _shared(run_git(root, "ls-remote", "--refs", remote))


def _shared(listed: str) -> dict[str, str]:
    pairs = (line.split("\t", 1) for line in listed.splitlines())
    return {
        ref: commit
        for commit, ref in pairs
        if ref.startswith(("refs/heads/", "refs/tags/")) or EXPERIMENT.fullmatch(ref)
    }


def is_branch(ref: str) -> bool:
    """Say whether a reference is a branch."""
    return ref.startswith("refs/heads/")


def short(ref: str) -> str:
    """Return the name by which a person knows a reference."""
    found = EXPERIMENT.fullmatch(ref)
    return found[3] if found else re.sub(r"^refs/(heads|tags)/", "", ref)


def fault(ref: str) -> str:
    """Return why a tag or an experiment cannot be shared, an empty string if it can."""
    found = EXPERIMENT.fullmatch(ref)
    parts = [found[3]] if found else short(ref).split("/")
    if all(NAME.fullmatch(part) for part in parts):
        return ""
    kind = "experiment" if found else "tag"
    odd = sorted({letter for part in parts for letter in re.sub(r"[A-Za-z0-9_.+=@#!,-]", "", part)})
    why = f"holds {' '.join(repr(letter) for letter in odd)}" if odd else "begins with a sign"
    way = (
        f"dvc exp rename '{short(ref)}' <name>"
        if found and "/" not in found[3]
        else f"git update-ref -d '{ref}'"
    )
    if not found:
        way = f"git tag <name> '{short(ref)}' && git tag -d '{short(ref)}'"
    return (
        f"the {kind} {short(ref)!r} {why}, which shells, DVC or other machines' file systems read as something else. "
        f"Names are made of {ALLOWED}. Rename it: {way}"
    )


def describe(refs: Iterable[str]) -> str:
    """Say references in a few words, as in `main, 2 tags (v1, v2), 1 experiment (linear)`."""
    refs = sorted(refs)
    told = [short(ref) for ref in refs if is_branch(ref)]
    for kind in ("tag", "experiment"):
        names = [
            short(ref)
            for ref in refs
            if not is_branch(ref) and ref.startswith("refs/tags/") == (kind == "tag")
        ]
        if names:
            told.append(f"{len(names)} {kind}{'s' * (len(names) > 1)} ({some_of(names, SHOWN)})")
    return ", ".join(told)


def run_git(root: Path, *arguments: str, given: str | None = None) -> str:
    """Return what a Git command prints.

    Raises
    ------
    UserError
        If it fails, with what Git said and, for a remote that cannot be reached, what to look at.
    """
    return call_git(root, *arguments, given=given).stdout


def call_git(
    root: Path, *arguments: str, given: str | None = None, accept: tuple[int, ...] = (0,)
) -> subprocess.CompletedProcess[str]:
    """Run a Git command; where a lock is in the way, again, and in the end without the locks that nobody holds.

    Raises
    ------
    UserError
        As in `run_git`, if the exit code is none that is accepted.
    """
    watch = Watch(root)
    for left in reversed(range(TRIES)):
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            input=given or "",
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not watch.sees(done.stderr):
            break
        time.sleep(PAUSE)
        if left == 1:
            watch.remove_stale()
    if done.returncode not in accept:
        raise UserError(_explain(root, arguments, done.stderr))
    return done


def _explain(root: Path, arguments: tuple[str, ...], said: str) -> str:
    lines = [
        line.strip()
        for line in said.splitlines()
        if line.strip() and not line.startswith(("hint:", "To "))
    ]
    told = " ".join(lines[:4])
    if UNREACHABLE.search(told):
        return (
            f"{root}: the Git remote cannot be reached: {told} Check `git remote -v`, the network and your rights there. "
            "Nothing is lost: run the same command again."
        )
    if held := LOCK.search(said):
        told += f" If no Git is at work there, remove {held[1]}."
    return f"{root}: `git {arguments[0]}` failed: {told}"
