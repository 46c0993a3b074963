"""Lock files of `uv pip compile`, read as text."""

import re
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
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if pinned := PINNED.match(entry):
            versions, via = found.setdefault(canonical(pinned[1]), Locked([], []))
            hashes = re.findall(r"--hash=(\S+)", entry) if " @ " in pinned[0] else []
            versions += sorted({*(hashes or [pinned[2]])} - {*versions})
            via += re.findall(r"^ +#(?: via)? +(?!via$)(\S[^\[\n]*)", entry, re.MULTILINE)
    return found


def canonical(name: str) -> str:
    """Return the canonical name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
