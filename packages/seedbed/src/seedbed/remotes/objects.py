"""Damaged objects in DVC's cache: their content has another hash than their name."""

from functools import partial
from pathlib import Path
from typing import Any

from seedbed.errors import some_of
from seedbed.findings import Finding
from seedbed.progress import track


def examine_cache(root: Path, read_all: bool = False) -> list[Finding]:
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
        damaged = [oid for oid in examined if is_damaged(cache, oid, read_all)]
    description = f"damaged objects in DVC's cache: {some_of(damaged, 5)}"
    return [Finding(description, partial(mend, root, damaged))] if damaged else []


def is_damaged(cache: Any, oid: str, read_all: bool = False) -> bool:
    """Return whether the content of a cached object has another hash than its name."""
    path = Path(cache.oid_to_path(oid))
    return path.exists() and _hash(cache, path, read_all) != oid.removesuffix(".dir")


def _hash(cache: Any, path: Path, read_all: bool) -> str:
    from dvc_data.hashfile.hash import hash_file

    state = None if read_all else cache.state
    _, found = hash_file(str(path), cache.fs, cache.hash_name, state)
    return str(found.value).removesuffix(".dir")


def mend(root: Path, damaged: list[str]) -> str:
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
                if _hash(cache, path, read_all=True) == name.value:
                    cache.add(str(path), cache.fs, name.value)
                elif _hash(cache, path, read_all=False) == name.value:  # by what DVC recorded
                    path.unlink()
        lost = [oid for oid in damaged if not cache.exists(oid)]
    rest = f"; {len(lost)} are in no good copy here: `make pull` or `dvc repro` bring them back"
    return f"removed {len(damaged)} damaged objects from DVC's cache{rest if lost else ''}"
