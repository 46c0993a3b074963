"""Writes what an experiment brought into params.yaml back into conf/, where a person would have put it."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from ruamel.yaml import YAML

from seedbed.config.compose import (
    Overrides,
    compose_anew,
    compose_text,
    find_overrides,
    flatten,
    read_overrides,
)
from seedbed.config.conf_hash import conf_files
from seedbed.config.homes import MAIN, default_members, is_global
from seedbed.config.params import PARAMS
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError
from seedbed.files import replacing


def adopt_overrides(root: Path) -> list[str]:
    """Edit conf/ so that it composes to the present params.yaml; return a line for each edit.

    A value that comes from another member of a group (``-S model=random_forest``) changes the defaults list of
    conf/config.yaml; any other goes into the chosen member's file if that holds its key, else into conf/config.yaml.

    Raises
    ------
    UserError
        If no such edit gives these values; conf/ is then left as it was.
    """
    wanted = _wanted(root)
    before = {file: file.read_bytes() for file in conf_files(root)}
    try:
        choices = _closest_choices(root, wanted)
        done = [_choose(root, group, member) for group, member in choices.items()]
        done += [
            _put(root, key, value) for key, value in _difference(root, wanted, {}).changed.items()
        ]
        if left := _difference(root, wanted, {}):
            raise UserError(
                f"conf/ cannot be made to compose to {PARAMS}: {left.in_words()} would stay apart (a key marked ~ must be "
                "removed from conf/ by hand). conf/ is as it was."
            )
        compose_anew(root)
    except BaseException:
        for file, content in before.items():
            file.write_bytes(content)
        raise
    return done or [f"nothing to adopt: {PARAMS} is what conf/ composes to"]


def _wanted(root: Path) -> dict[str, Any]:
    """Return params.yaml, or, where conf/ was edited after it, what conf/ says now with the recorded overrides on top."""
    params = load_yaml(root / PARAMS)
    composed: Any = OmegaConf.to_container(OmegaConf.create(compose_text(root)))
    recorded = read_overrides(root)
    if recorded is None or params.get("conf_hash") in (None, composed["conf_hash"]):
        return params
    wanted: dict[str, Any] = {}
    for key, value in (flatten(composed) | recorded.changed).items():
        if key not in recorded.removed:
            *parents, last = key.split(".")
            section = wanted
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
    return wanted


def _difference(root: Path, wanted: dict[str, Any], choices: dict[str, str]) -> Overrides:
    listed = {group for group, _ in default_members(root)}
    overrides = [
        f"{'' if group in listed else '+'}{group}={member}" for group, member in choices.items()
    ]
    composed: Any = OmegaConf.to_container(OmegaConf.create(compose_text(root, overrides)))
    return find_overrides(wanted, composed)


def _closest_choices(root: Path, wanted: dict[str, Any]) -> dict[str, str]:
    """Choose group members one after the other, as long as that leaves fewer values to write by hand."""
    choices: dict[str, str] = {}
    left = _difference(root, wanted, choices)
    while left:
        best, fewest = None, left
        for group, member in _members(root, left):
            try:
                found = _difference(root, wanted, choices | {group: member})
            except UserError:  # a member with ??? or one that does not go with the others
                continue
            if len(found) < len(fewest):
                best, fewest = {group: member}, found
        if best is None:
            break
        choices, left = choices | best, fewest
    return choices


def _members(root: Path, left: Overrides) -> list[tuple[str, str]]:
    """Return the members of groups that can bear on what is left: each takes a composition to try."""
    sections = {key.split(".")[0] for key in [*left.changed, *left.removed]}
    return [
        (file.parent.name, file.stem)
        for file in conf_files(root)
        if file.parent.parent == root / "conf" and (file.parent.name in sections or is_global(file))
    ]


def _choose(root: Path, group: str, member: str) -> str:
    def edit(document: Any) -> None:
        entry = next(
            (entry for entry in document["defaults"] if isinstance(entry, dict) and group in entry),
            None,
        )
        if entry is None:  # an overlay comes after all the rest
            defaults = document["defaults"]
            defaults.append({group: member})
            if comment := defaults.ca.items.pop(
                len(defaults) - 2, None
            ):  # the blank line below the list stays there
                defaults.ca.items[len(defaults) - 1] = comment
        else:
            entry[group] = member

    _edit(root / MAIN, edit)
    return f"{MAIN}: {group}: {member}"


def _put(root: Path, key: str, value: Any) -> str:
    file, path = _place(root, key)

    def edit(document: Any) -> None:
        *parents, last = path
        for parent in parents:
            document = document.setdefault(parent, {})
        document[last] = value

    _edit(file, edit)
    return f"{file.relative_to(root).as_posix()}: {'.'.join(path)}: {value}"


def _place(root: Path, key: str) -> tuple[Path, list[str]]:
    """Return the file to write the dotted `key` in, and the key's path inside that file."""
    parts = key.split(".")
    for group, member in default_members(root):
        file = root / "conf" / group / f"{member}.yaml"
        if file.is_file():
            everywhere = is_global(file)
            path = parts if everywhere else parts[1:]
            if (everywhere or group == parts[0]) and ".".join(path) in flatten(load_yaml(file)):
                return file, path
    return root / MAIN, parts


def _edit(file: Path, edit: Any) -> None:
    """Change a YAML file in place; comments and order stay."""
    yaml = YAML()
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.preserve_quotes = True
    yaml.representer.add_representer(
        type(None), lambda writer, _: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    document = yaml.load(file.read_text(encoding="utf-8"))
    edit(document)
    with replacing(file) as beside:
        yaml.dump(document, beside)
