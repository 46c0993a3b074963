"""Locks that a killed Git leaves behind: Git removes none itself, and refuses to work as long as they are there."""

import re
from pathlib import Path

import psutil

LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")
YOUNG = 1.0
"""Seconds that a lock may be older than a process without belonging to it: clocks of files are coarser."""


def locked_out(said: str) -> bool:
    """Say whether Git complains of a lock."""
    return LOCK.search(said) is not None


def remove_stale_locks(root: Path, said: str) -> bool:
    """Remove the locks that Git complains of, if no living Git may hold them; return whether one was removed.

    Parameters
    ----------
    root : Path
        Where Git was called.
    said : str
        Git's complaint. It names a lock of this repository, or one of a remote that is a directory of this machine.
    """
    removed = False
    for name in LOCK.findall(said):
        lock = (root / name).resolve()
        try:
            made = lock.stat().st_mtime
        except FileNotFoundError:
            removed = True  # whoever held it is done
            continue
        if not _git_since_before(made):
            lock.unlink(missing_ok=True)
            removed = True
    return removed


def _git_since_before(moment: float) -> bool:
    """Say whether a Git lives that began before a moment: it may be the one that made a lock then."""
    for process in psutil.process_iter(["name", "create_time", "status"]):
        known = process.info
        is_git = (known["name"] or "").startswith("git") and known["status"] != psutil.STATUS_ZOMBIE
        if is_git and (known["create_time"] or 0) <= moment + YOUNG:
            return True
    return False
