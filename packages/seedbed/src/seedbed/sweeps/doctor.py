"""Finds and mends what a killed `dvc exp run` leaves behind; a run that is still alive is never touched."""

import json
import re
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.findings import Finding
from seedbed.sweeps.snapshot import dead_snapshots

EXEC_REFS = "refs/exps/exec/"
LEFT_BY_EVERY_RUN = frozenset((f"{EXEC_REFS}EXEC_HEAD", f"{EXEC_REFS}EXEC_APPLY"))
"""DVC leaves these behind where all went well, too: they tell of a killed run only where HEAD is detached."""


def examine(root: Path) -> list[Finding]:
    """Return what killed runs left in the repository `root`.

    Raises
    ------
    UserError
        If an experiment is running in it now: its traces are not leftovers.
    """
    if running := _running(root):
        raise UserError(
            f"an experiment is running here (process {running}). Wait for its end, or stop it first."
        )
    found = []
    refs = (git(root, "for-each-ref", "--format=%(refname)", EXEC_REFS) or "").splitlines()
    detached = git(root, "symbolic-ref", "--quiet", "HEAD") is None
    if refs and (detached or not LEFT_BY_EVERY_RUN.issuperset(refs)):
        found.append(
            Finding(
                f"the marks of a killed or failed experiment are left: {', '.join(refs)}",
                partial(_remove_refs, root, refs),
            )
        )
        if detached:
            branch = _branch_here(root)
            told = f"HEAD is detached at {git(root, 'rev-parse', '--short', 'HEAD')} by a killed experiment"
            known = f"it was on {branch}" if branch else "no branch ends there"
            found.append(Finding(f"{told}; {known}", partial(_attach, root, branch)))
    if locks := _stale_locks(root):
        names = ", ".join(lock.relative_to(root).as_posix() for lock in locks)
        found.append(Finding(f"locks of dead processes: {names}", partial(_unlock, locks, names)))
    if folders := _leftover_folders(root):
        names = ", ".join(folder.relative_to(root).as_posix() for folder in folders)
        found.append(
            Finding(f"folders of killed experiments: {names}", partial(_remove, folders, names))
        )
    if pins := dead_snapshots(root):
        found.append(
            Finding(
                f"snapshots of killed sweeps: {', '.join(pins)}", partial(_remove_refs, root, pins)
            )
        )
    if halves := _half_written(root):
        names = ", ".join(path.relative_to(root).as_posix() for path in halves)
        found.append(
            Finding(
                f"half-written outputs of killed stages: {names}", partial(_remove, halves, names)
            )
        )
    return found


def _running(root: Path) -> int | None:
    workspace = root / ".dvc/tmp/exps/run/workspace/workspace.json"
    recorded = _read(workspace).get("pid")
    if recorded and _is_dvc(recorded):
        return int(recorded)
    return next((pid for lock in _locks(root) for pid in _holders(lock) if _is_dvc(pid)), None)


def _is_dvc(pid: int) -> bool:
    """Say whether process `pid` lives and is a DVC: the system gives a dead one's number to another."""
    try:
        return any("dvc" in word for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _locks(root: Path) -> list[Path]:
    return [
        path for path in (root / ".dvc/tmp/rwlock", root / ".dvc/tmp/exps/rwlock") if path.exists()
    ]


def _holders(lock: Path) -> list[int]:
    """Return the process ids in one of DVC's read-write locks: readers come as lists, a writer alone."""
    entries = [entry for kind in ("read", "write") for entry in _read(lock).get(kind, {}).values()]
    return [
        holder["pid"]
        for entry in entries
        for holder in (entry if isinstance(entry, list) else [entry])
    ]


def _stale_locks(root: Path) -> list[Path]:
    return [lock for lock in _locks(root) if _holders(lock)]


def _leftover_folders(root: Path) -> list[Path]:
    exps = root / ".dvc/tmp/exps"
    in_use = set()
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"]:
            in_use.add(Path(process.info["cwd"]))
    candidates = [*exps.glob("standalone/tmp*"), *exps.glob("tmp*")]
    return sorted(
        folder for folder in candidates if not any(cwd.is_relative_to(folder) for cwd in in_use)
    )


def _half_written(root: Path) -> list[Path]:
    """Return what :mod:`seedbed.files` was writing beside an output when its process was killed."""
    candidates = [
        path for top in ("data", "models", "reports") for path in (root / top).rglob(".*.tmp")
    ]
    writers = {path: re.search(r"\.(\d+)\.tmp$", path.name) for path in candidates}
    left = {path for path, writer in writers.items() if writer and not _lives(int(writer[1]))}
    return sorted(path for path in left if left.isdisjoint(path.parents))


def _lives(pid: int) -> bool:
    """Say whether process `pid` runs: a zombie stays until its parent looks, which in a container may be never."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _branch_here(root: Path) -> str | None:
    """Return the branch that HEAD most likely was on: the last one, or the only one, that ends at this commit."""
    ending_here = (
        git(root, "for-each-ref", "--points-at=HEAD", "--format=%(refname:short)", "refs/heads")
        or ""
    ).splitlines()
    last = git(root, "rev-parse", "--abbrev-ref", "@{-1}")
    return last if last in ending_here else next(iter(ending_here), None)


def _attach(root: Path, branch: str | None) -> str:
    if branch is None:
        return (
            "HEAD stays detached, since no branch ends at this commit: choose one with `git switch`"
        )
    git(root, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    return (
        f"HEAD is on {branch} again, no file was touched. DVC had staged the killed experiment's parameters; to go back to "
        "the last commit: git checkout HEAD -- params.yaml dvc.lock reports, then make restore"
    )


def _remove_refs(root: Path, refs: list[str]) -> str:
    for ref in refs:
        git(root, "update-ref", "-d", ref)
    return f"removed {', '.join(refs)}"


def _unlock(locks: list[Path], names: str) -> str:
    for lock in locks:
        lock.write_text("{}", encoding="utf-8")
    return f"freed {names}"


def _remove(paths: list[Path], names: str) -> str:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return f"removed {names}"


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
