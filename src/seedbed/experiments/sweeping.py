"""A job as Hydra runs it: in this process's worker, with a record of what became of it."""

import contextlib
import math
import os
import shutil
import time
import traceback
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from seedbed.config.schema import Problem
from seedbed.errors import UserError
from seedbed.experiments.cost import COSTS
from seedbed.experiments.jobs import Worker
from seedbed.experiments.objective import read_objective
from seedbed.experiments.pin import Pin
from seedbed.experiments.records import FOLDER, Record, job_key, read_records
from seedbed.experiments.slots import FOLDER as SLOTS
from seedbed.experiments.slots import read_file

_worker: Worker | None = None
"""The worker of this process: its slot and its imports serve all jobs that the process is given."""

LITTLE_ROOM = 20_000_000
"""Bytes of free disk below which a failed job is told to have failed for want of it."""


def run_recorded(overrides: list[str], composed: DictConfig) -> float | list[float]:
    """Run one job and record it; return its objective, several as a list, NaN where it failed."""
    pin = Pin.from_environment()
    if pin is None:
        raise UserError("this job has no sweep: SEEDBED_SWEEP is not set. Start it with `python -m seedbed.sweep`.")
    objectives = objectives_of(composed.sweep)
    mine = [override for override in overrides if not _is_about_the_sweep(override)]
    folder = Path(pin.root) / FOLDER / pin.name
    log = folder / "logs" / f"{job_key(mine)}.log"
    record = Record(mine, "running", os.getpid(), time.time(), log=str(log))
    record.write(folder)
    try:
        done = _my_worker(pin).run(mine, composed, log)
        problem = problem_of(composed)
        values = [_measure(one, problem, pin, done.commit) for one in objectives]
        record = _ended(record, state="done", name=done.name, found=done.found, values=values)
    except UserError as error:
        record = _ended(record, state="failed", error=str(error) + _room(pin))
    except Exception as error:
        # One job's end, for whatever reason, is not the end of the others.
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        record = _ended(record, state="failed", error=f"{type(error).__name__}: {error}{_room(pin)}")
    record.write(folder)
    values = record.values or [math.nan] * len(objectives)
    return values if len(values) > 1 else values[0]


def _measure(objective: str, problem: Problem, pin: Pin, commit: str) -> float:
    if objective in COSTS:
        return COSTS[objective](Path(pin.root), commit)
    return read_objective(objective, problem, lambda path: read_file(pin, commit, path))


def objectives_of(settings: DictConfig) -> list[str]:
    """Return what is optimised, in order."""
    chosen = settings.objective
    return [chosen] if isinstance(chosen, str) else list(chosen)


def problem_of(composed: DictConfig) -> Problem:
    """Return the problem that a composed conf/ states."""
    return Problem.model_validate(OmegaConf.to_container(composed.problem, resolve=True))


def failures() -> int:
    """Return how many jobs of this process's sweep failed; 0 where there was none, as with --help."""
    pin = Pin.from_environment()
    if pin is None:
        return 0
    return sum(record.state == "failed" for record in read_records(Path(pin.root) / FOLDER / pin.name))


def _my_worker(pin: Pin) -> Worker:
    global _worker  # noqa: PLW0603
    if _worker is not None and _worker.pin != pin:
        _worker.close()
        _worker = None
    _worker = _worker or Worker(pin)
    return _worker


def _room(pin: Pin) -> str:
    """Return a sentence to add to an error where a full disk may be its cause."""
    for folder in (Path(pin.root) / SLOTS, Path(pin.root) / ".dvc/cache", Path(pin.root)):
        if folder.exists() and (free := shutil.disk_usage(folder).free) < LITTLE_ROOM:
            return f" The disk of {folder} is full: {free / 1e6:.1f} MB are left. Free some, as with `make gc`."
    return ""


def _is_about_the_sweep(override: str) -> bool:
    return override.lstrip("+~").startswith(("sweep.", "sweep="))


def _ended(record: Record, **changes: object) -> Record:
    from dataclasses import replace

    return replace(record, seconds=time.time() - record.started, **changes)  # type: ignore[arg-type]
