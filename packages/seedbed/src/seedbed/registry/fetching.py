"""Fetches a registered version of the champion, beside the work tree."""

import shutil
from pathlib import Path

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.registry.content import path_hash, run_dvc, tracked_hash
from seedbed.registry.versions import ARTIFACT, read_registry
from seedbed.serving.loading import CHAMPION

FETCHED = Path(".dvc/tmp/versions")


def fetch_version(root: Path, name: str) -> Path:
    """Return a folder with the bundle of a version, from DVC's cache or else from the remote.

    Parameters
    ----------
    root : Path
        The repository.
    name : str
        Such as "v0.1.0" or "model@v0.1.0".

    Raises UserError if there is no such version, or its files cannot be had.
    """
    version = name.removeprefix(f"{ARTIFACT}@")
    versions = read_registry(root).versions
    if version not in versions:
        known = f"There are {', '.join(versions)}." if versions else "None was registered yet."
        raise UserError(f"there is no version {version!r} of {ARTIFACT}. {known}")
    tag, folder = f"{ARTIFACT}@{version}", root / FETCHED / version
    digest = tracked_hash(root, tag)
    if path_hash(folder) != digest:
        prefix = (git(root, "rev-parse", "--show-prefix") or "").strip()
        source = f"{prefix}{CHAMPION.as_posix()}"
        top = git(root, "rev-parse", "--show-toplevel") or str(root)
        shutil.rmtree(folder, ignore_errors=True)  # DVC would put the champion inside
        folder.parent.mkdir(parents=True, exist_ok=True)
        run_dvc(
            root, "get", "--quiet", "--force", top.strip(), source, "--rev", tag, "-o", str(folder)
        )
        if path_hash(folder) != digest:
            raise UserError(
                f"{tag}: its files are damaged in DVC's cache. `seedbed doctor --mend --read-all` "
                "removes damaged ones; the same command then fetches them."
            )
    return folder
