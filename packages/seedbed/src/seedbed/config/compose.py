"""Keeps params.yaml in step with conf/ without ever dropping what an experiment brought in."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from seedbed.config.composition import compose_conf, file_to_edit, flatten, plain_composition
from seedbed.config.conf_hash import conf_files, conf_hash
from seedbed.config.params import PARAMS, check_params
from seedbed.config.repository import git, inside_experiment, untracked_files
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError
from seedbed.files import write_text

OVERRIDES = "reports/overrides.yaml"
HEADER = """\
# Where params.yaml differs from the plain composition of conf/: brought in by an experiment or by hand.
"""


@dataclass(frozen=True)
class Overrides:
    """What params.yaml holds beyond the plain composition of conf/ that has the hash `conf_hash`."""

    conf_hash: str
    changed: dict[str, Any]
    removed: list[str]

    def __len__(self) -> int:
        return len(self.changed) + len(self.removed)

    def as_typed(self) -> list[str]:
        """Return the overrides as they would be typed after -S."""
        values = {key: "null" if value is None else value for key, value in self.changed.items()}
        changed = [f"{key}={value}" for key, value in values.items()]
        return [*changed, *(f"~{key}" for key in self.removed)]

    def __str__(self) -> str:
        return ", ".join(self.as_typed())


def compose_text(root: Path, overrides: Sequence[str] = ()) -> str:
    """Return `root`/conf, composed with overrides, as the text of params.yaml."""
    return compose_conf(root, overrides).text


def update_params(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Bring params.yaml and reports/overrides.yaml in step with conf/; return what was done.

    Inside an experiment DVC has composed params.yaml already, with the overrides of the command line:
    it is never rewritten there. In `dvc repro` it is composed anew, unless that would drop values which
    only params.yaml holds.

    Raises
    ------
    UserError
        If params.yaml and conf/ differ in a way that only a person can settle, or do not fit the schema.
    """
    now = conf_hash(root)
    if not (root / PARAMS).exists():
        if git(root, "cat-file", "-e", f"HEAD:./{PARAMS}") is None:
            return compose_anew(root)
        raise UserError(
            f"{PARAMS} is missing, and Git has one: run `git checkout {PARAMS}`. It may hold values of an "
            "experiment that conf/ does not. To start from conf/ alone: `seedbed compose --reset`."
        )
    params = load_yaml(root / PARAMS)
    if params.get("conf_hash") == now:
        _record(root, params)
        return f"{PARAMS} is in step with conf/"
    if inside_experiment(environment):
        raise UserError(_explain_hash(root, params, now, environment))
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
            f"conf/ has changed, and {PARAMS} holds values that conf/ does not: {recorded}. "
            "Composing anew would drop them. Write them into conf/ with `seedbed adopt NAME`, or name "
            "them again with `dvc exp run -S ...`, or drop them with `seedbed compose --reset`."
        )
    return compose_anew(root)


def compose_anew(root: Path) -> str:
    """Write params.yaml from conf/ alone, whatever it held; return what was done."""
    composition = compose_conf(root)
    check_composed(composition.values, root)
    write_text(root / PARAMS, composition.text)
    _record(root, composition.values)
    return f"{PARAMS} was composed from conf/"


def check_composed(params: dict[str, Any], root: Path) -> None:
    """Check all parameters; the message names the file of conf/ to edit.

    Raises
    ------
    UserError
        If a key is unknown or missing, a value is wrong or unset, or sections contradict each other.
    """
    check_params(params, root, partial(file_to_edit, root=root, values=params))


def read_overrides(root: Path) -> Overrides | None:
    """Return what reports/overrides.yaml says, or None if there is none."""
    if not (root / OVERRIDES).exists():
        return None
    return as_overrides(load_yaml(root / OVERRIDES))


def as_overrides(recorded: Mapping[str, Any]) -> Overrides:
    """Return overrides as their YAML file records them."""
    changed, removed = recorded.get("changed") or {}, recorded.get("removed") or []
    return Overrides(str(recorded.get("conf_hash", "")), changed, removed)


def find_overrides(params: dict[str, Any], plain: dict[str, Any]) -> Overrides:
    """Return the leaves in which `params` differs from `plain`, conf_hash aside."""
    ours, theirs = flatten(params), flatten(plain)
    changed = {
        key: value for key, value in ours.items() if key not in theirs or theirs[key] != value
    }
    changed.pop("conf_hash", None)
    removed = [key for key in theirs if key not in ours]
    return Overrides(str(params.get("conf_hash")), changed, removed)


def _record(root: Path, params: dict[str, Any]) -> None:
    check_composed(params, root)
    found = find_overrides(params, plain_composition(root, conf_hash(root)).values)
    recorded = {"conf_hash": found.conf_hash, "changed": found.changed, "removed": found.removed}
    write_text(root / OVERRIDES, HEADER + OmegaConf.to_yaml(OmegaConf.create(recorded)))


def _explain_hash(
    root: Path, params: dict[str, Any], now: str, environment: Mapping[str, str]
) -> str:
    """Say why an experiment's params.yaml was composed from another conf/ than the one it runs with."""
    differs = (
        f"{PARAMS} was composed from another conf/ (conf_hash {params.get('conf_hash')}) than the "
        f"experiment's ({now})."
    )
    main = Path(environment.get("DVC_ROOT", root))
    if untracked := _untracked_choices(main) or _untracked_choices(root):
        return (
            f"{differs} These files under conf/ are not tracked by Git, so the experiment does not have "
            f"them: {', '.join(untracked)}. Run `git add` on them (`git add --force` on what .gitignore "
            "names), or remove them, and start it again."
        )
    return (
        f"{differs} This comes from --no-hydra after an edit under conf/. Leave --no-hydra out, or run "
        "`dvc repro compose` first."
    )


def _untracked_choices(root: Path) -> list[str]:
    """Return the files of conf/ that count in its hash, and that Git does not track."""
    counted = {path.relative_to(root).as_posix() for path in conf_files(root)}
    return [name for name in untracked_files(root, "conf", ignored=True) if name in counted]
