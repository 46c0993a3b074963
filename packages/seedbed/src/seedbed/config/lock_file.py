"""Lock files of `uv pip compile`, read as text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name

PINNED = re.compile(r"(([A-Za-z0-9._-]+)(?:\[[^]]*])?(?:==| @ )([^ ;\\\n]+))(?: ; ([^\\\n]+))?")
"""How the entry of a package begins: its name, its version or address, and where it holds."""


class Entry(NamedTuple):
    """An entry of a lock file."""

    name: str
    version: str  # or its address
    pin: str  # both, as they stand there: ``numpy==2.4.6``
    marker: str  # where it holds: ``python_full_version < '3.12'``; "" for everywhere
    hashes: tuple[str, ...]
    via: tuple[str, ...]  # what asks for it: packages, and ``project (pyproject.toml)``

    def holds(self, python: str | None = None) -> bool:
        """Tell whether it holds where this runs, or would on another Python, such as 3.12."""
        from packaging.markers import Marker

        other = {} if python is None else {"python_version": python, "python_full_version": python}
        return not self.marker or Marker(self.marker).evaluate(other)


class Locked(NamedTuple):
    """A package in a lock file."""

    # more than one where Pythons or platforms differ; of a package that is locked by its address,
    # its hashes, or the address if it has none
    versions: list[str]
    via: list[str]  # what asks for it: packages, and ``project (pyproject.toml)``


def read_lock(path: Path) -> dict[str, Locked]:
    """Return what a lock file of `uv pip compile` pins, by name; nothing if there is no file."""
    found: dict[str, Locked] = {}
    for entry in entries(path):
        versions, via = found.setdefault(entry.name, Locked([], []))
        hashes = entry.hashes if " @ " in entry.pin else ()
        versions += sorted({*(hashes or [entry.version])} - {*versions})
        via += entry.via
    return found


def entries(path: Path) -> Iterator[Entry]:
    """Yield the packages that a lock file pins; none if there is no file."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for part in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if pinned := PINNED.match(part):
            pin, name, version, marker = pinned.groups()
            hashes = re.findall(r"--hash=(\S+)", part)
            via = re.findall(r"^ +#(?: via)? +(?!via$)(\S[^\[\n]*)", part, re.MULTILINE)
            yield Entry(
                canonicalize_name(name),
                version,
                pin,
                (marker or "").strip(),
                tuple(hashes),
                tuple(via),
            )
