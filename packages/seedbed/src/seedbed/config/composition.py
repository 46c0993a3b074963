"""conf/ as Hydra composes it, and the file of conf/ that a value comes from."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException
from yaml import YAMLError

from seedbed.config.conf_hash import conf_files
from seedbed.config.yaml_files import load_yaml, parsed_in_c
from seedbed.errors import UserError, one_line

MAIN = "conf/config.yaml"
GLOBAL = "# @package _global_"
"""How a file of conf/ begins that sets values by their whole keys, as datasets and overlays do."""
ABSENT = object()


@dataclass(frozen=True)
class Composition:
    """One composition of conf/.

    Attributes
    ----------
    text : str
        The very bytes that `dvc exp run -S` writes to params.yaml.
    values : dict
        The same as values; not to be changed.
    chosen : dict of str to str
        The member of each group that Hydra chose, such as ``{"model": "mlp"}``.
    """

    text: str
    values: dict[str, Any]
    chosen: dict[str, str]


def compose_conf(root: Path, overrides: Sequence[str] = ()) -> Composition:
    """Compose `root`/conf with Hydra.

    Raises
    ------
    UserError
        If it cannot be composed; the message names the file to edit where one is known.
    """
    composed, chosen = _compose(root, overrides)
    text = text_of(composed, root)
    values: Any = OmegaConf.to_container(composed)
    return Composition(text, values, chosen)


@lru_cache(maxsize=1)
def plain_composition(root: Path, of: str) -> Composition:
    """Return conf/ composed without overrides, as long as its hash is `of`."""
    return compose_conf(root)


def text_of(composed: DictConfig, root: Path) -> str:
    """Return a composed conf/ of `root` as the text of params.yaml; it is resolved in place.

    Raises
    ------
    UserError
        If a value refers to another that does not exist.
    """
    raw: Any = OmegaConf.to_container(composed, resolve=False)
    try:
        OmegaConf.resolve(composed)
    except InterpolationResolutionError as error:
        raise UserError(_explain_interpolation(composed, raw, root) or one_line(error)) from None
    except OmegaConfBaseException as error:
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from error
    return OmegaConf.to_yaml(composed)


def file_to_edit(key: str, root: Path, values: dict[str, Any] | None = None) -> str:
    """Return the file of conf/ that sets a dotted `key`, to stand behind "Edit".

    Parameters
    ----------
    key : str
        As in params.yaml; a number is a place in a list.
    root : Path
    values : dict, optional
        What params.yaml holds. A value that conf/ alone does not give was chosen with ``-S``, maybe by
        another file of the group: then the answer is the group's folder and the override.
    """
    try:
        files = _files_in_use(root)
        plain = compose_conf(root).values if values is not None else None
    except UserError:
        return "conf/"
    parts = key.split(".")
    while not (found := [file for file in files if look_up(files[file], parts) is not ABSENT]):
        parts.pop()  # what no file sets belongs beside its neighbours
    found = found if parts else [MAIN]
    if plain is None or look_up(plain, parts) == look_up(values, parts):
        return " or ".join(found)
    folder = Path(found[-1]).parent.as_posix()
    place = MAIN if folder == "conf" else f"the file of {folder}/ that is used"
    return f"{place}, or correct the -S override that brought it in (`git checkout params.yaml` drops it)"


def look_up(value: Any, parts: Sequence[str]) -> Any:
    """Return what stands at a path of keys and places in nested mappings and lists, else ABSENT."""
    for part in parts:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, dict) and part in value:
            value = value[part]
        else:
            return ABSENT
    return value


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping's leaves by dotted key; lists and empty mappings are leaves."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def _compose(root: Path, overrides: Sequence[str]) -> tuple[DictConfig, dict[str, str]]:
    importlib.import_module("hydra_plugins.seedbed_conf_hash")
    GlobalHydra.instance().clear()
    try:
        with parsed_in_c(), initialize_config_dir(str(root / "conf"), version_base=None):
            composed = compose("config", overrides=list(overrides), return_hydra_config=True)
    except YAMLError as error:
        raise UserError(_explain_yaml_error(root, error)) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from error
    choices = composed.hydra.runtime.choices
    chosen = {group: member for group, member in choices.items() if "hydra/" not in group}
    with open_dict(composed):
        composed.pop("hydra")
    return composed, chosen


def _explain_yaml_error(root: Path, error: YAMLError) -> str:
    """Return the message for the file that is not YAML: Hydra does not name it."""
    for path in conf_files(root):
        try:
            load_yaml(path)
        except UserError as found:
            return str(found).replace(f"{root}/", "")
    return f"conf/ cannot be composed: {one_line(error)}"


def _explain_interpolation(composed: DictConfig, raw: dict[str, Any], root: Path) -> str:
    """Return the message for the first value that refers to one that does not exist."""
    for key, value in flatten(raw).items():
        try:
            OmegaConf.select(composed, key)
        except InterpolationResolutionError as error:
            why, file = str(error).splitlines()[0], file_to_edit(key, root)
            return f"conf/ cannot be composed: {key} is {value!r}: {why}. Edit {file}."
    return ""


def _files_in_use(root: Path) -> dict[str, dict[str, Any]]:
    """Return what each file of conf/ sets that conf/ without overrides is composed of, by whole keys."""
    _, chosen = _compose(root, ())
    listed = load_yaml(root / MAIN).get("defaults", [])
    overlays = [entry for entry in listed if isinstance(entry, str) and entry != "_self_"]
    members = [f"{group}/{member}" for group, member in chosen.items()]
    contents = {}
    for name in ["config", *members, *overlays]:
        path = root / f"conf/{name}.yaml"
        if path.is_file():
            content = {key: value for key, value in load_yaml(path).items() if key != "defaults"}
            whole = name == "config" or path.read_text(encoding="utf-8").startswith(GLOBAL)
            contents[f"conf/{name}.yaml"] = content if whole else {name.partition("/")[0]: content}
    return contents
