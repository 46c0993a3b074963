"""Objects of DVC's cache are what their names say: their hash. One that is not is damaged, and must not be served.

DVC marks a cached file read-only and trusts that mark for ever. What it also keeps is size, inode and time of change of each
file that it hashed. As long as these are the same the hash holds; where they differ, the file is read and hashed again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from seedbed.errors import some_of
from seedbed.findings import Finding
from seedbed.progress import track
from seedbed.remotes.arriving import hashed_on_the_way
from seedbed.remotes.report import count

SHOWN = 5


@contextmanager
def distrusted(cache: Any) -> Iterator[list[str]]:
    """Let DVC look at each object that it takes from or finds in a cache, and treat a damaged one as absent.

    DVC removes a damaged object then. Yields the names of those, in the order in which they are found.
    """
    from dvc_data.fsutils import _localfs_info
    from dvc_data.hashfile.db import HashFileDB
    from dvc_objects.errors import ObjectFormatError

    damaged: list[str] = []

    def check(oid: str, check_hash: bool = True, _info: Any = None) -> Any:
        info = _info or _localfs_info(
            cache.oid_to_path(oid)
        )  # most often it is not there: known before the state is asked
        try:
            # The class for remotes compares hashes, and asks the recorded state first; that for local files trusts the mode.
            return HashFileDB.check(cache, oid, check_hash, info)
        except ObjectFormatError:
            damaged.append(oid)
            raise

    cache.check = check
    try:
        with hashed_on_the_way(cache):
            yield damaged
    finally:
        del cache.check


def examine_cache(root: Path, read_all: bool = False) -> list[Finding]:
    """Return the damaged objects of the repository's cache.

    Parameters
    ----------
    root : Path
        Of the repository.
    read_all : bool
        Whether to read each object, which finds what a failing disk did too; else only those that changed since DVC hashed them.
    """
    from dvc.repo import Repo

    if not (root / ".dvc/config").exists():
        return []
    with Repo(str(root)) as repo:
        cache = repo.cache.local
        oids = _stored(Path(cache.path))
        damaged = [
            oid
            for oid in track(oids, len(oids), "looking at cached objects")
            if is_damaged(cache, oid, read_all)
        ]
    if not damaged:
        return []
    return [
        Finding(
            f"damaged objects in DVC's cache: {some_of(damaged, SHOWN)}",
            partial(mend, root, damaged),
        )
    ]


def is_damaged(cache: Any, oid: str, read_all: bool = False) -> bool:
    """Say whether the content of a cached object has another hash than its name."""
    from dvc_data.hashfile.hash import hash_file

    try:
        _, found = hash_file(
            cache.oid_to_path(oid), cache.fs, cache.hash_name, None if read_all else cache.state
        )
    except FileNotFoundError:
        return False
    # The suffix of a folder's list is in what DVC remembers, and not in what is read from the object.
    return str(found.value).removesuffix(".dir") != oid.removesuffix(".dir")


def mend(root: Path, damaged: list[str]) -> str:
    """Remove damaged objects from the cache, and what was checked out from them; return what was done.

    A good copy in the work tree takes the place of a damaged object. DVC fetches or computes the others again.
    """
    from dvc.repo import Repo

    removed = []
    with Repo(str(root)) as repo:
        cache = repo.cache.local
        for oid in damaged:
            Path(cache.oid_to_path(oid)).unlink(missing_ok=True)
        restored = restore(repo, set(damaged))
        for oid, path in _copies(repo, set(damaged) - restored):
            # Only what DVC took out of the cache, and nobody has changed since: an edit is somebody's work.
            _, claimed = cache.state.get(str(path), cache.fs)
            if claimed is not None and claimed.value == oid:
                path.unlink()
                removed.append(path.relative_to(root).as_posix())
    told = f"removed {count(len(damaged), 'damaged object')} from DVC's cache"
    if restored:
        told += f"; {len(restored)} of them restored from the work tree"
    if removed:
        told += f"; removed what was made from them: {', '.join(sorted(removed)[:SHOWN])}"
    if set(damaged) - restored:
        told += ". `make pull` fetches them again, `dvc repro` computes them again"
    return told


def restore(repo: Any, oids: set[str]) -> set[str]:
    """Put objects into the cache of which the work tree has the very content; return which."""
    from dvc_data.hashfile.hash import hash_file

    cache = repo.cache.local
    restored = set()
    for oid, path in _copies(repo, oids):
        # Without the recorded state, which says of a file what it was checked out as.
        _, found = hash_file(str(path), cache.fs, cache.hash_name, None)
        if oid not in restored and found.value == oid:
            cache.add(str(path), cache.fs, oid)
            restored.add(oid)
    return restored


def _copies(repo: Any, oids: set[str]) -> list[tuple[str, Path]]:
    """Return the files of the work tree that dvc.lock and .dvc files say to be one of these objects."""
    index = repo.index.data["repo"]
    index.onerror = lambda *_: None  # a folder whose list is gone has nothing to look at
    named = [
        (entry.hash_info.value, Path(repo.root_dir, *key))
        for key, entry in index.iteritems()
        if entry.hash_info
    ]
    return [(oid, path) for oid, path in named if oid in oids and path.is_file()]


def _stored(folder: Path) -> list[str]:
    """Return the names of all objects below the cache's folder; temporary files of killed processes are none."""
    return sorted(
        prefix.name + file.name
        for prefix in folder.glob("[0-9a-f][0-9a-f]")
        for file in prefix.iterdir()
        if not file.name.endswith(".tmp")
    )
