"""Writes what an experiment brought into params.yaml as an overlay, conf/experiment/<name>.yaml."""

import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from seedbed.config.compose import check_composed, compose_anew
from seedbed.config.composition import MAIN, Composition, compose_conf
from seedbed.config.overrides import Overrides, as_override, find_overrides, read_overrides
from seedbed.config.params import PARAMS
from seedbed.config.yaml_files import conf_text, load_yaml
from seedbed.errors import UserError
from seedbed.files import write_text

GLOBAL = "# @package _global_"
"""How a file of conf/ begins that sets values by their whole keys."""
DEFAULTS = re.compile(
    r"^defaults:[ \t]*(?:#.*)?\n(?:[ \t]*(?:- .*|#.*)?\n)*([ \t]*)- .*\n", re.MULTILINE
)
"""The defaults list of conf/config.yaml up to its last entry, and the indent of that."""


def adopt_overrides(root: Path, name: str) -> list[str]:
    """Write an overlay with which conf/ composes to the present params.yaml; return what was done.

    Where another file of a group gives the values (``-S model=random_forest``), the overlay chooses
    that file; it holds all other values itself. It is listed at the end of the defaults of
    conf/config.yaml. An overlay of this name is written anew.

    Raises UserError if no overlay gives these values; conf/ is then left as it was.
    """
    if not re.fullmatch(r"\w[\w-]*", name, re.ASCII):
        raise UserError(
            f"{name!r} cannot be the name of an overlay. Use a to z, digits, _ and -: wide_forest."
        )
    plain = compose_conf(root)
    wanted = _wanted(root, plain)
    if not find_overrides(wanted, plain.values):
        compose_anew(root)
        return [f"nothing to adopt: {PARAMS} is what conf/ composes to"]
    overlay = f"conf/experiment/{name}.yaml"
    with TemporaryDirectory() as folder:
        trial = Path(folder)
        shutil.copytree(root / "conf", trial / "conf")
        write_text(trial / overlay, f"{GLOBAL}\n")
        choices, values = _choose_members(trial, wanted)
        write_text(trial / overlay, _overlay_text(name, choices, values.changed))
        _list_as_default(trial / MAIN, f"experiment/{name}")
        composed = compose_conf(trial).values
        if left := find_overrides(wanted, composed):
            raise UserError(
                f"no overlay composes to {PARAMS}: {left} would still differ. Remove a key that is "
                "marked ~ from conf/ by hand; an overlay cannot do that. conf/ is as it was."
            )
        check_composed(composed, root)
        for file in (overlay, MAIN):
            write_text(root / file, (trial / file).read_text(encoding="utf-8"))
    compose_anew(root)
    return [
        f"{overlay}: {', '.join([*_as_typed(choices), *values.as_typed()])}",
        f"{MAIN}: `- experiment/{name}` is in its defaults. Take that line out to use it only by "
        f"`dvc exp run -S +experiment={name}`",
    ]


def _wanted(root: Path, plain: Composition) -> dict[str, Any]:
    """Return what params.yaml holds; if conf/ was edited since, conf/ with the overrides."""
    params, recorded = load_yaml(root / PARAMS), read_overrides(root)
    if recorded is None or params.get("conf_hash") == plain.values["conf_hash"]:
        return params
    return recorded.apply_to(plain.values)


def _choose_members(root: Path, wanted: dict[str, Any]) -> tuple[dict[str, str], Overrides]:
    """Return, group by group, the files that leave the fewest values to write, and these values."""
    choices: dict[str, str] = {}
    plain = compose_conf(root)
    fewest = find_overrides(wanted, plain.values)
    for group in plain.chosen:
        if group not in {**fewest.changed, **fewest.removed}:
            continue
        for file in sorted((root / "conf" / group).glob("*.yaml")):
            tried = {**choices, group: file.stem}
            try:
                left = find_overrides(wanted, compose_conf(root, _as_typed(tried)).values)
            except UserError:  # a file with ??? or one that does not go with the others
                continue
            if len(left) < len(fewest):
                choices, fewest = tried, left
    return choices, fewest


def _as_typed(choices: dict[str, str]) -> list[str]:
    return [as_override(group, member) for group, member in choices.items()]


def _overlay_text(name: str, choices: dict[str, str], values: dict[str, Any]) -> str:
    """Return an overlay that chooses files of groups and sets values."""
    lines = [
        GLOBAL,
        f"# An experiment's values, by `seedbed adopt {name}`: dvc exp run -S +experiment={name}",
        *(["defaults:"] if choices else []),
        *(f"  - override /{group}: {member}" for group, member in choices.items()),
        conf_text(values) if values else "",
    ]
    return "\n".join(lines)


def _list_as_default(main: Path, entry: str) -> None:
    """Add an entry to the end of the defaults list, unless it is there; comments stay."""
    text = main.read_text(encoding="utf-8")
    listed = DEFAULTS.search(text)
    if listed is None:
        raise UserError(
            f"{MAIN} has no list of defaults. Write one whose last line is `- {entry}`."
        )
    if not re.search(rf"^\s*- {entry}\s*(#|$)", listed[0], re.MULTILINE):
        end = listed.end()
        write_text(main, f"{text[:end]}{listed[1]}- {entry}\n{text[end:]}")
