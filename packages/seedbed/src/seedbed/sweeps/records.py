"""What became of each job of a sweep: one small file a job, written by the process that ran it."""

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from seedbed.config.metrics import Direction
from seedbed.errors import some_of
from seedbed.files import write_json
from seedbed.sweeps.objective import pareto_front
from seedbed.sweeps.snapshot import Sweep

SHOWN = 3
"""How many kinds of jobs a message names."""


@dataclass(frozen=True)
class Record:
    """A job that has ended: with an experiment and values of the objectives, or with an error."""

    overrides: list[str]
    started: float  # in seconds since the epoch
    seconds: float
    experiment: str = ""
    found: bool = False  # the experiment was there before
    values: list[float] = field(default_factory=list)
    error: str = ""
    log: str = ""

    def write(self, folder: Path) -> None:
        """Write it; the record of a job that runs again replaces its earlier one."""
        write_json(folder / f"{job_key(self.overrides)}.json", asdict(self))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read one."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def __str__(self) -> str:
        overrides = " ".join(self.overrides) or "no override"
        if self.error:
            return f"failed  {overrides}: {self.error}"
        how = "was there before" if self.found else f"{self.seconds:.1f} s"
        return f"{self.figures}  {overrides}  ({how})"

    @property
    def figures(self) -> str:
        """The values of the objectives."""
        return ", ".join(f"{value:.4g}" for value in self.values)


def job_key(overrides: list[str]) -> str:
    """Return a file name for a job."""
    return hashlib.sha256("\0".join(overrides).encode()).hexdigest()[:12]


def read_records(folder: Path) -> list[Record]:
    """Return all records of a sweep, in the order in which the jobs began."""
    found = [Record.read(path) for path in folder.glob("*.json")]
    return sorted(found, key=lambda record: (record.started, record.overrides))


def print_progress(sweep: Sweep, record: Record) -> None:
    """Print what became of a job, how far the sweep is, and the time left."""
    records = read_records(sweep.folder)
    now = [one for one in records if one.started >= sweep.began]
    ended = sum(not one.error or one in now for one in records)
    computed = sum(not one.found for one in now)
    line = f"{ended} of {sweep.jobs}" if sweep.jobs else f"{ended}"
    if sweep.jobs and computed and ended < sweep.jobs:
        left = int((time.time() - sweep.began) / computed * (sweep.jobs - ended))
        line += f", {left // 60}:{left % 60:02d} left"
    print(f"[{line}] {record}", file=sys.stderr, flush=True)


def best(records: Sequence[Record], direction: Direction) -> Record | None:
    """Return the job with the best first objective, the first of equals, or None."""
    sign = 1 if direction == "minimize" else -1
    done = [record for record in records if not record.error]
    return min(done, key=lambda record: sign * record.values[0], default=None)


def summary(records: Sequence[Record], directions: Sequence[Direction]) -> str:
    """Return what a sweep prints at its end: counts, failures, how to take the winner."""
    done = [record for record in records if not record.error]
    failed = [record for record in records if record.error]
    found = sum(record.found for record in done)
    lines = [f"{len(done)} experiments" + (f", {found} of which were there before" * bool(found))]
    for record in failed:
        lines += [str(record), f"    its log: {record.log}"]
    if done and len(directions) > 1:
        on_front = pareto_front([record.values for record in done], directions)
        lines.append("on the Pareto front, which no other beats in all objectives:")
        for record, unbeaten in zip(done, on_front, strict=True):
            if unbeaten:
                lines.append(f"    {record.figures}  {record.experiment}")
        lines.append("to take one: .venv/bin/dvc exp apply <its name> && .venv/bin/dvc repro")
    elif top := best(done, directions[0]):
        lines.append(f"best: {top.figures} by {' '.join(top.overrides) or 'no override'}")
        lines.append(f"to take it: .venv/bin/dvc exp apply {top.experiment} && .venv/bin/dvc repro")
    lines += _same_for_all_seeds(done)
    if failed:
        lines.append("to try the failed ones again: the same command")
    return "\n".join(lines)


def _same_for_all_seeds(done: Sequence[Record]) -> list[str]:
    """Return a sentence on jobs that gave the same figures with each of several seeds."""
    by_others: dict[str, list[list[float]]] = {}
    for record in done:
        others = [word for word in record.overrides if not word.lstrip("+").startswith("seed=")]
        if len(others) < len(record.overrides):
            by_others.setdefault(" ".join(others) or "this project", []).append(record.values)
    same = [
        others
        for others, values in by_others.items()
        if len(values) > 1 and all(value == values[0] for value in values)
    ]
    if not same:
        return []
    return [
        f"the seed changed no figure of {some_of(same, SHOWN)}: where nothing in a model is "
        "random, one seed is enough"
    ]
