"""What differs between revisions or experiments: figures, parameters, data, and the points of their plots."""

import io
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from seedbed.config.composition import flatten
from seedbed.config.repository import git
from seedbed.errors import UserError
from seedbed.sweeps.dvc_calls import NOT_RUN
from seedbed.sweeps.show import HIDDEN_PARAMS

METRICS = ("reports/train/metrics.json", "reports/evaluate/metrics.json", "reports/gate.json")


@dataclass(frozen=True)
class Revision:
    """One side of a comparison: all leaves are flat, by dotted key."""

    name: str
    commit: str
    metrics: dict[str, Any]
    params: dict[str, Any]
    data: dict[str, str]
    plots: dict[str, pd.DataFrame]


def read_revision(root: Path, name: str, plots: Sequence[str]) -> Revision:
    """Read a branch, tag, commit or experiment.

    Parameters
    ----------
    root : Path
        Of the repository.
    name : str
        What a person calls it.
    plots : sequence of str
        Paths of the tables behind the plots; those that are not in the DVC cache are left out.

    Raises
    ------
    UserError
        If nothing has that name, or it is no state of this project.
    """
    commit = find_commit(root, name)
    params = git(root, "show", f"{commit}:params.yaml")
    if params is None:
        raise UserError(
            f"{name}: this revision holds no params.yaml, so there is nothing to compare."
        )
    figures: dict[str, Any] = {}
    for path in METRICS:
        figures |= flatten(json.loads(git(root, "show", f"{commit}:{path}") or "{}"))
    lock = yaml.safe_load(git(root, "show", f"{commit}:dvc.lock") or "") or {}
    return Revision(
        name,
        commit,
        figures,
        flatten(yaml.safe_load(params)),
        _data(lock),
        _read_plots(root, commit, plots),
    )


def find_commit(root: Path, name: str) -> str:
    """Return the commit of a revision or an experiment.

    Raises
    ------
    UserError
        If nothing, or more than one experiment, has that name.
    """
    if commit := git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
    ):
        return commit
    listed = git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/exps") or ""
    found = [
        line.split()[0]
        for line in listed.splitlines()
        if line.endswith(f"/{name}") and not re.search("refs/exps/(exec|apply)/", line)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise UserError(
            f"{name}: {len(found)} experiments of different commits have this name. Give the commit instead."
        )
    raise UserError(
        f"{name}: no revision and no experiment has this name. `.venv/bin/dvc exp list -A` lists them."
    )


def differences(revisions: Sequence[Revision], part: str) -> pd.DataFrame:
    """Return the keys of a part (metrics, params or data) in which revisions differ.

    Returns
    -------
    DataFrame, shape (n_keys, n_revisions)
        Indexed by key, one column per revision, missing where one has no such key.
    """
    keys = dict.fromkeys(key for revision in revisions for key in getattr(revision, part))
    table = pd.DataFrame(
        {
            revision.name: [getattr(revision, part).get(key) for key in keys]
            for revision in revisions
        },
        index=pd.Index(list(keys), name="key"),
        dtype="object",
    )
    if part == "params":
        table = table[
            [key not in HIDDEN_PARAMS and not str(key).endswith("_target_") for key in table.index]
        ]
    told = table.map(str)
    return table[told.nunique(axis=1) > 1] if part != "metrics" else table


def plot_definitions(root: Path) -> list[tuple[str, dict[str, Any]]]:
    """Return the plots that dvc.yaml defines by file and column: their titles, and what is drawn against what."""
    stated = yaml.safe_load((root / "dvc.yaml").read_text(encoding="utf-8")).get("plots", [])
    return [
        (title, definition)
        for entry in stated
        if isinstance(entry, dict)
        for title, definition in entry.items()
        if isinstance(definition, dict) and isinstance(definition.get("y"), dict)
    ]


def _data(lock: dict[str, Any]) -> dict[str, str]:
    return {
        out["path"]: f"{out.get('md5', '')[:8]}, {out.get('size', 0):,} bytes"
        for stage in lock.get("stages", {}).values()
        if stage.get("cmd") != NOT_RUN
        for out in stage.get("outs", [])
        if out["path"].startswith(("data/", "models/"))
    }


def _read_plots(root: Path, commit: str, paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    from dvc.api import DVCFileSystem

    files = DVCFileSystem(str(root), rev=commit)
    found = {}
    for path in paths:
        try:
            text = files.read_text(path)
        except (
            Exception
        ):  # a remote that lacks it or cannot be reached says so in as many ways as there are kinds
            continue
        table = pd.read_csv(io.StringIO(text)) if text.strip() else pd.DataFrame()
        if len(table):
            found[path] = table
    return found
