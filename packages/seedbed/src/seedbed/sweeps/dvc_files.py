"""dvc.lock read as text, without DVC: the entry of each stage."""

import re


def split_lock(text: str) -> tuple[str, dict[str, str]]:
    """Return the head of a dvc.lock and the text of each stage's entry by name, in order: together they are the file."""
    head: list[str] = []
    entries: dict[str, list[str]] = {}
    lines = head
    for line in text.splitlines(keepends=True):
        if found := re.match(r"  ([^\s:]+):\s*$", line):
            lines = entries.setdefault(found[1], [])
        lines.append(line)
    return "".join(head), {name: "".join(entry) for name, entry in entries.items()}
