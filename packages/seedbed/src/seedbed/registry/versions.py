"""The registry: which versions of the champion there are and which is in use, as tags of Git. No server is asked.

The tags are GTO's (https://github.com/iterative/gto): `model@v0.1.0` registers a version, `model#production#3` puts one to
use, and a `!` takes either back (`model@v0.1.0!#4`, `model#production!#5`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gto.tag import Action, parse_name
from gto.versions import SemVer

from seedbed.config.repository import git_or_stop
from seedbed.registry.content import tracked_hash

ARTIFACT = "model"
IN_USE = "production"
FIRST = "v0.1.0"
Bump = Literal["major", "minor", "patch"]


@dataclass(frozen=True)
class Tag:
    """A tag of the registry; `counter` says which came first."""

    name: str
    commit: str
    action: Action
    version: str | None
    stage: str | None
    counter: int


def versions_of(root: Path) -> list[str]:
    """Return the registered versions of the champion, the lowest first; one that was cancelled is none."""
    tags = _tags(root)
    cancelled = {tag.version for tag in tags if tag.action is Action.DEREGISTER}
    return [version for version in _registered(tags) if version not in cancelled]


def versions_with(root: Path, digest: str) -> list[str]:
    """Return the versions whose champion has this hash, the lowest first."""
    return [
        version
        for version in versions_of(root)
        if tracked_hash(root, f"{ARTIFACT}@{version}") == digest
    ]


def in_use(root: Path) -> str | None:
    """Return the version that is in use, or None."""
    return (_uses(root) or [None])[-1]


def used_before(root: Path) -> str | None:
    """Return the version that was in use before the one that is now, or None.

    A version that comes into use again takes back what came between, so none is returned that was rolled back from.
    """
    standing: list[str] = []
    for version in _uses(root):
        if version in standing:
            del standing[standing.index(version) + 1 :]
        elif version is not None:
            standing.append(version)
    known = versions_of(root)
    return next((version for version in reversed(standing[:-1]) if version in known), None)


def next_version(root: Path, bump: Bump) -> str:
    """Return the version after the highest that was ever registered; a cancelled one keeps its tag."""
    ever = _registered(_tags(root))
    return str(SemVer(ever[-1]).bump(**{f"bump_{bump}": True}).version) if ever else FIRST


def register(root: Path, version: str) -> None:
    """Make HEAD a version, and put it to use."""
    import gto.api

    with _quiet():
        gto.api.register(str(root), ARTIFACT, "HEAD", version=version)
    put_to_use(root, version)


def put_to_use(root: Path, version: str) -> None:
    """Say that from now on this version is in use."""
    import gto.api

    with _quiet():
        gto.api.assign(str(root), ARTIFACT, IN_USE, version=version, force=True)


def _uses(root: Path) -> list[str | None]:
    """Return the versions that were in use, one after the other; None where there was none for a time."""
    tags = _tags(root)
    of_commit = {tag.commit: tag.version for tag in tags if tag.action is Action.REGISTER}
    moves = [
        tag
        for tag in tags
        if tag.stage == IN_USE and tag.action in (Action.ASSIGN, Action.UNASSIGN)
    ]
    return [
        of_commit.get(tag.commit) if tag.action is Action.ASSIGN else None
        for tag in sorted(moves, key=lambda tag: tag.counter)
    ]


def _registered(tags: list[Tag]) -> list[str]:
    return sorted(
        {tag.version for tag in tags if tag.action is Action.REGISTER and tag.version}, key=SemVer
    )


def _tags(root: Path) -> list[Tag]:
    """Return the tags of the champion; what does not follow the grammar is somebody's own."""
    found = git_or_stop(
        root,
        "for-each-ref",
        "--format=%(refname:strip=2) %(*objectname)",
        f"refs/tags/{ARTIFACT}[@#]*",
    )
    tags = []
    for line in found.splitlines():
        name, _, commit = line.partition(" ")
        parsed = parse_name(name, raise_on_fail=False)
        # GTO writes annotated tags, and looks at no others.
        if commit and parsed.get("name") == ARTIFACT and "action" in parsed:
            tags.append(
                Tag(
                    name,
                    commit,
                    parsed["action"],
                    parsed.get("version"),
                    parsed.get("stage"),
                    parsed.get("counter", 0),
                )
            )
    return tags


@contextmanager
def _quiet() -> Iterator[None]:
    """GTO tells on the terminal what it does, and we do so ourselves."""
    level = logging.getLogger("gto").level
    logging.getLogger("gto").setLevel(logging.ERROR)
    try:
        yield
    finally:
        logging.getLogger("gto").setLevel(level)
