"""What happens around a sweep: it is pinned before the first job, watched meanwhile, and summed up after the last."""

import hashlib
import json
import os
import re
import sys
import time
import traceback
from pathlib import Path
from typing import Any, TextIO

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from seedbed.config.repository import find_root
from seedbed.errors import UserError
from seedbed.files import write_json
from seedbed.sweeps.grid import check_grid, count_jobs
from seedbed.sweeps.objective import direction_of, report_name
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.progress import Watch, summary
from seedbed.sweeps.records import FOLDER, read_records
from seedbed.sweeps.room import want_of_room
from seedbed.sweeps.sweep_report import write_report
from seedbed.sweeps.sweeping import as_typed, compared_by, objectives_of, problem_of

_watch: Watch | None = None
"""That of this process's sweep: Hydra tells no callback of a sweep that is interrupted."""


def stop_watching() -> None:
    """End the live line, however the sweep has ended."""
    if _watch:
        _watch.stop()


class SweepCallback(Callback):  # type: ignore[misc]  # Hydra comes without types
    """Hydra calls this in the process where the command was typed, for -m and for a single job alike."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Pin, check what can be checked before the first job, and start to watch."""
        self._start(config)

    def on_run_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Do the same for a single job."""
        self._start(config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Stop watching, and tell what came out."""
        self._finish()

    def on_run_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Do the same for a single job."""
        self._finish()

    def __getstate__(self) -> dict[str, Any]:
        """Travel to the workers without the watch, which is of this process alone."""
        return {}

    def _start(self, config: DictConfig) -> None:
        # Of an exception Hydra would make a warning, and go on.
        root = Path.cwd()
        try:
            root = find_root()
            self._begin(config, root)
        except UserError as error:
            sys.exit(f"sweep: {error}")
        except OSError as error:
            sys.exit(f"sweep: {error}.{want_of_room(root)}")
        except Exception:
            traceback.print_exc()
            sys.exit(1)

    def _begin(self, config: DictConfig, root: Path) -> None:
        global _watch  # noqa: PLW0603
        problem = problem_of(config, root)
        self.objectives = objectives_of(config.sweep)
        self.names = [report_name(objective, problem) for objective in self.objectives]
        if len(set(self.names)) < len(self.names):
            raise UserError(
                f"sweep.objective=[{','.join(self.objectives)}]: that is {', '.join(self.names)}, one of them "
                "twice. Write each once."
            )
        self.directions = [direction_of(objective, problem) for objective in self.objectives]
        check_name(config.sweep.name)
        total = count_jobs(config)
        check_grid(config, root)
        by = compared_by(self.objectives, problem)
        self.pin = Pin.take(root, lambda baseline, tree: sweep_name(config, baseline, tree), by)
        folder = root / FOLDER / self.pin.name
        try:
            _check_records(folder, self.pin, self.objectives, _typed(config))
        except Exception:
            self.pin.release()
            raise
        self.pin.hand_on()
        self.watch = _watch = Watch(folder, time.time(), total, self.directions[0], _own_stderr())
        self.watch.start()

    def _finish(self) -> None:
        self.watch.stop()
        self.pin.release()
        # An earlier run of this sweep counts too; what was running when that was killed does not.
        records = [
            record for record in read_records(self.watch.folder) if record.state != "running"
        ]
        print(summary(records, self.directions), file=sys.stderr)
        print("writing the report ...", file=sys.stderr)
        report = Path("reports/sweeps") / self.pin.name
        try:
            write_report(Path(self.pin.root) / report, records, self.names, self.directions)
        except OSError as error:
            sys.exit(f"sweep: there is no report: {error}.{want_of_room(Path(self.pin.root))}")
        print(f"report: {report}", file=sys.stderr)


def _own_stderr() -> TextIO:
    """Return standard error as it is now: a job that runs in this process sends its own to a log meanwhile."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
    except (OSError, ValueError):  # not a file, as in a notebook
        return sys.stderr


def check_name(name: Any) -> None:
    """Refuse a chosen name that is not that of a folder: what is in the folder is written over.

    Raises
    ------
    UserError
        If it is a path, or begins with a dot.
    """
    if name and not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}", str(name)):
        raise UserError(
            f"sweep.name={name}: a sweep's name is that of a folder, so it may hold letters, digits and any of _.- (at most "
            "100, no dot at the beginning). Choose another name."
        )


def sweep_name(config: DictConfig, baseline: str, tree: str) -> str:
    """Return the chosen name, or one that is the same whenever the same command is typed at the same state of things."""
    if config.sweep.name:
        return str(config.sweep.name)
    typed = _typed(config)
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(typed))[:40].strip("-.")
    return f"{readable or 'sweep'}-{hashlib.sha256(repr([typed, baseline, tree]).encode()).hexdigest()[:6]}"


def _typed(config: DictConfig) -> list[str]:
    """Return the overrides that make this sweep another one: not what it is called, nor how and how far it is run."""
    jobs = [
        word for word in as_typed(config.hydra.overrides.task) if not word.startswith("sweep.name=")
    ]
    search = [
        word
        for word in as_typed(config.hydra.overrides.hydra)
        if word.lstrip("+~").startswith(("hydra/sweeper", "hydra.sweeper"))
    ]
    how_far = ("hydra.sweeper.n_trials=", "hydra.sweeper.batch=")
    return [*jobs, *(word for word in search if not word.lstrip("+").startswith(how_far))]


def _check_records(folder: Path, pin: Pin, objectives: list[str], typed: list[str]) -> None:
    """Keep a sweep's records apart from those of another state of the repository, another objective or another command."""
    file = folder / "pin" / "pin.json"
    state = {
        "baseline": pin.baseline,
        "tree": pin.tree,
        "objectives": objectives,
        "overrides": typed,
    }
    before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else state
    if before["objectives"] != objectives:
        raise UserError(
            f"sweep.name={pin.name}: the sweep of this name optimises {' and '.join(before['objectives'])}, not "
            f"{' and '.join(objectives)}. Choose another name, or remove {folder}."
        )
    if before["overrides"] != typed:
        raise UserError(
            f"sweep.name={pin.name}: the sweep of this name is that of {' '.join(before['overrides']) or 'no override'}. "
            f"Choose another name, or remove {folder}."
        )
    if before != state:
        raise UserError(
            f"sweep.name={pin.name}: a sweep of this name was begun at {before['baseline'][:7]} with other files. Choose "
            f"another name, go back to that state, or remove {folder}."
        )
    write_json(file, state)
