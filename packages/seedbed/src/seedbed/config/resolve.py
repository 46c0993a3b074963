"""After a merge: settles conflicts in files that are computed, and names what is left to a person."""

from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from seedbed.config.compose import OVERRIDES, Overrides, as_overrides, compose_anew
from seedbed.config.composition import ABSENT, look_up
from seedbed.config.conf_hash import conf_hash
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError, some_of
from seedbed.files import write_text

LOCK = "dvc.lock"
STATES = {
    "rebase-merge": "git rebase --continue",
    "rebase-apply": "git rebase --continue",
    "CHERRY_PICK_HEAD": "git cherry-pick --continue",
    "REVERT_HEAD": "git revert --continue",
    "MERGE_HEAD": "git commit",
}
"""What Git keeps while something is going on, and the command that ends it."""
SIDES = {2: "the current side", 3: "the other side"}
"""Git's numbers for what it merges: "ours" and "theirs"."""


def resolve(root: Path) -> list[str]:
    """Settle the conflicts in computed files and stage these; return what was done and what is left.

    dvc.lock and what stages write are taken from the current side (Git's "ours"). params.yaml is taken
    from the side whose conf/ the merge kept; where conf/ changed on both sides it is composed anew, and
    the overrides of each side that are lost by this are named.

    Raises
    ------
    UserError
        If nothing is being merged, or conf/ is in conflict still. Nothing is changed then.
    """
    conflicts = _conflicts(root)
    state = next((name for name in STATES if _is_there(root, name)), None)
    if not conflicts and state is None:
        raise UserError(
            f"{root}: no merge, rebase or cherry-pick is going on here, and no file is in conflict, so "
            f"there is nothing to resolve. If {LOCK} was committed with conflict marks, take the file of a "
            f"commit that has none: `git checkout <commit> -- {LOCK} {PARAMS} reports`, then `dvc repro`."
        )
    if choices := [name for name in conflicts if name.startswith("conf/")]:
        raise UserError(
            f"{some_of(choices, 5)}: this is in conflict still, and {PARAMS} follows from conf/. Choose "
            "between the two sides there, `git add` what you edited, and run `seedbed resolve` again. "
            "Nothing was changed."
        )
    done = []
    if not {PARAMS, OVERRIDES}.isdisjoint(conflicts):
        done += _settle_params(root)
        git_or_stop(root, "add", "--", PARAMS, OVERRIDES)
    computed = [name for name in _computed(root, conflicts) if name not in (PARAMS, OVERRIDES)]
    for name in computed:
        side = "ours" if 2 in conflicts[name] else "theirs"
        git_or_stop(root, "checkout", f"--{side}", "--", name)
        git_or_stop(root, "add", "--", name)
    if computed:
        done.append(f"taken from {SIDES[2]}: {', '.join(computed)}")
    left = sorted({*conflicts} - {*computed, PARAMS, OVERRIDES})
    first = "what is left to you, then " if left else ""
    ending = STATES[state] if state else "git commit"
    return [
        *(done or ["no computed file was in conflict"]),
        *(f"left to you: {name}: {_advice(name)}" for name in left),
        f"next: {first}`dvc repro`, which runs what is needed, then `git add --update` and `{ending}`",
    ]


def _conflicts(root: Path) -> dict[str, set[int]]:
    """Return the unmerged files, and of each the sides that have it."""
    found: dict[str, set[int]] = {}
    for entry in filter(None, (git(root, "ls-files", "--unmerged", "-z") or "").split("\0")):
        about, name = entry.split("\t", 1)
        found.setdefault(name, set()).add(int(about.split()[2]))
    return found


def _is_there(root: Path, state: str) -> bool:
    path = git(root, "rev-parse", "--git-path", state)
    return path is not None and (root / path).exists()


def _computed(root: Path, names: Any) -> list[str]:
    """Return dvc.lock and what the lock of either side holds as an output or below one."""
    outputs = set()
    for stage in (0, 2, 3):
        for entry in (_read(root, stage, LOCK).get("stages") or {}).values():
            outputs |= {out["path"] for out in entry.get("outs") or []}
    return [
        name
        for name in names
        if name == LOCK or not outputs.isdisjoint({name, *map(str, PurePosixPath(name).parents)})
    ]


def _settle_params(root: Path) -> list[str]:
    """Take params.yaml from the side whose conf/ this is, or compose it; name the overrides lost."""
    sides = {side: as_overrides(_read(root, side, OVERRIDES)) for side in SIDES}
    now = conf_hash(root)
    fitting = [side for side in SIDES if sides[side].conf_hash == now]
    best = max(fitting, key=lambda side: bool(sides[side]), default=None)
    if best is None:
        compose_anew(root)
        done = [f"{PARAMS} and {OVERRIDES}: composed from conf/, which is that of neither side"]
    else:
        for name in (PARAMS, OVERRIDES):
            write_text(root / name, _show(root, best, name))
        done = [f"{PARAMS} and {OVERRIDES}: taken from {SIDES[best]}, whose conf/ this is"]
    params = load_yaml(root / PARAMS)
    for side, overrides in sides.items():
        lost = Overrides(
            now,
            {
                key: value
                for key, value in overrides.changed.items()
                if look_up(params, key.split(".")) != value
            },
            [key for key in overrides.removed if look_up(params, key.split(".")) is not ABSENT],
        )
        if lost:
            typed = " ".join(f"-S '{override}'" for override in lost.as_typed())
            done.append(
                f"{PARAMS} held values of {SIDES[side]} that conf/ does not have, and they are not in it "
                f"now: {lost}. To have them back, write them into conf/, or, once this is committed, "
                f"`dvc exp run {typed}`."
            )
    return done


def _show(root: Path, side: int, name: str) -> str:
    """Return a file as one side of the merge has it; where it is not in conflict, as it was merged."""
    for place in (f":{side}:./{name}", f":0:./{name}"):
        if (text := git(root, "show", place)) is not None:
            return f"{text}\n"
    return ""


def _read(root: Path, side: int, name: str) -> dict[str, Any]:
    return yaml.load(_show(root, side, name), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {}


def _advice(name: str) -> str:
    if name.endswith(".dvc"):
        return (
            "both sides have data of their own under this name. Choose with "
            f"`git checkout --ours {name}` or `git checkout --theirs {name}`, then `git add {name}` and "
            f"`dvc checkout {name}`"
        )
    return f"edit it, then `git add {name}`"
