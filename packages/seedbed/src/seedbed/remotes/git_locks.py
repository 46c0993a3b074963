"""Locks that a killed Git leaves behind: Git removes none itself, and refuses to work as long as they are there."""

import os
import re
from pathlib import Path

import psutil

LOCK = re.compile(r"Unable to create '(.+?\.lock)': File exists")
YOUNG = 1.0
"""Seconds that a lock may be older than a process without belonging to it: clocks of files are coarser."""
SHARED = ("nfs", "cifs", "smb", "afs", "ceph", "lustre", "gluster", "9p", "virtiofs", "fuse")
"""How the names of file systems begin that other machines may write to."""
Sight = tuple[Path, int, int]
"""A lock, its inode and its time of change."""


class Watch:
    """Watches the locks that Git complains of from one try to the next: one that work is done under comes and goes.

    Parameters
    ----------
    root : Path
        Where Git is called.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._unchanged: set[Sight] | None = None

    def sees(self, said: str) -> bool:
        """Say whether Git complains of a lock, and look at it."""
        names = LOCK.findall(said)
        # One that a server names may be anywhere; here is only what is found here.
        found = {sight for name in names if (sight := _sight((self._root / name).resolve()))}
        self._unchanged = found if self._unchanged is None else self._unchanged & found
        return bool(names)

    def remove_stale(self) -> None:
        """Remove the locks that were the same each time and that no living process may hold."""
        for sight in self._unchanged or ():
            lock, _, changed = sight
            if (
                not _is_shared(lock)
                and not _may_be_held(lock, changed / 1e9)
                and _sight(lock) == sight
            ):
                lock.unlink(missing_ok=True)


def _sight(lock: Path) -> Sight | None:
    try:
        status = lock.stat()
    except OSError:
        return None
    return lock, status.st_ino, status.st_mtime_ns


def _is_shared(path: Path) -> bool:
    """Say whether another machine, whose processes nobody sees here, may have written a file."""
    mounts = [
        mount for mount in psutil.disk_partitions(all=True) if path.is_relative_to(mount.mountpoint)
    ]
    innermost = max(mounts, key=lambda mount: len(mount.mountpoint), default=None)
    return innermost is not None and innermost.fstype.lower().startswith(SHARED)


def _may_be_held(lock: Path, made: float) -> bool:
    """Say whether a process lives that may have made a lock: a Git, or a DVC, which has a Git of its own."""
    ours = _git_folder(lock)
    for process in psutil.process_iter(["name", "cmdline", "cwd", "create_time", "status"]):
        known = process.info
        if known["status"] == psutil.STATUS_ZOMBIE or (known["create_time"] or 0) > made + YOUNG:
            continue
        name, words = known["name"] or "", " ".join(known["cmdline"] or [])
        its = _git_folder(Path(known["cwd"]) / "x") if known["cwd"] else None
        if name == "git" or name.startswith("git-"):
            # One that lives for weeks holds no lock meanwhile; one of which nobody knows where it works may be ours.
            may = "daemon" not in words and its in (ours, None)
        else:
            is_dvc = (
                name.startswith(("python", "dvc")) and re.search("dvc|seedbed", words) is not None
            )
            may = is_dvc and its == ours and process.pid != os.getpid()
        if may:
            return True
    return False


def _git_folder(path: Path) -> Path | None:
    """Return where Git keeps the repository that a file is in; None if that is not seen from above it, as in a linked worktree."""
    for folder in path.parents:
        for candidate in (folder, folder / ".git"):
            if (candidate / "objects").is_dir() and (candidate / "HEAD").is_file():
                return candidate
        if (folder / ".git").is_file():
            return None
    return None
