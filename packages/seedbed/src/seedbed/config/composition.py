"""conf/ as Hydra composes it, and the file of conf/ that a value comes from."""

import importlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException
from yaml import YAMLError

from seedbed.config.conf_hash import conf_files
from seedbed.config.schema import Params
from seedbed.config.yaml_files import load_yaml, parsed_in_c
from seedbed.errors import UserError, did_you_mean, one_line

MAIN = "conf/config.yaml"
ABSENT = object()


@dataclass(frozen=True)
class Composition:
    """One composition of conf/."""

    text: str  # the very bytes that `dvc exp run -S` writes to params.yaml
    values: dict[str, Any]  # the same as values; not to be changed
    # the member of each group that Hydra chose, such as ``{"model": "mlp"}``
    chosen: dict[str, str]


def compose_conf(root: Path, overrides: Sequence[str] = ()) -> Composition:
    """Compose `root`/conf with Hydra.

    Raises UserError if it cannot be composed; the message names the file to edit where one is
    known.
    """
    with _hydra(root):
        composed = compose("config", overrides=list(overrides), return_hydra_config=True)
    choices = composed.hydra.runtime.choices
    chosen = {group: member for group, member in choices.items() if "hydra/" not in group}
    with open_dict(composed):
        composed.pop("hydra")
    text = text_of(composed, root)
    values: Any = OmegaConf.to_container(composed, resolve=True)
    return Composition(text, values, chosen)


@lru_cache(maxsize=1)
def plain_composition(root: Path, of: str) -> Composition:
    """Return conf/ composed without overrides, as long as its hash is `of`."""
    return compose_conf(root)


def text_of(composed: DictConfig, root: Path) -> str:
    """Return a composed conf/ of `root` as the text of params.yaml.

    Raises UserError if a value refers to another that does not exist.
    """
    try:
        return OmegaConf.to_yaml(composed, resolve=True)
    except InterpolationResolutionError as error:
        key = str(error.full_key).replace("[", ".").replace("]", "")
        value = look_up(OmegaConf.to_container(composed), key.split("."))
        raise UserError(
            f"conf/ cannot be composed: {key} is {value!r}: {str(error).splitlines()[0]}. "
            f"Edit {file_to_edit(key, root)}."
        ) from None
    except OmegaConfBaseException as error:
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from error


def file_to_edit(key: str, root: Path, values: dict[str, Any] | None = None) -> str:
    """Return the file of conf/ that sets a dotted `key`, to stand behind "Edit".

    Parameters
    ----------
    key : str
        As in params.yaml; a number is a place in a list.
    values : dict, optional
        What params.yaml holds. A value that conf/ alone does not give was chosen with ``-S``,
        maybe by another file of the group: then the answer is the group's folder and the override.
    """
    try:
        files = _files_in_use(root)
        plain = compose_conf(root).values if values is not None else {}
    except UserError:
        return "conf/"
    parts = key.split(".")
    while not (found := [file for file in files if look_up(files[file], parts) is not ABSENT]):
        parts.pop()  # what no file sets belongs beside its neighbours
    file = found[-1] if parts else MAIN  # Hydra lists the file that wins last
    if values is None or look_up(plain, parts) == look_up(values, parts):
        return file
    folder = Path(file).parent.as_posix()
    place = MAIN if folder == "conf" else f"the file of {folder}/ that is used"
    return (
        f"{place}, or correct the -S override that brought it in "
        "(`git checkout params.yaml` drops it)"
    )


@contextmanager
def _hydra(root: Path) -> Iterator[ConfigLoader]:
    """Start Hydra in `root`/conf; its errors and those of YAML become one paragraph."""
    importlib.import_module("hydra_plugins.seedbed_conf_hash")
    GlobalHydra.instance().clear()
    try:
        with parsed_in_c(), initialize_config_dir(str(root / "conf"), version_base=None):
            yield GlobalHydra.instance().config_loader()
    except YAMLError as error:
        for path in conf_files(root):  # Hydra does not say which file is not YAML
            try:
                load_yaml(path)
            except UserError as found:
                raise UserError(str(found).replace(f"{root}/", "")) from None
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from None
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(
            f"conf/ cannot be composed: {explain_hydra(error, root / 'conf')}"
        ) from error


def explain_hydra(error: BaseException, conf: Path) -> str:
    """Return why Hydra cannot compose the folder `conf`, and what a missing choice may be."""
    if absent_key := re.match(r"Could not override '(\w+)'", str(error)):
        key, groups = absent_key[1], {path.name for path in conf.iterdir() if path.is_dir()}
        if key in groups:
            return f"{MAIN} chooses no {key}; write +{key}=... for that."
        return (
            f"conf/ sets no {key}{did_you_mean(key, sorted(groups | set(Params.model_fields)))}; "
            f"+{key}=... would add one."
        )
    if not isinstance(error, MissingConfigException) or not error.missing_cfg_file:
        return one_line(error)
    group, _, choice = error.missing_cfg_file.rpartition("/")
    chosen = re.compile(rf"^\s*- .*\b{re.escape(group)}\b.*: *{re.escape(choice)}\b", re.MULTILINE)
    files = [
        path
        for path in sorted(conf.rglob("*.yaml"))
        if chosen.search(path.read_text("utf-8", errors="replace"))
    ]
    place = f" in conf/{files[0].relative_to(conf).as_posix()}" if files else ""
    absent = f"there is no conf/{error.missing_cfg_file}.yaml"
    if not error.options:
        return f"{absent}. Correct the name{place}."
    alike = did_you_mean(choice, error.options)
    return f"{absent}{alike}. Choose one of {', '.join(error.options)}{place}."


def _files_in_use(root: Path) -> dict[str, dict[str, Any]]:
    """Return the files that plain conf/ is composed of, and what each sets, by whole keys."""
    with _hydra(root) as loader:
        listed = loader.compute_defaults_list("config", [], RunMode.RUN).defaults
    contents = {}
    for entry in listed:
        path = root / f"conf/{entry.config_path}.yaml"
        if path.is_file():
            content = {key: value for key, value in load_yaml(path).items() if key != "defaults"}
            for part in reversed((entry.package or "").split(".")):
                content = {part: content} if part else content
            contents[path.relative_to(root).as_posix()] = content
    return contents


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
