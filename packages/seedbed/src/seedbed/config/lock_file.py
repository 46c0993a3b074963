"""Lock files of `uv pip compile`, read as text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?(?:==| @ )([^ ;\\\n]+)")
"""How the entry of a package begins: its name, and its version or address."""


class Locked(NamedTuple):
    """A package in a lock file.

    Attributes
    ----------
    versions : list of str
        More than one where Pythons or platforms differ; of a package that is locked by its address,
        its hashes, or the address if it has none.
    via : list of str
        What asks for it: packages, and ``project (pyproject.toml)``.
    """

    versions: list[str]
    via: list[str]


def read_lock(path: Path) -> dict[str, Locked]:
    """Return what a lock file of `uv pip compile` pins, by name; nothing if there is no file."""
    found: dict[str, Locked] = {}
    for name, pinned, entry in _entries(path):
        versions, via = found.setdefault(name, Locked([], []))
        hashes = re.findall(r"--hash=(\S+)", entry) if " @ " in pinned[0] else []
        versions += sorted({*(hashes or [pinned[2]])} - {*versions})
        via += re.findall(r"^ +#(?: via)? +(?!via$)(\S[^\[\n]*)", entry, re.MULTILINE)
    return found


def entries(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each package that a lock file pins, and its lines but for comments."""
    for name, _, entry in _entries(path):
        lines = [line for line in entry.splitlines() if line.strip() and line.strip()[0] != "#"]
        yield name, "".join(f"{line}\n" for line in lines)


def versions_for(path: Path, python: str | None = None) -> dict[str, str]:
    """Return the version of each package that a lock file installs.

    Parameters
    ----------
    path : Path
    python : str, optional
        Such as 3.12; by default that which runs.
    """
    from packaging.markers import Marker

    other = {} if python is None else {"python_version": python, "python_full_version": python}
    found = {}
    for name, pinned, entry in _entries(path):
        marker = entry[pinned.end() :].partition("\n")[0].strip(" ;\\")
        if not marker or Marker(marker).evaluate(other):
            found[name] = pinned[2]
    return found


def _entries(path: Path) -> Iterator[tuple[str, re.Match[str], str]]:
    """Yield name, beginning and text of each entry of a lock file."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if pinned := PINNED.match(entry):
            yield canonical(pinned[1]), pinned, entry


def canonical(name: str) -> str:
    """Return the canonical name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
