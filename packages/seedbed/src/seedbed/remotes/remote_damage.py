"""Objects that a remote holds damaged or lists and lacks: put aside there, since a push skips what seems to be there."""

import json
from collections.abc import Callable
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.remotes.data import Data, Moved
from seedbed.remotes.objects import is_damaged
from seedbed.remotes.report import count

ASIDE = "damaged"
"""The folder at the remote, beside files/ and runs/, into which what is damaged is renamed."""
ROUNDS = 20
"""How often what is found is put aside before the rest is given up: DVC stops at the first of some kinds."""


def move_whole(
    data: Data,
    move: Callable[[list[str]], Moved],
    revisions: list[str],
    tell: Callable[[str], None],
) -> Moved:
    """Move what revisions name; where the remote is at fault, put that aside there, tell it, and move the rest.

    In what is returned, objects are `broken` that came damaged twice though the remote has them whole.

    Raises
    ------
    UserError
        If the remote fails, or does not let anything be put aside.
    """
    moved = move(revisions)
    known: set[str] = set()
    for _ in range(ROUNDS):
        if not moved.broken:
            return moved
        found = _at_fault(data, moved.broken) - known
        if found:
            tell(_put_aside(data, found, revisions))
        known |= found
        again = move(revisions)  # once more in any case: it may have been the way, not the remote
        again.files += moved.files
        moved = again
        if not found:
            return moved
    raise UserError(
        f"{data.place}: {len(known)} objects there damaged or lost, and there are more. Run the same command again: it goes on."
    )


def _at_fault(data: Data, broken: set[str]) -> set[str]:
    """Return those that the remote itself lacks or holds damaged: what arrives here is no proof, its disk may be ours."""
    store = data.remote.odb
    with data.told("what it holds was not compared"):
        return {
            oid for oid in broken if not store.exists(oid) or is_damaged(store, oid, read_all=True)
        }


def _put_aside(data: Data, found: set[str], revisions: list[str]) -> str:
    """Rename objects, and the lists of folders that name them, at the remote; return what to tell.

    DVC takes the list of a folder as the sign that all its files are there, so that nobody would send them again.
    """
    from dvc_data.hashfile.db import get_index

    remote = data.remote
    store, folder = remote.odb, remote.fs.join(remote.path, ASIDE)
    lists = {
        oid
        for oid in _folder_lists(Path(data.repo.root_dir), revisions)
        if found & _files_of(data, oid)
    }
    told = f"{data.place}: {count(len(found), 'object')} there damaged or lost ({', '.join(sorted(found)[:3])})"
    try:
        with data.told("it was not put aside there"):
            store.fs.makedirs(folder)
            for oid in sorted(found | lists):
                if store.exists(oid):
                    store.fs.move(store.oid_to_path(oid), store.fs.join(folder, oid))
    except UserError as error:
        raise UserError(f"{told}. {error}") from error
    get_index(store).clear()
    return f"{told}. What is damaged was not used, and lies in {ASIDE}/ there now"


def _folder_lists(root: Path, revisions: list[str]) -> set[str]:
    """Return the lists of folders that revisions name, as their dvc.lock and .dvc files have them."""
    found = git(
        root, "grep", "-hoE", "[0-9a-f]{32}[.]dir", "HEAD", *revisions, "--", "dvc.lock", "*.dvc"
    )
    return set((found or "").split())


def _files_of(data: Data, oid: str) -> set[str]:
    for store in (data.cache, data.remote.odb):
        try:
            content = store.fs.cat_file(store.oid_to_path(oid))
            return {entry["md5"] for entry in json.loads(content)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return set()
