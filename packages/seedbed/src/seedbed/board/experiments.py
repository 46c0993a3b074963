"""The experiments as a table: figures, and the parameters in which they differ."""

import json
import re
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from seedbed.comparing.ranking import SPLITS
from seedbed.comparing.show import HIDDEN, shown_commits
from seedbed.config.repository import git
from seedbed.config.stage_params import CODE
from seedbed.config.yaml_files import flatten
from seedbed.registry.content import run_dvc
from seedbed.registry.versions import Registry

MOST_LETTERS = 200
"""Of a value that is no number: a list of features may be longer than a page."""
PARAMS_AT_FIRST = 6
"""Parameters that table and plot show before anybody chooses others."""
Cell = str | float | int | None


@dataclass(frozen=True)
class Column:
    """A metric or parameter; `chosen` is whether it is shown before anybody chooses others."""

    name: str
    metric: bool
    chosen: bool


@dataclass(frozen=True)
class Row:
    """An experiment, or the commit that experiments were made of."""

    name: str  # of a commit its branch or tag, or the first letters of its hash
    kind: str  # "experiment" or "commit"
    # as ISO 8601, in the time zone of this machine; empty if DVC cannot read the experiment
    created: str
    commit: str  # its hash
    problem: str  # why DVC cannot read it
    cells: list[Cell]  # a value for each column


@dataclass(frozen=True)
class Experiments:
    """What `dvc exp show` lists, the newest first."""

    columns: list[Column]
    rows: list[Row]

    def value(self, commit: str, column: str) -> Cell:
        """Return a commit's value in a column; None where there is none."""
        names = [found.name for found in self.columns]
        values = {row.commit: row.cells for row in self.rows}
        return values[commit][names.index(column)] if commit in values and column in names else None

    def to_json(self) -> str:
        """Return it to stand in a script element: no `<` can end that."""
        return json.dumps(asdict(self), allow_nan=False).replace("<", "\\u003c")


def read_experiments(root: Path, registry: Registry, metric: str) -> Experiments:
    """Read the experiments of HEAD and of the commits behind it, and the champion's versions.

    Parameters
    ----------
    metric : str
        The deciding one: its columns come first.

    Raises UserError if DVC cannot list them.
    """
    if not git(root, "rev-parse", "--verify", "--quiet", "HEAD"):
        return Experiments([], [])
    commits = (*shown_commits(root), *(registry.commits[name] for name in registry.versions))
    # A commit never changes: what DVC lists depends on what the references are.
    refs = f"{git(root, 'rev-parse', 'HEAD')} {git(root, 'for-each-ref')}"
    listed = _exp_show(root, commits, refs)
    return tabulate(listed, metric)


@lru_cache(maxsize=1)
def _exp_show(root: Path, commits: tuple[str, ...], _refs: str) -> list[dict[str, Any]]:
    revisions = [word for commit in commits for word in ("--rev", commit)]
    listed = json.loads(run_dvc(root, "exp", "show", "--json", *revisions))
    return [entry for entry in listed if entry["rev"] != "workspace"]


def tabulate(listed: list[dict[str, Any]], metric: str) -> Experiments:
    """Return what `dvc exp show --json` prints as a table.

    Metrics that are nowhere, and parameters that are the same everywhere, are left out.
    """
    found = []
    for baseline in listed:
        found.append(("commit", baseline, baseline.get("name") or baseline["rev"][:7]))
        for experiment in baseline.get("experiments") or []:
            last = experiment["revs"][0]
            found.append(("experiment", last, experiment.get("name") or last["rev"][:7]))
    metrics = [_values(state, "metrics") for _, state, _ in found]
    params = [_values(state, "params") for _, state, _ in found]
    leading = [f"{split}.{metric}" for split in SPLITS]
    held = {key for values in metrics for key in values}
    figures = [key for key in leading if key in held]
    figures += sorted(held.difference(leading))
    differing = _differing([values for values in params if values])
    columns = [Column(name, True, name in leading) for name in figures]
    columns += [
        Column(name, False, place < PARAMS_AT_FIRST) for place, name in enumerate(differing)
    ]
    rows = [
        Row(
            name,
            kind,
            (state.get("data") or {}).get("timestamp") or "",
            state["rev"],
            (state.get("error") or {}).get("msg", ""),
            [_cell(metrics[n].get(key)) for key in figures]
            + [_cell(params[n].get(key)) for key in differing],
        )
        for n, (kind, state, name) in enumerate(found)
    ]
    return Experiments(columns, sorted(rows, key=lambda row: row.created, reverse=True))


def _values(state: dict[str, Any], part: str) -> dict[str, Any]:
    """Return the metrics or parameters of all files by dotted key, without those that are noise."""
    files = (state.get("data") or {}).get(part) or {}
    found: dict[str, Any] = {}
    for path, file in files.items():
        if path != CODE and isinstance(file.get("data"), dict):
            found |= flatten(file["data"])
    return {key: value for key, value in found.items() if not re.fullmatch(HIDDEN, key)}


def _differing(params: list[dict[str, Any]]) -> list[str]:
    """Return the keys whose values differ, those with the most values first, then the model's."""
    keys = sorted({key for values in params for key in values})
    counts = {key: len({repr(values.get(key)) for values in params}) for key in keys}
    return sorted(
        (key for key in keys if counts[key] > 1),
        key=lambda key: (-counts[key], key != "model.name", not key.startswith("model.")),
    )


def _cell(value: Any) -> Cell:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        # JSON has neither NaN nor infinity.
        return value if value is None or abs(value) < float("inf") else str(value)
    text = str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"
