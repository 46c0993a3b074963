"""Hashes as DVC gives them to files and folders, from bytes that are read now: what DVC remembers of a file may be outdated."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from seedbed.config.repository import git
from seedbed.remotes.objects import is_damaged
from seedbed.serving.champion import TRACKED


def bytes_hash(content: bytes) -> str:
    """Return the hash of a file's content."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def tree_hash(files: Mapping[str, str]) -> str:
    """Return the hash of a folder by those of its files, which are named by their POSIX path in it."""
    entries = [{"md5": files[name], "relpath": name} for name in sorted(files)]
    return f"{bytes_hash(json.dumps(entries, sort_keys=True).encode())}.dir"


def path_hash(path: Path) -> str | None:
    """Return the hash of a file or folder; None where there is none."""
    if path.is_dir():
        files = (file for file in path.rglob("*") if file.is_file())
        return tree_hash({file.relative_to(path).as_posix(): _file_hash(file) for file in files})
    return _file_hash(path) if path.is_file() else None


def tracked_hash(root: Path, commit: str | None = None) -> str | None:
    """Return the hash of the champion that models/champion.dvc names, in the work tree or in a commit; None without one."""
    if commit is None:
        text = (root / TRACKED).read_text(encoding="utf-8") if (root / TRACKED).exists() else None
    else:
        text = git(root, "show", f"{commit}:./{TRACKED.as_posix()}")
    return text and str(yaml.safe_load(text)["outs"][0]["md5"])


def unusable_objects(cache: Any, digest: str) -> tuple[list[str], list[str]]:
    """Return which objects of a file or folder DVC's cache holds damaged, and which it lacks; each is read."""
    listed = Path(cache.oid_to_path(digest))
    if not listed.exists():
        return [], [digest]
    if is_damaged(cache, digest, read_all=True):
        return [digest], []
    files = (
        {entry["md5"] for entry in json.loads(listed.read_bytes())}
        if digest.endswith(".dir")
        else set()
    )
    missing = {oid for oid in files if not Path(cache.oid_to_path(oid)).exists()}
    return sorted(oid for oid in files - missing if is_damaged(cache, oid, read_all=True)), sorted(
        missing
    )


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
