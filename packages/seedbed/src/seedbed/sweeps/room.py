"""Whether a full disk may be why something failed."""

import shutil
from pathlib import Path

from seedbed.sweeps.slots import FOLDER as SLOTS

LITTLE_ROOM = 20_000_000
"""Bytes of free disk below which a failure is told to have come for want of it."""


def want_of_room(root: Path) -> str:
    """Return a sentence to add to an error where a full disk may be its cause, else nothing."""
    for folder in (root / SLOTS, root / ".dvc/tmp", root / ".dvc/cache", root):
        if folder.exists() and (free := shutil.disk_usage(folder).free) < LITTLE_ROOM:
            return f" The disk of {folder} is full: {free / 1e6:.1f} MB are left. Free some, as with `make gc`."
    return ""
