"""The registry: versions of the champion and which one is in use, as Git tags in GTO's grammar.

`model@v0.1.0` registers a version, `model#production#3` puts one to use; a `!` takes either back
(`model@v0.1.0!#4`, `model#production!#5`). GTO (https://github.com/iterative/gto) writes the tags.
They are read here by their counters: GTO sorts by time, in whole seconds.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gto.tag import Action, parse_name
from gto.versions import SemVer

from seedbed.config.repository import git_or_stop
from seedbed.registry.content import tracked_hash

ARTIFACT = "model"
IN_USE = "production"
FIRST = "v0.1.0"
Bump = Literal["major", "minor", "patch"]


@dataclass(frozen=True)
class Registry:
    """What the tags of a repository say."""

    registered: list[str]  # every version that was ever registered, lowest first
    versions: list[str]  # those that were not cancelled
    # the versions in use one after the other; None where there was none for a time
    uses: list[str | None]
    since: list[str]  # when each of these uses began, in ISO 8601
    commits: dict[str, str]  # the commit of each version that was ever registered

    @property
    def in_use(self) -> str | None:
        """The version in use now."""
        return self.uses[-1] if self.uses else None

    @property
    def used_before(self) -> str | None:
        """The version in use before, leaving out those that were rolled back from."""
        stack: list[str] = []
        for version in self.uses:
            if version in stack:
                del stack[stack.index(version) + 1 :]
            elif version is not None:
                stack.append(version)
        return next((name for name in reversed(stack[:-1]) if name in self.versions), None)

    def next_version(self, bump: Bump) -> str:
        """Return the version after the highest there ever was; a cancelled one keeps its tag."""
        if not self.registered:
            return FIRST
        return str(SemVer(self.registered[-1]).bump(**{f"bump_{bump}": True}).version)


def read_registry(root: Path) -> Registry:
    """Read the champion's tags; a tag that does not follow GTO's grammar is somebody's own."""
    listed = git_or_stop(
        root,
        "for-each-ref",
        "--format=%(refname:strip=2) %(*objectname) %(taggerdate:iso-strict)",
        f"refs/tags/{ARTIFACT}[@#]*",
    )
    commits: dict[str, str] = {}
    cancelled: set[str] = set()
    moves: dict[int, tuple[str | None, str]] = {}
    for line in listed.splitlines():
        name, commit, moment = f"{line}  ".split(" ")[:3]
        tag = parse_name(name, raise_on_fail=False)
        if not commit or tag.get("name") != ARTIFACT:  # GTO reads annotated tags only
            continue
        match tag.get("action"):
            case Action.REGISTER:
                commits[tag["version"]] = commit
            case Action.DEREGISTER:
                cancelled.add(tag["version"])
            case (Action.ASSIGN | Action.UNASSIGN) as action if tag["stage"] == IN_USE:
                used = commit if action is Action.ASSIGN else None
                moves[tag.get("counter", 0)] = (used, moment)
    registered = sorted(commits, key=SemVer)
    version_at = {commit: version for version, commit in commits.items()}
    return Registry(
        registered,
        [version for version in registered if version not in cancelled],
        [version_at.get(used or "") for _, (used, _) in sorted(moves.items())],
        [moment for _, (_, moment) in sorted(moves.items())],
        commits,
    )


def versions_with(root: Path, digest: str) -> list[str]:
    """Return the versions whose champion has this hash, lowest first."""
    versions = read_registry(root).versions
    return [name for name in versions if tracked_hash(root, f"{ARTIFACT}@{name}") == digest]


def register(root: Path, version: str) -> None:
    """Make HEAD a version."""
    _gto().register(str(root), ARTIFACT, "HEAD", version=version)


def put_to_use(root: Path, version: str) -> None:
    """Put a version to use in place of the present one."""
    _gto().assign(str(root), ARTIFACT, IN_USE, version=version, force=True)


def _gto() -> Any:
    """Return GTO's API, without its log on the terminal: the commands print what was done."""
    import gto.api

    logging.getLogger("gto").setLevel(logging.ERROR)
    return gto.api
