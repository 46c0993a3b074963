"""Writes what an experiment brought into params.yaml as an overlay, conf/experiment/<name>.yaml."""

import re
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from seedbed.config.compose import Overrides, compose_anew, find_overrides, read_overrides
from seedbed.config.composition import GLOBAL, MAIN, compose_conf, flatten
from seedbed.config.params import PARAMS
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError
from seedbed.files import write_text


def adopt_overrides(root: Path, name: str) -> list[str]:
    """Write an overlay with which conf/ composes to the present params.yaml; return what was done.

    Where another file of a group gives the values (``-S model=random_forest``), the overlay chooses that
    file; it holds all other values itself. It is listed at the end of the defaults of conf/config.yaml.
    An overlay of this name is written anew.

    Raises
    ------
    UserError
        If no overlay gives these values; conf/ is then left as it was.
    """
    if not re.fullmatch(r"\w[\w-]*", name):
        raise UserError(
            f"{name!r} cannot be the name of an overlay. Use letters, digits, _ and -: wide_forest."
        )
    wanted = _wanted(root)
    overlay, main = root / f"conf/experiment/{name}.yaml", root / MAIN
    before = {file: file.read_bytes() if file.exists() else None for file in (overlay, main)}
    try:
        write_text(overlay, f"{GLOBAL}\n")
        choices = _closest_choices(root, wanted)
        values = _differing(wanted, compose_conf(root, choices).values)
        write_text(overlay, _overlay_text(name, choices, values))
        _list_as_default(main, f"experiment/{name}")
        if left := find_overrides(wanted, compose_conf(root).values):
            raise UserError(
                f"no overlay composes to {PARAMS}: {left} would still differ. Remove a key that is "
                "marked ~ from conf/ by hand; an overlay cannot do that. conf/ is as it was."
            )
        compose_anew(root)
    except BaseException:
        for file, content in before.items():
            if content is None:
                file.unlink(missing_ok=True)
            else:
                file.write_bytes(content)
        raise
    held = [*choices, *Overrides("", flatten(values), []).as_typed()]
    return [
        f"conf/experiment/{name}.yaml: {', '.join(held)}",
        f"{MAIN}: `- experiment/{name}` is in its defaults. Take that line out to use it only by "
        f"`dvc exp run -S +experiment={name}`",
    ]


def _wanted(root: Path) -> dict[str, Any]:
    """Return what params.yaml holds; if conf/ was edited since, what conf/ says now with the overrides.

    Raises
    ------
    UserError
        If there is nothing to adopt.
    """
    params, composed = load_yaml(root / PARAMS), compose_conf(root).values
    recorded = read_overrides(root)
    if params.get("conf_hash") == composed["conf_hash"] or recorded is None:
        recorded, wanted = find_overrides(params, composed), params
    else:
        wanted = {}
        for key, value in (flatten(composed) | recorded.changed).items():
            if key not in recorded.removed:
                *parents, last = key.split(".")
                section = wanted
                for parent in parents:
                    section = section.setdefault(parent, {})
                section[last] = value
    if not recorded:
        raise UserError(f"there is nothing to adopt: {PARAMS} is what conf/ composes to.")
    return wanted


def _closest_choices(root: Path, wanted: dict[str, Any]) -> list[str]:
    """Choose files of groups, one after the other, as long as that leaves fewer values to write."""
    choices: list[str] = []
    while True:
        plain = compose_conf(root, choices)
        left = find_overrides(wanted, plain.values)
        sections = {key.partition(".")[0] for key in [*left.changed, *left.removed]}
        fewest = [(len(left), choices)]
        for group in sorted(sections & set(plain.chosen)):
            for file in sorted((root / "conf" / group).glob("*.yaml")):
                tried = [*choices, f"{group}={file.stem}"]
                try:
                    found = find_overrides(wanted, compose_conf(root, tried).values)
                except UserError:  # a file with ??? or one that does not go with the others
                    continue
                fewest.append((len(found), tried))
        best = min(fewest, key=lambda each: each[0])[1]
        if best == choices:
            return choices
        choices = best


def _differing(wanted: dict[str, Any], plain: dict[str, Any]) -> dict[str, Any]:
    """Return the values of `wanted` that `plain` does not have, nested as they are, conf_hash aside."""
    found: dict[str, Any] = {}
    for key, value in wanted.items():
        other = plain.get(key)
        if isinstance(value, dict) and value and isinstance(other, dict):
            if inner := _differing(value, other):
                found[key] = inner
        elif (key not in plain or value != other) and key != "conf_hash":
            found[key] = value
    return found


def _overlay_text(name: str, choices: list[str], values: dict[str, Any]) -> str:
    """Return an overlay that chooses files of groups and sets values."""
    chosen = [choice.split("=") for choice in choices]
    lines = [
        GLOBAL,
        f"# An experiment's values, by `seedbed adopt {name}`: dvc exp run -S +experiment={name}",
        *(["defaults:"] if chosen else []),
        *(f"  - override /{group}: {member}" for group, member in chosen),
    ]
    held = OmegaConf.to_yaml(OmegaConf.create(values)) if values else ""
    return "\n".join([*lines, held])


def _list_as_default(main: Path, entry: str) -> None:
    """Add an entry to the end of the defaults list of conf/config.yaml, unless it is there; comments stay."""
    lines = main.read_text(encoding="utf-8").splitlines(keepends=True)
    last = None
    for place, line in enumerate(lines):
        if line.startswith("defaults:") or (last is not None and line.lstrip().startswith("- ")):
            last = place
        elif last is not None and line.strip() and not line.lstrip().startswith("#"):
            break
    if last is None or not lines[last].lstrip().startswith("- "):
        raise UserError(
            f"{MAIN} has no list of defaults. Write one whose last line is `- {entry}`."
        )
    if not any(re.match(rf"\s*- {entry}\s*(#|$)", line) for line in lines):
        indent = lines[last].partition("-")[0]
        lines.insert(last + 1, f"{indent}- {entry}\n")
        write_text(main, "".join(lines))
