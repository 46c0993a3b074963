"""Settles what a merge left in conflict in files that follow from others; what people write is left to them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from seedbed.config.compose import OVERRIDES, Overrides, compose_anew
from seedbed.config.conf_hash import conf_hash
from seedbed.config.params import PARAMS
from seedbed.config.repository import git, git_or_stop
from seedbed.errors import UserError
from seedbed.files import write_text

GRAPH, LOCK = "dvc.yaml", "dvc.lock"
STATES = {
    "rebase-merge": "git rebase --continue",
    "rebase-apply": "git rebase --continue",
    "CHERRY_PICK_HEAD": "git cherry-pick --continue",
    "REVERT_HEAD": "git revert --continue",
    "MERGE_HEAD": "git commit",
}
"""What Git keeps while something is going on, and the command that ends it."""
OTHERS = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REBASE_HEAD")
MARK = b"<<<<<<< "


@dataclass(frozen=True)
class Side:
    """What one side of a merge has in params.yaml and reports/overrides.yaml."""

    name: str
    params: str
    recorded: str
    overrides: Overrides


def resolve(root: Path) -> list[str]:
    """Settle the conflicts in generated files and stage them; return what was done, and what is left to a person.

    dvc.lock and what stages write are taken from the current side (Git's "ours"). params.yaml is taken from the side whose
    conf/ the merge kept; where conf/ changed on both sides it is composed anew, and the overrides of each side are named.

    Raises
    ------
    UserError
        If nothing is being merged, or conf/ still has conflict marks. Nothing is changed then.
    """
    conflicts = _conflicts(root)
    state = next((name for name in STATES if _is_there(root, name)), None)
    if not conflicts and state is None:
        raise UserError(
            f"{root}: no merge, rebase or cherry-pick is going on here, and no file is in conflict, so there is nothing to "
            f"resolve. If {LOCK} was committed with conflict marks, take the file of a commit that has none: "
            f"`git checkout <commit> -- {LOCK} {PARAMS} reports`, then `dvc repro`."
        )
    _refuse_marks_in_conf(root)
    done: list[str] = []
    pair = [name for name in (PARAMS, OVERRIDES) if name in conflicts]
    if pair:
        done += _settle_params(root)
        git_or_stop(root, "add", "--", PARAMS, OVERRIDES)
    is_generated = _generated(root)
    taken = [name for name in conflicts if is_generated(name) and name not in pair]
    for name in taken:
        side = "ours" if 2 in conflicts[name] else "theirs"
        git_or_stop(root, "checkout", f"--{side}", "--", name)
        git_or_stop(root, "add", "--", name)
    if taken:
        done.append(f"taken from the current side: {', '.join(taken)}")
    left = [name for name in conflicts if name not in taken and name not in pair]
    return [
        *(done or ["no generated file was in conflict"]),
        *_left_to_you(left),
        *_next(left, state),
    ]


def _conflicts(root: Path) -> dict[str, set[int]]:
    """Return the unmerged files, and of each the sides that have it: 1 before they parted, 2 ours, 3 theirs."""
    found: dict[str, set[int]] = {}
    for entry in filter(None, (git(root, "ls-files", "--unmerged", "-z") or "").split("\0")):
        about, name = entry.split("\t", 1)
        found.setdefault(name, set()).add(int(about.split()[2]))
    return found


def _is_there(root: Path, state: str) -> bool:
    path = git(root, "rev-parse", "--git-path", state)
    return path is not None and (root / path).exists()


def _refuse_marks_in_conf(root: Path) -> None:
    files = sorted(path for path in (root / "conf").rglob("*.yaml") if path.is_file())
    marked = [path.relative_to(root).as_posix() for path in files if _has_marks(path)]
    if marked:
        raise UserError(
            f"{', '.join(marked)}: there are conflict marks in conf/ still, and {PARAMS} follows from conf/. Choose between "
            "the two sides there, `git add` what you edited, and run `seedbed resolve` again. Nothing was changed."
        )


def _has_marks(path: Path) -> bool:
    return any(line.startswith(MARK) for line in path.read_bytes().splitlines())


def _generated(root: Path) -> Callable[[str], bool]:
    """Return whether a file is dvc.lock or written by a stage, by the dvc.yaml of either side where that is in conflict itself."""
    texts = [git(root, "show", f":{stage}:./{GRAPH}") for stage in (0, 2, 3)]
    written = [re.escape(LOCK)]
    for text in filter(None, texts):
        for entry in (yaml.safe_load(text).get("stages") or {}).values():
            stage = entry.get("do", entry)  # what `foreach` repeats
            for out in [
                out for kind in ("outs", "metrics", "plots") for out in stage.get(kind) or []
            ]:
                path = PurePosixPath(stage.get("wdir") or ".") / (
                    out if isinstance(out, str) else next(iter(out))
                )
                # Of a name with variables in it any value will do. An output may be a folder, of whose files Git knows.
                written.append(
                    ".+".join(map(re.escape, re.split(r"\$\{.*?\}", path.as_posix()))) + "(/.*)?"
                )
    pattern = re.compile("|".join(written))
    return lambda name: pattern.fullmatch(name) is not None


def _settle_params(root: Path) -> list[str]:
    sides = [side for side in (_ours(root), _theirs(root)) if side is not None]
    now = conf_hash(root)
    fitting = [side for side in sides if side.overrides.conf_hash == now]
    best: Side | None = max(fitting, key=lambda side: bool(side.overrides), default=None)
    if best is not None:
        write_text(root / PARAMS, best.params)
        write_text(root / OVERRIDES, best.recorded)
        done = [f"{PARAMS} and {OVERRIDES}: taken from {best.name}, whose conf/ this is"]
    else:
        compose_anew(root)
        done = [f"{PARAMS} and {OVERRIDES}: composed from conf/, which is that of neither side"]
    for side in sides:
        kept = best is not None and _values(best.overrides) == _values(side.overrides)
        if side.overrides and not kept:
            choices = " ".join(f"-S '{choice}'" for choice in _as_typed(side.overrides))
            done.append(
                f"{PARAMS} held values of {side.name} that conf/ does not have, and they are not in it now: "
                f"{side.overrides.in_words()}. To have them back, write them into conf/, or, once this is committed, "
                f"`dvc exp run {choices}`."
            )
    return done


def _as_typed(overrides: Overrides) -> list[str]:
    told = {key: "null" if value is None else value for key, value in overrides.changed.items()}
    return [
        *(f"{key}={value}" for key, value in told.items()),
        *(f"~{key}" for key in overrides.removed),
    ]


def _values(overrides: Overrides) -> tuple[dict[str, Any], list[str]]:
    return overrides.changed, overrides.removed


def _ours(root: Path) -> Side | None:
    return _side("the current side", lambda name: _show(root, f":2:./{name}", f"HEAD:./{name}"))


def _theirs(root: Path) -> Side | None:
    return _side(
        "the other side",
        lambda name: _show(root, f":3:./{name}", *(f"{other}:./{name}" for other in OTHERS)),
    )


def _side(name: str, read: Callable[[str], str | None]) -> Side | None:
    params, recorded = read(PARAMS), read(OVERRIDES)
    if params is None or recorded is None:
        return None
    stated = yaml.safe_load(recorded) or {}
    found = Overrides(
        str((yaml.safe_load(params) or {}).get("conf_hash")),
        stated.get("changed") or {},
        stated.get("removed") or [],
    )
    return Side(name, params, recorded, found)


def _show(root: Path, *places: str) -> str | None:
    found = next((text for place in places if (text := git(root, "show", place)) is not None), None)
    return None if found is None else f"{found}\n"


def _left_to_you(names: list[str]) -> list[str]:
    told = []
    for name in names:
        if name.endswith(".dvc"):
            told.append(
                f"left to you: {name}: both sides have data of their own under this name. Choose with "
                f"`git checkout --ours {name}` or `git checkout --theirs {name}`, then `git add {name}` and `dvc checkout {name}`"
            )
        else:
            told.append(f"left to you: {name}: edit it, then `git add {name}`")
    return told


def _next(left: list[str], state: str | None) -> list[str]:
    first = "what is left to you, then " if left else ""
    ending = STATES[state] if state else "git commit"
    return [
        f"next: {first}`dvc repro`, which runs what is needed, then `git add --update` and `{ending}`"
    ]
