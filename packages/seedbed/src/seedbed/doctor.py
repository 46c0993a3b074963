"""What `seedbed doctor` finds and mends: leftovers of killed runs, damage in DVC's cache.

A run that is alive is never touched.
"""

import json
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from seedbed.config.repository import git
from seedbed.errors import UserError, some_of
from seedbed.progress import track
from seedbed.sweeps.snapshot import dead_snapshots

EXEC_REFS = "refs/exps/exec/"
LEFT_BY_EVERY_RUN = frozenset((f"{EXEC_REFS}EXEC_HEAD", f"{EXEC_REFS}EXEC_APPLY"))
"""DVC leaves these where all went well, too. With a detached HEAD they are a killed run's."""


@dataclass(frozen=True)
class Fault:
    """Something left behind or damaged, and a function that mends it and returns what it did."""

    description: str
    mend: Callable[[], str]


def examine_repository(root: Path) -> list[Fault]:
    """Return what killed runs left in the repository `root`.

    Raises UserError if an experiment is running in it now: its traces are not leftovers.
    """
    locks = [path for name in ("", "exps/") if (path := root / f".dvc/tmp/{name}rwlock").exists()]
    recorded = (_read(root / ".dvc/tmp/exps/run/workspace/workspace.json") or {}).get("pid")
    for pid in filter(None, [recorded, *(pid for lock in locks for pid in _holders(lock))]):
        if _is_dvc(pid):
            raise UserError(
                f"an experiment is running here (process {pid}). Wait for its end, or stop it "
                "first."
            )
    refs = (git(root, "for-each-ref", "--format=%(refname)", EXEC_REFS) or "").splitlines()
    detached = git(root, "symbolic-ref", "--quiet", "HEAD") is None
    if not detached and LEFT_BY_EVERY_RUN.issuperset(refs):
        refs = []
    broken = [lock for lock in locks if _holders(lock) or _read(lock) is None]
    left, half = _leftover_folders(root), _half_written(root)
    return [
        *_each("the marks of a killed or failed experiment", refs, _remove_ref, "removed", root),
        *([_detached_head(root)] if refs and detached else []),
        *_each("locks of dead processes", broken, _free, "freed", root),
        *_each("folders of killed experiments", left, _remove, "removed", root),
        *_each("snapshots of killed sweeps", dead_snapshots(root), _remove_ref, "removed", root),
        *_each("half-written outputs of killed stages", half, _remove, "removed", root),
    ]


def _each(
    description: str,
    things: Sequence[Any],
    mend: Callable[[Path, Any], object],
    done: str,
    root: Path,
) -> list[Fault]:
    """Return all references or paths of a kind as one fault; nothing where there are none."""
    names = ", ".join(
        thing.relative_to(root).as_posix() if isinstance(thing, Path) else thing for thing in things
    )

    def mend_all() -> str:
        for thing in things:
            mend(root, thing)
        return f"{done} {names}"

    return [Fault(f"{description}: {names}", mend_all)] if things else []


def _remove_ref(root: Path, ref: str) -> None:
    git(root, "update-ref", "-d", ref)


def _free(root: Path, lock: Path) -> None:
    lock.write_text("{}", encoding="utf-8")


def _remove(root: Path, path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _is_dvc(pid: int) -> bool:
    """Whether process `pid` lives and is a DVC: the system gives a dead one's number to another."""
    try:
        return any("dvc" in word for word in psutil.Process(pid).cmdline())
    except psutil.Error:
        return False


def _holders(lock: Path) -> list[int]:
    """Return the process ids in one of DVC's locks: readers come as lists, a writer alone."""
    held = _read(lock) or {}
    entries = [entry for kind in ("read", "write") for entry in held.get(kind, {}).values()]
    return [
        holder["pid"]
        for entry in entries
        for holder in (entry if isinstance(entry, list) else [entry])
    ]


def _leftover_folders(root: Path) -> list[Path]:
    exps = root / ".dvc/tmp/exps"
    used = [Path(each.info["cwd"]) for each in psutil.process_iter(["cwd"]) if each.info["cwd"]]
    folders = [*exps.glob("standalone/tmp*"), *exps.glob("tmp*")]
    return sorted(
        folder for folder in folders if not any(cwd.is_relative_to(folder) for cwd in used)
    )


def _half_written(root: Path) -> list[Path]:
    """Return what :mod:`seedbed.files` was writing beside an output when its process was killed."""
    tops = ("data", "models", "reports")
    candidates = [path for top in tops for path in (root / top).rglob(".*.tmp")]
    writers = {path: re.search(r"\.(\d+)\.tmp$", path.name) for path in candidates}
    left = {path for path, writer in writers.items() if writer and not _lives(int(writer[1]))}
    return sorted(path for path in left if left.isdisjoint(path.parents))


def _lives(pid: int) -> bool:
    """Whether process `pid` runs. In a container a zombie may stay for good."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _detached_head(root: Path) -> Fault:
    """Return how to bring HEAD back to the branch it was on: the last one, or the only one."""
    points_here = ("for-each-ref", "--points-at=HEAD", "--format=%(refname:short)", "refs/heads")
    branches = (git(root, *points_here) or "").splitlines()
    last = git(root, "rev-parse", "--abbrev-ref", "@{-1}")
    branch = last if last in branches else next(iter(branches), None)

    def attach() -> str:
        if branch is None:
            return "HEAD stays detached, since no branch ends there: choose one with `git switch`"
        git(root, "symbolic-ref", "HEAD", f"refs/heads/{branch}")
        return (
            f"HEAD is on {branch} again, no file was touched. DVC had staged the killed "
            "experiment's parameters; to go back to the last commit: "
            "git checkout HEAD -- params.yaml code.yaml dvc.lock reports, then make restore"
        )

    known = f"it was on {branch}" if branch else "no branch ends there"
    commit = git(root, "rev-parse", "--short", "HEAD")
    return Fault(f"HEAD is detached at {commit} by a killed experiment; {known}", attach)


def _read(path: Path) -> dict[str, Any] | None:
    """Return what a file of DVC holds; None if a killed process has left half of it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        return {}
    except ValueError:
        return None
    return content if isinstance(content, dict) else {}


def examine_cache(root: Path, read_all: bool = False) -> list[Fault]:
    """Return the damaged objects of the repository's cache.

    Parameters
    ----------
    root : Path
        Of the repository.
    read_all : bool
        Whether to read each object, as after trouble with the disk; else only those whose size or
        time of change is not what DVC recorded.
    """
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        cache = repo.cache.local
        paths = [path for path in Path(cache.path).glob("??/*") if path.suffix != ".tmp"]
        names = sorted(path.parent.name + path.name for path in paths)
        examined = track(names, len(names), "reading cached objects")
        damaged = [oid for oid in examined if _is_damaged(cache, oid, read_all)]
    description = f"damaged objects in DVC's cache: {some_of(damaged, 5)}"
    return [Fault(description, partial(_mend_cache, root, damaged))] if damaged else []


def _is_damaged(cache: Any, oid: str, read_all: bool) -> bool:
    """Return whether the content of a cached object has another hash than its name."""
    path = Path(cache.oid_to_path(oid))
    return path.exists() and _content_hash(cache, path, read_all) != oid.removesuffix(".dir")


def _content_hash(cache: Any, path: Path, read_all: bool) -> str:
    from dvc_data.hashfile.hash import hash_file

    state = None if read_all else cache.state
    _, found = hash_file(str(path), cache.fs, cache.hash_name, state)
    return str(found.value).removesuffix(".dir")


def _mend_cache(root: Path, damaged: list[str]) -> str:
    """Remove damaged objects, and the files that DVC made from them; return what was done.

    A good copy in the work tree takes the place of an object. What somebody edited stays.
    """
    from dvc.repo import Repo

    with Repo(str(root)) as repo:
        cache, index = repo.cache.local, repo.index.data["repo"]
        index.onerror = lambda *_: None  # of a folder whose list is damaged
        named = [(entry.hash_info, Path(root, *key)) for key, entry in index.iteritems()]
        for oid in damaged:
            Path(cache.oid_to_path(oid)).unlink()
        for name, path in named:
            if name and name.value in damaged and path.is_file():
                if _content_hash(cache, path, read_all=True) == name.value:
                    cache.add(str(path), cache.fs, name.value)
                elif (
                    _content_hash(cache, path, read_all=False) == name.value
                ):  # by what DVC recorded
                    path.unlink()
        lost = [oid for oid in damaged if not cache.exists(oid)]
    rest = f"; {len(lost)} are in no good copy here: `make pull` or `dvc repro` bring them back"
    return f"removed {len(damaged)} damaged objects from DVC's cache{rest if lost else ''}"
