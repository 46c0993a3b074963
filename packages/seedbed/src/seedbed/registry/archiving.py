"""One archive of a registered champion, to be carried where it serves: the same bytes for the same bundle."""

import gzip
import hashlib
import tarfile
from pathlib import Path

from gto.exceptions import InvalidTagName
from gto.tag import Action, parse_name

from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.files import replacing, write_text
from seedbed.registry.content import path_hash, tracked_hash
from seedbed.registry.versions import ARTIFACT
from seedbed.serving.bundle import load_bundle
from seedbed.serving.champion import FOLDER, TRACKED


def archive(root: Path, tag: str, out: Path) -> str:
    """Write the champion at `tag` as ``<name>-<version or stage>.tar.gz`` and its SHA-256 beside it; return what was done.

    Raises
    ------
    UserError
        If `tag` is none of the registry's, is not of the commit that is checked out, or its champion is not here or not whole.
    """
    name = _archive_name(tag)
    if name is None:
        return f"{tag} puts nothing to use, so there is nothing to archive."
    commit, head = (
        git(root, "rev-parse", "--verify", "--quiet", f"{rev}^{{commit}}") for rev in (tag, "HEAD")
    )
    if commit is None or commit != head:
        raise UserError(
            f"{tag} is {'no tag here' if commit is None else f'of commit {commit[:7]}'}, and {str(head)[:7]} is checked out. Run "
            f"`git fetch --tags` and `git checkout {tag}`."
        )
    if not (root / TRACKED).exists():
        raise UserError(
            f"{tag}: this commit has no {TRACKED}, so there is no champion to archive. `seedbed promote` makes it."
        )
    load_bundle(root / FOLDER)
    if path_hash(root / FOLDER) != tracked_hash(root):
        raise UserError(
            f"{FOLDER} is not what {TRACKED} names. Run `dvc pull {TRACKED}` or `dvc checkout --force {TRACKED}`."
        )
    path = out / f"{name}.tar.gz"
    with replacing(path) as beside:
        _pack(root / FOLDER, name, beside)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    write_text(out / f"{path.name}.sha256", f"{digest}  {path.name}\n")
    return (
        f"{path.relative_to(root) if path.is_relative_to(root) else path}: {tag}, sha256 {digest}"
    )


def _archive_name(tag: str) -> str | None:
    """Return what the archive is called, or None for a tag that takes something out of use."""
    try:
        parsed = parse_name(tag)
    except InvalidTagName:
        parsed = {}
    if parsed.get("name") != ARTIFACT:
        raise UserError(
            f"{tag!r} is no tag of the model: such are {ARTIFACT}@v1.0.0 (a version) and {ARTIFACT}#production#1 (a stage)."
        )
    if parsed["action"] == Action.REGISTER:
        return f"{ARTIFACT}-{parsed['version']}"
    return (
        f"{ARTIFACT}-{parsed['stage']}-{parsed['counter']}"
        if parsed["action"] == Action.ASSIGN
        else None
    )


def _pack(folder: Path, name: str, path: Path) -> None:
    """Write a tar of a folder's files in order, without times and owners, which would make each archive another."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                entry = tar.gettarinfo(
                    str(file), arcname=f"{name}/{file.relative_to(folder).as_posix()}"
                )
                entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname, entry.mode = (
                    0,
                    0,
                    0,
                    "",
                    "",
                    0o644,
                )
                with file.open("rb") as content:
                    tar.addfile(entry, content)
