"""Keeps params.yaml in step with conf/ without ever dropping what an experiment brought in."""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from seedbed.config.composition import compose_conf, file_to_edit, plain_composition
from seedbed.config.conf_hash import conf_files, conf_hash
from seedbed.config.overrides import OVERRIDES, Overrides, find_overrides, read_overrides
from seedbed.config.params import PARAMS, check_params
from seedbed.config.repository import git, inside_experiment, untracked_files
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError
from seedbed.files import write_text


def compose_text(root: Path, overrides: Sequence[str] = ()) -> str:
    """Return `root`/conf, composed with overrides, as the text of params.yaml."""
    return compose_conf(root, overrides).text


def update_params(root: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Bring params.yaml and reports/overrides.yaml in step with conf/; return what was done.

    Inside an experiment DVC has composed params.yaml already, with the overrides of the command
    line: it is never rewritten there. In `dvc repro` it is composed anew, unless that would drop
    values which only params.yaml holds.

    Raises
    ------
    UserError
        If params.yaml and conf/ differ in a way that only a person can settle, or do not fit the
        schema.
    """
    now = conf_hash(root)
    if not (root / PARAMS).exists():
        if git(root, "cat-file", "-e", f"HEAD:./{PARAMS}") is None:
            return compose_anew(root)
        raise UserError(
            f"{PARAMS} is missing, and Git has one: run `git checkout {PARAMS}`. It may hold "
            "values of an experiment that conf/ does not. To start from conf/ alone: `seedbed "
            "compose --reset`."
        )
    params = load_yaml(root / PARAMS)
    if params.get("conf_hash") == now:
        check_composed(params, root)
        find_overrides(params, plain_composition(root, now).values).write(root)
        return f"{PARAMS} is in step with conf/"
    if inside_experiment(environment):
        raise UserError(_explain_hash(root, params, now, environment))
    recorded = read_overrides(root)
    if recorded is None or recorded.conf_hash != params.get("conf_hash"):
        theirs = "missing" if recorded is None else recorded.conf_hash
        raise UserError(
            f"{OVERRIDES} does not belong to {PARAMS} (conf_hash {theirs} against "
            f"{params.get('conf_hash')}), so nobody can tell which values an experiment brought "
            "in. Take both from one commit, or run `seedbed compose --reset` to start from conf/ "
            "alone."
        )
    if recorded:
        raise UserError(f"conf/ has changed, and {recorded.explain()}")
    return compose_anew(root)


def compose_anew(root: Path) -> str:
    """Write params.yaml from conf/ alone, whatever it held; return what was done."""
    composition = compose_conf(root)
    check_composed(composition.values, root)
    write_text(root / PARAMS, composition.text)
    Overrides(composition.values["conf_hash"], {}, {}).write(root)
    return f"{PARAMS} was composed from conf/"


def check_composed(params: dict[str, Any], root: Path) -> None:
    """Check all parameters; the message names the file of conf/ to edit.

    Raises UserError if a key is unknown or missing, a value is wrong or unset, or sections
    contradict each other.
    """
    check_params(params, root, partial(file_to_edit, root=root, values=params))


def _explain_hash(
    root: Path, params: dict[str, Any], now: str, environment: Mapping[str, str]
) -> str:
    """Say why an experiment runs with another conf/ than its params.yaml was composed from."""
    differs = (
        f"{PARAMS} was composed from another conf/ (conf_hash {params.get('conf_hash')}) than the "
        f"experiment's ({now})."
    )
    for folder in (Path(environment.get("DVC_ROOT", root)), root):
        counted = {path.relative_to(folder).as_posix() for path in conf_files(folder)}
        untracked = counted.intersection(untracked_files(folder, "conf", ignored=True))
        if untracked:
            return (
                f"{differs} These files under conf/ are not tracked by Git, so the experiment does "
                f"not have them: {', '.join(sorted(untracked))}. Run `git add` on them (`git add "
                "--force` on what .gitignore names), or remove them, and start it again."
            )
    return (
        f"{differs} This comes from --no-hydra after an edit under conf/. Leave --no-hydra out, or "
        "run `dvc repro compose` first."
    )
