"""After a merge: settles conflicts in computed files, and names what is left to a person."""

import shlex
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from seedbed.config.compose import compose_anew
from seedbed.config.conf_hash import conf_hash
from seedbed.config.overrides import OVERRIDES, as_overrides, find_overrides
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, some_of

LOCK = "dvc.lock"
OURS, THEIRS = 2, 3
"""Git's numbers for the two sides of a merge."""


def resolve(root: Path) -> list[str]:
    """Settle the conflicts in computed files; return what was done and what is left.

    dvc.lock and what stages write are taken from the current side, Git's "ours". So is params.yaml
    if the merge kept that side's conf/; else it is composed anew. Overrides of either side that are
    lost by this are named. What is settled is staged.

    Raises UserError if no file is in conflict, or conf/ is in conflict still. Nothing is changed
    then.
    """
    conflicts = _conflicts(root)
    if not conflicts:
        raise UserError(
            f"{root}: no file is in conflict here, so there is nothing to resolve. If {LOCK} was "
            "committed with conflict marks, take the files of a commit that has none: "
            f"`git checkout <commit> -- {LOCK} {PARAMS} code.yaml reports`, then `dvc repro`."
        )
    if choices := [name for name in conflicts if name.startswith("conf/")]:
        raise UserError(
            f"{some_of(choices, 5)}: still in conflict, and {PARAMS} follows from conf/. Choose "
            "between the two sides there, `git add` what you edited, and run `seedbed resolve` "
            "again. Nothing was changed."
        )
    outputs = _outputs(root)
    computed = [
        name
        for name in conflicts
        if not outputs.isdisjoint({name, *map(str, PurePosixPath(name).parents)})
    ]
    for name in computed:
        side = "ours" if OURS in conflicts[name] else "theirs"
        git_or_stop(root, "checkout", f"--{side}", "--", name)
    done = [f"taken from the current side: {', '.join(computed)}"] if computed else []
    if not {PARAMS, OVERRIDES}.isdisjoint(computed):
        done += _settle_params(root)
        git_or_stop(root, "add", "--", PARAMS, OVERRIDES)
    git_or_stop(root, "add", "--", *computed)
    left = [name for name in conflicts if name not in computed]
    first = "what is left to you, then " if left else ""
    return [
        *(done or ["no computed file was in conflict"]),
        *(f"left to you: {name}: {_advice(name)}" for name in left),
        f"next: {first}`dvc repro`, which runs what is needed, then `git add --update`, and the "
        "command that ends the merge: `git status` names it",
    ]


def _conflicts(root: Path) -> dict[str, set[int]]:
    """Return the unmerged files, and of each the sides that have it."""
    found: dict[str, set[int]] = {}
    for entry in filter(None, (git(root, "ls-files", "--unmerged", "-z") or "").split("\0")):
        about, name = entry.split("\t", 1)
        found.setdefault(name, set()).add(int(about.split()[2]))
    return found


def _outputs(root: Path) -> set[str]:
    """Return what the stages of either side write, by their dvc.lock."""
    locks = [_read(root, side, LOCK) for side in (OURS, THEIRS)]
    stages = [stage for lock in locks for stage in (lock.get("stages") or {}).values()]
    return {LOCK, *(out["path"] for stage in stages for out in stage.get("outs") or [])}


def _settle_params(root: Path) -> list[str]:
    """Compose params.yaml unless conf/ is the current side's; name the values that are lost."""
    done = []
    if load_yaml(root / PARAMS).get("conf_hash") != conf_hash(root):
        compose_anew(root)
        done = [f"{PARAMS} and {OVERRIDES}: composed from conf/, which is not the current side's"]
    params = load_yaml(root / PARAMS)
    for name, side in {"the current side": OURS, "the other side": THEIRS}.items():
        overrides = as_overrides(_read(root, side, OVERRIDES))
        if lost := find_overrides(overrides.apply_to(params), params):
            typed = " ".join(f"-S {shlex.quote(override)}" for override in lost.as_typed())
            done.append(
                f"{PARAMS} held values of {name} that conf/ does not have, and they are not in it "
                f"now: {lost}. To have them back, write them into conf/, or, once this is "
                f"committed, `dvc exp run {typed}`."
            )
    return done


def _read(root: Path, side: int, name: str) -> dict[str, Any]:
    """Return a YAML file as one side of the merge has it, or as it was merged."""
    texts = (git(root, "show", f":{stage}:./{name}") for stage in (side, 0))
    return yaml.safe_load(next((text for text in texts if text is not None), "")) or {}


def _advice(name: str) -> str:
    if name.endswith(".dvc"):
        return (
            "both sides have data of their own under this name. Choose with "
            f"`git checkout --ours {name}` or `git checkout --theirs {name}`, then `git add "
            f"{name}` and `dvc checkout {name}`"
        )
    return f"edit it, then `git add {name}`"
