"""Keeps params.yaml in step with conf/ without ever dropping what an experiment brought in."""

import importlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException
from yaml import YAMLError

from seedbed.config.conf_hash import conf_files, conf_hash
from seedbed.config.homes import home_of
from seedbed.config.params import PARAMS, check_params
from seedbed.config.repository import git, inside_experiment, untracked_files
from seedbed.config.yaml_files import load_yaml, parsed_in_c
from seedbed.errors import UserError, one_line
from seedbed.files import write_text

OVERRIDES = "reports/overrides.yaml"
HEADER = "# Where params.yaml differs from the plain composition of conf/: brought in by an experiment or by hand.\n"


@dataclass(frozen=True)
class Overrides:
    """What params.yaml holds beyond the plain composition of conf/ that has the hash `conf_hash`."""

    conf_hash: str
    changed: dict[str, Any]
    removed: list[str]

    def __len__(self) -> int:
        return len(self.changed) + len(self.removed)

    def in_words(self) -> str:
        """Return the overrides as they would be typed."""
        return ", ".join(
            [
                *(f"{key}={value}" for key, value in self.changed.items()),
                *(f"~{key}" for key in self.removed),
            ]
        )


def compose_text(root: Path, overrides: list[str] | None = None) -> str:
    """Return conf/ composed by Hydra, as the very bytes that `dvc exp run -S` writes to params.yaml.

    Raises
    ------
    UserError
        If Hydra cannot compose it.
    """
    importlib.import_module("hydra_plugins.seedbed_conf_hash")
    GlobalHydra.instance().clear()
    try:
        with parsed_in_c(), initialize_config_dir(str(root / "conf"), version_base=None):
            composed = compose("config", overrides=overrides or [])
    except YAMLError as error:
        raise UserError(_which_is_no_yaml(root, error)) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from error
    return text_of(composed, root)


def text_of(composed: DictConfig, root: Path) -> str:
    """Return a composed conf/ of `root` as the text of params.yaml; it is resolved in place.

    Raises
    ------
    UserError
        If a value stands for another that is not there.
    """
    try:
        OmegaConf.resolve(composed)
    except InterpolationResolutionError as error:
        raise UserError(_which_does_not_resolve(root, composed, error)) from None
    except OmegaConfBaseException as error:
        raise UserError(f"conf/ cannot be composed: {one_line(error)}") from error
    return OmegaConf.to_yaml(composed)


@lru_cache(maxsize=1)
def plain_composition(root: Path, of: str) -> dict[str, Any]:
    """Return conf/ composed without overrides, as long as its hash is `of`; not to be changed."""
    plain: Any = OmegaConf.to_container(OmegaConf.create(compose_text(root)))
    return plain


def update_params(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Bring params.yaml and reports/overrides.yaml of `root` in step with conf/; return what was done.

    Inside an experiment DVC has composed params.yaml already, with the overrides of the command line: it is never
    rewritten there. In `dvc repro` it is composed anew, unless that would drop values which only it holds.

    Raises
    ------
    UserError
        If params.yaml and conf/ have gone apart in a way that only a person can settle, or do not fit the schema.
    """
    now = conf_hash(root)
    if not (root / PARAMS).exists():
        if git(root, "cat-file", "-e", f"HEAD:./{PARAMS}") is not None:
            raise UserError(
                f"{PARAMS} is missing, and Git has one: run `git checkout {PARAMS}`. It may hold values of an "
                "experiment that conf/ does not. To start from conf/ alone: `seedbed compose --reset`."
            )
        return compose_anew(root)
    params = load_yaml(root / PARAMS)
    if params.get("conf_hash") == now:
        try:
            _record(root, params)
        except UserError as error:
            raise UserError(f"{error}{_whose_values(root, params, environment)}") from None
        return f"{PARAMS} is in step with conf/"
    if inside_experiment(environment):
        raise UserError(_why_apart(root, params, now, environment))
    recorded = read_overrides(root)
    if recorded is None or recorded.conf_hash != params.get("conf_hash"):
        theirs = "missing" if recorded is None else recorded.conf_hash
        raise UserError(
            f"{OVERRIDES} does not belong to {PARAMS} (conf_hash {theirs} against "
            f"{params.get('conf_hash')}), so nobody can tell which values an experiment brought in. "
            "Take both from one commit, or run `seedbed compose --reset` to start from conf/ alone."
        )
    if recorded:
        raise UserError(
            f"conf/ has changed, and {PARAMS} holds values that conf/ does not: {recorded.in_words()}. Composing anew would "
            "drop them. Write them into conf/ with `seedbed adopt`, or name them again with `dvc exp run -S ...`, "
            "or drop them with `seedbed compose --reset`."
        )
    return compose_anew(root)


def compose_anew(root: Path) -> str:
    """Write params.yaml from conf/ alone, whatever it held; return what was done."""
    text = compose_text(root)
    values: Any = OmegaConf.to_container(OmegaConf.create(text))
    check_params(values, root)
    write_text(root / PARAMS, text)
    _record(root, values)
    return f"{PARAMS} was composed from conf/"


def read_overrides(root: Path) -> Overrides | None:
    """Return what reports/overrides.yaml says, or None if there is none."""
    if not (root / OVERRIDES).exists():
        return None
    recorded = load_yaml(root / OVERRIDES)
    return Overrides(
        recorded.get("conf_hash", ""), recorded.get("changed") or {}, recorded.get("removed") or []
    )


def find_overrides(params: dict[str, Any], plain: dict[str, Any]) -> Overrides:
    """Return the leaves in which `params` differs from `plain`, conf_hash aside."""
    ours, theirs = flatten(params), flatten(plain)
    changed = {
        key: value for key, value in ours.items() if key not in theirs or theirs[key] != value
    }
    changed.pop("conf_hash", None)
    return Overrides(
        str(params.get("conf_hash")), changed, [key for key in theirs if key not in ours]
    )


def flatten(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested mapping's leaves by dotted key; a list is a leaf, and so is an empty mapping."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            leaves |= flatten(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves


def _which_is_no_yaml(root: Path, error: YAMLError) -> str:
    for path in conf_files(root):
        try:
            load_yaml(path)
        except UserError as found:
            return str(found).replace(f"{root}{os.sep}", "")
    return f"conf/ cannot be composed: {one_line(error)}"


def _which_does_not_resolve(root: Path, composed: Any, error: InterpolationResolutionError) -> str:
    raw: Any = OmegaConf.to_container(composed, resolve=False)
    for key, value in flatten(raw).items():
        try:
            OmegaConf.select(composed, key)
        except InterpolationResolutionError as found:
            why = str(found).splitlines()[0]
            return f"conf/ cannot be composed: {key} is {value!r}: {why}. Edit {home_of(key, root, raw)}."
    return f"conf/ cannot be composed: {one_line(error)}"


def _record(root: Path, params: dict[str, Any]) -> None:
    check_params(params, root)
    found = find_overrides(params, plain_composition(root, conf_hash(root)))
    recorded = {"conf_hash": found.conf_hash, "changed": found.changed, "removed": found.removed}
    write_text(root / OVERRIDES, HEADER + OmegaConf.to_yaml(OmegaConf.create(recorded)))


def _whose_values(root: Path, params: dict[str, Any], environment: Mapping[str, str]) -> str:
    """Say what params.yaml holds beyond conf/, and how to drop it: a `dvc exp run -S` that was refused leaves it there."""
    brought_in = find_overrides(params, plain_composition(root, conf_hash(root)))
    beside = (
        Path(environment.get("DVC_ROOT", root)).resolve() != root.resolve()
    )  # a temporary run's folder goes with it
    if not brought_in or beside:
        return ""
    return (
        f" {PARAMS} holds values that conf/ does not, of an experiment or written by hand: {brought_in.in_words()}. "
        f"If the mistake is there, `git checkout {PARAMS}` or `seedbed compose --reset` drops them."
    )


def _why_apart(root: Path, params: dict[str, Any], now: str, environment: Mapping[str, str]) -> str:
    """Say why an experiment's params.yaml was composed from another conf/ than the one it runs with."""
    apart = f"{PARAMS} was composed from another conf/ (conf_hash {params.get('conf_hash')}) than the experiment's ({now})."
    main = Path(environment.get("DVC_ROOT", root))
    if untracked := _untracked_choices(main) or _untracked_choices(root):
        return (
            f"{apart} These files under conf/ are not tracked by Git, so the experiment does not have them: "
            f"{', '.join(untracked)}. Run `git add` on them (`git add --force` on what .gitignore names), or remove them, "
            "and start it again."
        )
    return f"{apart} This comes from --no-hydra after an edit under conf/. Leave --no-hydra out, or run `dvc repro compose` first."


def _untracked_choices(root: Path) -> list[str]:
    """Return the files of conf/ that count in its hash, and that Git does not track."""
    counted = {path.relative_to(root).as_posix() for path in conf_files(root)}
    return [name for name in untracked_files(root, "conf", ignored=True) if name in counted]
