"""Locks on files, which the kernel frees when the process that holds one ends, however it ends."""

import fcntl
from pathlib import Path
from typing import IO


def lock(path: Path) -> IO[str]:
    """Return a file once this process has locked it; closing it frees it again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def try_lock(path: Path) -> IO[str] | None:
    """Return a file that this process has locked, or None where another process has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def is_locked(path: Path) -> bool:
    """Return whether a living process has locked a file."""
    file = try_lock(path)
    if file:
        file.close()
    return file is None
