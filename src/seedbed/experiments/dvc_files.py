"""dvc.yaml and dvc.lock read as text, without DVC: which stages lead to which, and the entry of each."""

import re
from pathlib import Path, PurePosixPath
from typing import Any

import yaml


def read_stages(root: Path) -> dict[str, Any]:
    """Return the stages of a dvc.yaml as they stand there."""
    return yaml.load((root / "dvc.yaml").read_bytes(), yaml.CSafeLoader)["stages"]


def outputs(stage: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the options of each output of a stage by its path; metrics and plots are outputs too."""
    listed = [out for kind in ("outs", "metrics", "plots") for out in stage.get(kind, [])]
    return {path: options for out in listed for path, options in ({out: {}} if isinstance(out, str) else out).items()}


def ancestors(stages: dict[str, Any], target: str) -> set[str]:
    """Return the names of all stages that lead to a target by what they write."""
    writes = {out: name for name, stage in stages.items() for out in outputs(stage)}
    found: set[str] = set()
    ahead = [target]
    while ahead:
        deps = stages[ahead.pop()].get("deps", [])
        inside = {str(path) for dep in deps for path in (PurePosixPath(dep), *PurePosixPath(dep).parents)}
        new = {writes[path] for path in inside & writes.keys()} - found
        found |= new
        ahead += new
    return found


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
