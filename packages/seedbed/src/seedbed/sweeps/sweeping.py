"""A job as Hydra runs it: in this process's worker, with a record of what became of it."""

import contextlib
import math
import os
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from seedbed.config.params import typed
from seedbed.config.schema import Problem
from seedbed.errors import UserError
from seedbed.sweeps.cost import COSTS
from seedbed.sweeps.jobs import Worker
from seedbed.sweeps.objective import in_full, read_objective
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.records import FOLDER, Record, job_key, read_records
from seedbed.sweeps.room import want_of_room
from seedbed.sweeps.slots import read_file

_worker: Worker | None = None
"""The worker of this process: its slot and its imports serve all jobs that the process is given."""


def run_recorded(overrides: list[str], composed: DictConfig) -> float | list[float]:
    """Run one job and record it; return its objective, several as a list, NaN where it failed.

    Raises
    ------
    UserError
        If there is no sweep, or the record cannot be written.
    """
    pin = Pin.from_environment()
    if pin is None:
        raise UserError(
            "this job has no sweep: SEEDBED_SWEEP is not set. Start it with `python -m seedbed.sweep`."
        )
    root = Path(pin.root)
    objectives = objectives_of(composed.sweep)
    mine = [override for override in overrides if not _is_about_the_sweep(override)]
    folder = root / FOLDER / pin.name
    log = folder / "logs" / f"{job_key(mine)}.log"
    record = Record(mine, "running", os.getpid(), time.time(), log=str(log))
    _write(record, folder, root)
    try:
        problem = problem_of(composed, root)
        refuse_others(mine, compared_by(objectives, problem), pin.compared_by)
        done = _my_worker(pin).run(mine, composed, log)
        values = [_measure(one, problem, pin, done.commit) for one in objectives]
        record = _ended(record, state="done", name=done.name, found=done.found, values=values)
    except UserError as error:
        record = _ended(record, state="failed", error=f"{error}{want_of_room(root)}")
    except Exception as error:
        # One job's end, for whatever reason, is not the end of the others.
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        record = _ended(
            record, state="failed", error=f"{type(error).__name__}: {error}{want_of_room(root)}"
        )
    _write(record, folder, root)
    values = record.values or [math.nan] * len(objectives)
    return values if len(values) > 1 else values[0]


def _write(record: Record, folder: Path, root: Path) -> None:
    try:
        record.write(folder)
    except OSError as error:
        raise UserError(
            f"what became of a job cannot be written down: {error}.{want_of_room(root)}"
        ) from error


def _measure(objective: str, problem: Problem, pin: Pin, commit: str) -> float:
    if objective in COSTS:
        return COSTS[objective](Path(pin.root), commit)
    return read_objective(objective, problem, lambda path: read_file(pin, commit, path))


def as_typed(overrides: ListConfig) -> list[str]:
    """Return overrides from Hydra's own configuration, where OmegaConf would put a value in the place of `${...}`."""
    words: Any = OmegaConf.to_container(overrides, resolve=False)
    return list(words)


def objectives_of(settings: DictConfig) -> list[str]:
    """Return what is optimised, in order."""
    chosen = settings.objective
    return [chosen] if isinstance(chosen, str) else list(chosen)


def problem_of(composed: DictConfig, root: Path) -> Problem:
    """Return the problem that a composed conf/ states.

    Raises
    ------
    UserError
        If it is not what the schema says.
    """
    problem: Problem = typed(
        "problem", {"problem": OmegaConf.to_container(composed.problem, resolve=True)}, root
    )
    return problem


def compared_by(objectives: list[str], problem: Problem) -> str:
    """Return in full what a job's objectives are: jobs are compared only where these are the same."""
    return ", ".join(in_full(objective, problem) for objective in objectives)


def refuse_others(overrides: list[str], figures: str, of_the_sweep: str) -> None:
    """Refuse a job whose objectives are other figures than the sweep's.

    Raises
    ------
    UserError
        If they are: the best of different figures would mean nothing.
    """
    if figures != of_the_sweep:
        raise UserError(
            f"{' '.join(overrides)} is judged by {figures}, and the sweep by {of_the_sweep}: one is not better than the "
            "other. Sweep each question by itself (with dataset=... or problem.metric=... the same in all jobs), or name a "
            "metric that both have, as in sweep.objective=cv.<metric>."
        )


def failures() -> int:
    """Return how many jobs of this process's sweep failed; 0 where there was none, as with --help."""
    pin = Pin.from_environment()
    if pin is None:
        return 0
    return sum(
        record.state == "failed" for record in read_records(Path(pin.root) / FOLDER / pin.name)
    )


def _my_worker(pin: Pin) -> Worker:
    global _worker  # noqa: PLW0603
    if _worker is not None and _worker.pin != pin:
        _worker.close()
        _worker = None
    _worker = _worker or Worker(pin)
    return _worker


def _is_about_the_sweep(override: str) -> bool:
    return override.lstrip("+~").startswith(("sweep.", "sweep="))


def _ended(record: Record, **changes: object) -> Record:
    return replace(record, seconds=time.time() - record.started, **changes)  # type: ignore[arg-type]
