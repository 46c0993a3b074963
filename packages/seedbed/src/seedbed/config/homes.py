"""Where in conf/ a value comes from: the file that a message tells a person to edit."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.config.conf_hash import conf_files
from seedbed.config.yaml_files import load_yaml

MAIN = "conf/config.yaml"
ABSENT = object()


def home_of(key: str, root: Path, values: dict[str, Any]) -> str:
    """Return the configuration file that holds the dotted `key`, or the best place to look for it.

    Parameters
    ----------
    key : str
        As in params.yaml; a number is a place in a list.
    root : Path
    values : dict
        What params.yaml holds.
    """
    parts = key.split(".")
    files = _files_in_force(parts[0], root, values)
    while parts:
        if holders := [
            name for name, content in files.items() if _walk(content, parts) is not ABSENT
        ]:
            return " or ".join(holders)
        parts.pop()  # what stands nowhere is to be put where the rest of its section is
    return MAIN


def _files_in_force(section: str, root: Path, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the files that may hold a part of the section, by name, each as the part of params.yaml that it stands for.

    params.yaml does not tell which member of a group it was composed of: that is taken to be the one which says most of
    the same, or else the one in the defaults list. An overlay is in force where all that it says holds.
    """
    defaults = [f"conf/{group}/{member}.yaml" for group, member in default_members(root)]
    contents: dict[str, dict[str, Any]] = {}
    members: dict[str, list[tuple[float, bool, str]]] = {}
    for path in conf_files(root):
        name, group = path.relative_to(root).as_posix(), path.parent.name
        whole = name == MAIN or is_global(path)
        if not whole and group != section:
            continue
        content = {key: value for key, value in load_yaml(path).items() if key != "defaults"}
        contents[name] = content if whole else {section: content}
        if name != MAIN:
            members.setdefault(group, []).append(
                (_likeness(contents[name], values), name in defaults, name)
            )
    in_force = {MAIN}
    for group, ranked in members.items():
        in_force |= (
            {max(ranked)[-1]}
            if group in values
            else {name for likeness, _, name in ranked if likeness == 1}
        )
    return {name: content for name, content in contents.items() if name in in_force}


def default_members(root: Path) -> list[tuple[str, str]]:
    """Return the defaults list as pairs of group and member, `${group}` replaced by that group's member."""
    if not (root / MAIN).is_file():
        return []
    listed: Any = load_yaml(root / MAIN).get("defaults", [])
    pairs: list[tuple[str, Any]] = [
        (group, member)
        for entry in listed
        if isinstance(entry, dict)
        for group, member in entry.items()
    ]
    chosen = dict(pairs)
    return [(group, chosen.get(str(member)[2:-1], member)) for group, member in pairs]


def is_global(file: Path) -> bool:
    """Whether a file of conf/ holds sections of params.yaml by their whole keys, as datasets and overlays do."""
    return file.read_text(encoding="utf-8").startswith("# @package _global_")


def _likeness(content: dict[str, Any], values: dict[str, Any]) -> float:
    """Return the share of a file's values that params.yaml has too."""
    same = [_walk(values, place) == value for place, value in _leaves(content)]
    return sum(same) / max(len(same), 1)


def _leaves(content: dict[str, Any]) -> Iterator[tuple[list[str], Any]]:
    for key, value in content.items():
        if isinstance(value, dict) and value:
            yield from (([str(key), *place], leaf) for place, leaf in _leaves(value))
        else:
            yield [str(key)], value


def _walk(value: Any, parts: list[str]) -> Any:
    for part in parts:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return ABSENT
    return value
