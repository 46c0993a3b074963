"""Which repository a command means: the one it is called in, never the one its code happens to lie in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from seedbed.errors import UserError

MOST_LINES = 3
"""Of what Git says when it fails: it may say the same of a hundred files."""


def find_root(start: Path | None = None) -> Path:
    """Return the nearest folder at or above `start` (the working directory) that holds .dvc/ and conf/.

    Neither ``__file__`` nor DVC_ROOT would do: in a worktree, in a temporary run or in a second repository
    they name another checkout. The answer is never cached, since a process may change its directory.

    Raises
    ------
    UserError
        If no folder above holds both.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / ".dvc").is_dir() and (folder / "conf").is_dir():
            return folder
    raise UserError(
        f"{here}: neither this folder nor one above it holds .dvc/ and conf/. Call this inside the project."
    )


def inside_experiment(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this process belongs to `dvc exp run` (in the workspace, a temporary folder or the queue) or to a sweep."""
    return "DVC_EXP_NAME" in environment or "SEEDBED_SLOT" in environment


def git(root: Path, *arguments: str) -> str | None:
    """Return what a Git command prints, stripped, or None if it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else None


def git_or_stop(root: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what a Git command prints, stripped.

    Raises
    ------
    UserError
        If it fails, with what Git said.
    """
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.splitlines()
        more = [f"(and {len(said) - MOST_LINES} more lines)"] if len(said) > MOST_LINES else []
        raise UserError(
            f"{root}: `git {' '.join(arguments)}` failed: {' '.join([*said[:MOST_LINES], *more])}"
        )
    return done.stdout.strip()


def untracked_files(root: Path, folder: str, *, ignored: bool = False) -> list[str]:
    """Return the files below `folder` that Git does not track, those that it ignores only if asked for."""
    # Ended by zeros, names come as they are; else Git quotes those with letters beyond ASCII.
    others = ["ls-files", "--others", "-z", *([] if ignored else ["--exclude-standard"])]
    listed = git(root, *others, "--", folder) or ""
    return sorted(name for name in listed.split("\0") if name)
