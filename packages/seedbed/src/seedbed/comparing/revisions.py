"""A revision or experiment as it is compared: metrics, parameters, data, plots and predictions."""

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from seedbed.config.repository import git
from seedbed.config.yaml_files import flatten
from seedbed.data.tables import read_table
from seedbed.errors import UserError

if TYPE_CHECKING:
    from dvc.api import DVCFileSystem

PREDICTIONS = "data/predictions"
NOT_RUN = "(not run by the sweep)"
"""The command of a stage in the dvc.lock of a sweep's experiment; its outputs are empty."""


@dataclass(frozen=True)
class Revision:
    """What a commit holds, by dotted keys and paths."""

    name: str
    metrics: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)
    reason: str = ""  # why the gate said yes or no
    # the tables of dvc.yaml's plots, by path
    plots: dict[str, pd.DataFrame] = field(default_factory=dict)
    # a row for each test row: key, target, prediction, scores, cluster
    predictions: pd.DataFrame | None = None
    # outputs that were made and are neither in DVC's cache nor on its remote
    missing: list[str] = field(default_factory=list)


def read_revision(root: Path, name: str) -> Revision:
    """Read a branch, tag, commit or experiment; what DVC's cache lacks comes from its remote.

    Raises UserError if nothing, or more than one experiment, has that name, or it is no state of
    this project.
    """
    from dvc.api import DVCFileSystem, metrics_show
    from dvc.config import Config
    from dvc.exceptions import DvcException
    from dvc.scm import RevError

    known, commit = (
        git(root, "rev-parse", "--verify", "--quiet", text) for text in (name, f"{name}^{{commit}}")
    )
    if known and not commit:  # DVC would end in a traceback
        raise UserError(
            f"{name}: this is a file or folder of a commit, and whole revisions are compared. Give "
            "a branch, tag, commit or experiment."
        )
    try:
        # A revision's own configuration may be older than the remote, and lacks what is local.
        config = dict(Config(dvc_dir=str(root / ".dvc")))
        files = DVCFileSystem(str(root), rev=name, config=config)
        params = yaml.load(files.read_text("params.yaml"), yaml.CSafeLoader)
        metrics = flatten(metrics_show(repo=str(root), rev=name))
    except RevError as error:
        raise UserError(
            f"{error}. `.venv/bin/dvc exp list -A` lists the experiments; what is "
            "not committed has no name."
        ) from None
    except (DvcException, FileNotFoundError) as error:
        raise UserError(
            f"{name}: this revision cannot be compared, it is no state of this project: {error}."
        ) from None
    reason = metrics.pop("gate.reason", "")  # of older commits
    outputs = {
        out["path"]: f"{out.get('md5', '')[:8]}, {out.get('size', 0):,} bytes"
        for stage in _read_yaml(files, "dvc.lock").get("stages", {}).values()
        if stage.get("cmd") != NOT_RUN
        for out in stage.get("outs", [])
    }
    graph = _read_yaml(files, "dvc.yaml")
    return Revision(
        name,
        metrics,
        flatten(params),
        {path: text for path, text in outputs.items() if path.startswith(("data/", "models/"))},
        str(_read_yaml(files, "reports/verdict.json").get("reason", reason)),
        *_read_outputs(files, list(outputs), plot_definitions(graph)),
    )


def plot_definitions(graph: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return title and definition of the plots that a dvc.yaml defines by file and column."""
    return [
        (title, definition)
        for entry in graph.get("plots", [])
        if isinstance(entry, dict)
        for title, definition in entry.items()
        if isinstance(definition, dict) and isinstance(definition.get("y"), dict)
    ]


def _read_outputs(
    files: "DVCFileSystem", outputs: list[str], plots: list[tuple[str, dict[str, Any]]]
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame | None, list[str]]:
    """Return the tables of plots, the predictions, and which outputs cannot be had."""
    paths = [path for _, definition in plots for path in definition["y"]]
    wanted = [*paths, f"{PREDICTIONS}/part"]
    tables: dict[str, pd.DataFrame] = {}
    predictions, missing = None, []
    with TemporaryDirectory() as folder:
        here = Path(folder)
        for out in outputs:
            if any(Path(path).is_relative_to(out) for path in wanted):
                (here / out).parent.mkdir(parents=True, exist_ok=True)
                try:
                    files.get(out, str(here / out), recursive=True)
                except Exception:  # each kind of remote raises its own
                    missing.append(out)
        for path in paths:
            if (here / path).is_file() and (here / path).read_text(encoding="utf-8").strip():
                table = pd.read_csv(here / path)
                tables |= {path: table} if len(table) else {}
        if (here / PREDICTIONS).is_dir() and PREDICTIONS not in missing:
            predictions = read_table(here / PREDICTIONS)
    return tables, predictions, missing


def _read_yaml(files: "DVCFileSystem", path: str) -> dict[str, Any]:
    """Return the mapping in a YAML or JSON file; empty where there is none."""
    return yaml.load(files.read_text(path), yaml.CSafeLoader) if files.exists(path) else {}
