"""A sweep begins with a snapshot before its first job, and ends with a report."""

import hashlib
import re
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from seedbed.config.repository import find_root
from seedbed.errors import UserError
from seedbed.sweeps.objective import read_objectives
from seedbed.sweeps.records import read_records, summary
from seedbed.sweeps.snapshot import Sweep, take_snapshot
from seedbed.sweeps.space import as_typed, check_job, plan_sweep
from seedbed.sweeps.sweep_report import write_report

NOT_IN_THE_NAME = ("hydra.sweeper.n_trials=", "hydra.sweeper.batch=")
"""How far and how fast a search goes does not make another one of it."""


class SweepCallback(Callback):  # type: ignore[misc]  # Hydra comes without types
    """Hydra calls this in the process of the command, for -m and for a single job alike."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Take the snapshot, and check what can be checked before the first job."""
        try:
            begin(config, find_root())
        except (UserError, OSError) as error:
            sys.exit(f"sweep: {error}")
        except Exception:
            # Hydra would make a warning of it, and go on.
            traceback.print_exc()
            sys.exit(1)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the summary, and write the report."""
        try:
            failed = finish(config)
        except OSError as error:
            sys.exit(f"sweep: the report cannot be written: {error}")
        if failed:
            sys.exit(1)

    on_run_start = on_multirun_start
    on_run_end = on_multirun_end


def begin(config: DictConfig, root: Path) -> None:
    """Check the sweep that Hydra has composed, take its snapshot, and hand it on to the workers.

    Raises UserError if the repository, the objectives or one of the jobs are not fit for it.
    """
    objectives = read_objectives(config, root)
    plan = plan_sweep(config, root)
    sweep = take_snapshot(root)
    sweep = replace(
        sweep,
        name=sweep_name(config, sweep.baseline, sweep.tree),
        objectives=tuple(one.name for one in objectives),
        jobs=plan.jobs if plan else None,
    )
    try:
        for job in plan.examples() if plan else ():
            check_job(config, job, sweep)
    except Exception:
        sweep.release()
        raise
    sweep.hand_on()


def finish(config: DictConfig) -> bool:
    """Sum up this and earlier runs of the same command; return whether a job failed."""
    sweep = Sweep.from_environment()
    assert sweep is not None
    sweep.release()
    root = Path(sweep.root)
    objectives = read_objectives(config, root)
    records = read_records(sweep.folder)
    print(summary(records, [one.direction for one in objectives]), file=sys.stderr)
    report = Path("reports/sweeps") / sweep.name
    write_report(root / report, records, objectives)
    print(f"report: {report}", file=sys.stderr)
    return any(record.error for record in records)


def sweep_name(config: DictConfig, baseline: str, tree: str) -> str:
    """Return a name that the same command has whenever it is typed at the same state of things."""
    typed = [*as_typed(config.hydra.overrides.task), str(config.sweep.objective), baseline, tree]
    for word in as_typed(config.hydra.overrides.hydra):
        key = word.lstrip("+~")
        if key.startswith(("hydra/sweeper", "hydra.sweeper")) and not key.startswith(
            NOT_IN_THE_NAME
        ):
            typed.append(word)
    jobs = [word for word in as_typed(config.hydra.overrides.task) if not word.startswith("sweep.")]
    readable = str(config.sweep.name or "-".join(jobs))
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", readable)[:40].strip("-.") or "sweep"
    return f"{readable}-{hashlib.sha256(repr(typed).encode()).hexdigest()[:6]}"
