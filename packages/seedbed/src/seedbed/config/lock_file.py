"""Lock files of `uv pip compile`, read as text."""

import re
from pathlib import Path


def read_lock(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Return version and needs of each package in a lock file of `uv pip compile`.

    Where a package is locked in several versions, for several Pythons, all of them count.
    """
    versions: dict[str, set[str]] = {}
    needs: dict[str, set[str]] = {}
    name, via = "", False
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for line in lines:
        if pinned := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*])?==([^ ;\\]+)", line):
            name, via = canonical(pinned[1]), False
            versions.setdefault(name, set()).add(pinned[2])
        via = via or line.startswith("    # via")
        if via and (needed := re.fullmatch(r"    #(?: via)?\s+([\w.-]+)(?:\[[^]]*])?", line)):
            needs.setdefault(canonical(needed[1]), set()).add(name)
    return {
        name: (", ".join(sorted(found)), sorted(needs.get(name, ())))
        for name, found in versions.items()
    }


def canonical(name: str) -> str:
    """Return the canonical name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
