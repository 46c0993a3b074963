"""What happens around a sweep: it is pinned before the first job, watched meanwhile, and summed up after the last."""

import hashlib
import json
import os
import re
import sys
import time
from math import prod
from pathlib import Path
from typing import Any, TextIO

from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from seedbed.config.repository import find_root
from seedbed.errors import UserError
from seedbed.experiments.objective import direction_of
from seedbed.experiments.pin import Pin
from seedbed.experiments.progress import Watch, summary
from seedbed.experiments.records import FOLDER, read_records
from seedbed.experiments.sweep_report import write_report
from seedbed.experiments.sweeping import objectives_of, problem_of
from seedbed.files import write_json


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
        try:
            problem = problem_of(config)
            self.objectives = objectives_of(config.sweep)
            self.directions = [direction_of(objective, problem) for objective in self.objectives]
            total = count_jobs(config)
            root = find_root()
            self.pin = Pin.take(root, lambda baseline, tree: sweep_name(config, baseline, tree))
            folder = root / FOLDER / self.pin.name
        except UserError as error:
            # Of any other exception Hydra would make a warning, and go on.
            sys.exit(f"sweep: {error}")
        try:
            _check_records(folder, self.pin, self.objectives, _typed(config))
        except UserError as error:
            self.pin.release()
            sys.exit(f"sweep: {error}")
        self.pin.hand_on()
        self.watch = Watch(folder, time.time(), total, self.directions[0], _own_stderr())
        self.watch.start()

    def _finish(self) -> None:
        self.watch.stop()
        self.pin.release()
        # An earlier run of this sweep counts too; what was running when that was killed does not.
        records = [record for record in read_records(self.watch.folder) if record.state != "running"]
        print(summary(records, self.directions), file=sys.stderr)
        report = Path("reports/sweeps") / self.pin.name
        write_report(Path(self.pin.root) / report, records, self.objectives, self.directions)
        print(f"report: {report}", file=sys.stderr)


def _own_stderr() -> TextIO:
    """Return standard error as it is now: a job that runs in this process sends its own to a log meanwhile."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
    except (OSError, ValueError):  # not a file, as in a notebook
        return sys.stderr


def sweep_name(config: DictConfig, baseline: str, tree: str) -> str:
    """Return the chosen name, or one that is the same whenever the same command is typed at the same state of things."""
    if config.sweep.name:
        return str(config.sweep.name)
    typed = _typed(config)
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(typed))[:40].strip("-.")
    return f"{readable or 'sweep'}-{hashlib.sha256(repr([typed, baseline, tree]).encode()).hexdigest()[:6]}"


def _typed(config: DictConfig) -> list[str]:
    """Return the overrides that make this sweep another one: not what it is called, nor how and how far it is run."""
    jobs = [word for word in config.hydra.overrides.task if not word.startswith("sweep.name=")]
    search = [
        word
        for word in config.hydra.overrides.hydra
        if word.lstrip("+~").startswith(("hydra/sweeper", "hydra.sweeper"))
    ]
    how_far = ("hydra.sweeper.n_trials=", "hydra.sweeper.batch=")
    return [*jobs, *(word for word in search if not word.lstrip("+").startswith(how_far))]


def count_jobs(config: DictConfig) -> int | None:
    """Return how many jobs there will be; None for a sweeper that decides that itself.

    Raises
    ------
    UserError
        If a grid is asked of an interval.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import Glob

    if "n_trials" in config.hydra.sweeper:
        return int(config.hydra.sweeper.n_trials)
    if not str(config.hydra.sweeper._target_).endswith("BasicSweeper"):
        return None
    overrides = OverridesParser.create().parse_overrides(list(config.hydra.overrides.task))
    if any(isinstance(one.value(), Glob) for one in overrides):
        return None  # Hydra knows what it stands for once it sweeps
    for one in overrides:
        if one.is_sweep_override() and not one.is_discrete_sweep():
            raise UserError(
                f"{one.input_line}: a grid needs single values, as in choice(...) or range(...). To search an interval, "
                "add hydra/sweeper=optuna or hydra/sweeper=random."
            )
    lengths = [len(list(one.sweep_iterator())) for one in overrides if one.is_discrete_sweep()]
    return prod(lengths)


def _check_records(folder: Path, pin: Pin, objectives: list[str], typed: list[str]) -> None:
    """Keep a sweep's records apart from those of another state of the repository, another objective or another command."""
    file = folder / "pin" / "pin.json"
    state = {"baseline": pin.baseline, "tree": pin.tree, "objectives": objectives, "overrides": typed}
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
