"""Objects that a remote holds damaged or lists and lacks: taken away there, since a push skips what seems to be there."""

import json
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.sharing.data import Data
from seedbed.sharing.report import count


def remove_broken(data: Data, broken: set[str], revisions: list[str]) -> str:
    """Remove objects, and the lists of folders that name them, from the remote; return what to tell.

    DVC takes the list of a folder as the sign that all its files are there, so that nobody would send them again.

    Raises
    ------
    UserError
        If the remote does not let them be removed.
    """
    from dvc_data.hashfile.db import get_index

    store = data.remote.odb
    lists = {oid for oid in _folder_lists(Path(data.repo.root_dir), revisions) if broken & _files_of(data, oid)}
    told = f"{data.place}: {count(len(broken), 'object')} there damaged or lost ({', '.join(sorted(broken)[:3])})"
    try:
        with data.told("it was not removed there"):
            for oid in sorted(broken | lists):
                if store.exists(oid):
                    store.delete(oid)
    except UserError as error:
        raise UserError(f"{told}. {error}") from error
    get_index(store).clear()
    return (
        f"{told}. They were not used, and what is damaged was removed there. Run `make push` on a machine that has good ones, "
        "or `dvc repro` and `make push` here."
    )


def _folder_lists(root: Path, revisions: list[str]) -> set[str]:
    """Return the lists of folders that revisions name, as their dvc.lock and .dvc files have them."""
    found = git(root, "grep", "-hoE", "[0-9a-f]{32}[.]dir", "HEAD", *revisions, "--", "dvc.lock", "*.dvc")
    return set((found or "").split())


def _files_of(data: Data, oid: str) -> set[str]:
    for store in (data.cache, data.remote.odb):
        try:
            content = store.fs.cat_file(store.oid_to_path(oid))
            return {entry["md5"] for entry in json.loads(content)}
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return set()
