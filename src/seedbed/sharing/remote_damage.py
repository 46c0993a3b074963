"""Damaged objects of a remote are taken away there, so that they are sent or computed again: a push skips what is there."""

import json
from pathlib import Path

from seedbed.errors import UserError
from seedbed.sharing.data import Data


def remove_damaged(data: Data, damaged: set[str]) -> str:
    """Remove objects whose content is not what their name says from the remote; return what to tell.

    With a file go the lists of folders that hold it: DVC takes such a list as the sign that all its files are there.
    """
    from dvc_data.hashfile.db import get_index

    store = data.remote.odb
    lists = {
        oid for oid in _folder_lists(Path(data.cache.path)) if damaged & _files_of(Path(data.cache.oid_to_path(oid)))
    }
    names = ", ".join(sorted(damaged)[:3])
    told = f"{data.place} holds {len(damaged)} damaged object{'s' * (len(damaged) > 1)} ({names})"
    try:
        with data.told("they could not be removed"):
            for oid in sorted(damaged | lists):
                if store.exists(oid):
                    store.delete(oid)
    except UserError as error:
        return f"{told}, and they could not be removed there: {error}"
    get_index(store).clear()
    return (
        f"{told}: they were not used, and were removed there. Run `make push` on a machine that has good ones, or "
        "`dvc repro` and `make push` here."
    )


def _folder_lists(cache: Path) -> list[str]:
    return [path.parent.name + path.name for path in cache.glob("[0-9a-f][0-9a-f]/*.dir")]


def _files_of(folder_list: Path) -> set[str]:
    try:
        return {entry["md5"] for entry in json.loads(folder_list.read_bytes())}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
