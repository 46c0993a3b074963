"""The repository that a command is called in, and Git in it."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from seedbed.errors import UserError

SHOWN = 3
"""Lines of Git's own message that are shown: it may say the same of a hundred files."""


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` that holds .dvc/ and conf/.

    Neither ``__file__`` nor DVC_ROOT would do: in a worktree, in a temporary run or in a second
    repository they name another checkout. The answer is never cached, since a process may change
    its directory.

    Raises UserError if no folder above holds both.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / ".dvc").is_dir() and (folder / "conf").is_dir():
            return folder
    raise UserError(
        f"{here}: neither this folder nor one above it holds .dvc/ and conf/. "
        "Call this inside the project."
    )


def inside_experiment(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process belongs to `dvc exp run` or to a job of a sweep."""
    return "DVC_EXP_NAME" in environment or "SEEDBED_SLOT" in environment


def run_git(
    root: Path,
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    given: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a Git command; it prints UTF-8 in any locale, and names without quotes."""
    return subprocess.run(
        ["git", "-c", "core.quotePath=false", *arguments],
        cwd=root,
        env=environment,
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


def git(root: Path, *arguments: str) -> str | None:
    """Return what a Git command prints, stripped, or None if it fails."""
    done = run_git(root, *arguments)
    return done.stdout.strip() if done.returncode == 0 else None


def git_or_stop(root: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what a Git command prints, stripped.

    Raises UserError if it fails, with Git's own message.
    """
    done = run_git(root, *arguments, environment=environment)
    if done.returncode == 0:
        return done.stdout.strip()
    lines = done.stderr.splitlines()
    more = f" (and {len(lines) - SHOWN} more lines)" if len(lines) > SHOWN else ""
    message = " ".join(lines[:SHOWN])
    raise UserError(f"{root}: `git {' '.join(arguments)}` failed: {message}{more}")


def untracked_files(root: Path, folder: str, *, ignored: bool = False) -> list[str]:
    """Return the files below `folder` that Git does not track, ignored ones if asked for."""
    standard = [] if ignored else ["--exclude-standard"]
    listed = git(root, "ls-files", "--others", "-z", *standard, "--", folder) or ""
    return sorted(name for name in listed.split("\0") if name)
