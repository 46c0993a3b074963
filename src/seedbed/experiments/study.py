"""A search with Optuna: ask for a batch, let Hydra's launcher run it, tell what came out. Goes on where it was left."""

import math
import os
import socket
import warnings
from pathlib import Path
from typing import Any

import psutil
from omegaconf import DictConfig, OmegaConf

from seedbed.errors import UserError
from seedbed.experiments.grid import check_job
from seedbed.experiments.objective import Direction, direction_of
from seedbed.experiments.pin import Pin
from seedbed.experiments.records import FOLDER
from seedbed.experiments.space import Chooser, Dimension, chooser, read_space, split_overrides
from seedbed.experiments.sweeping import objectives_of, problem_of
from seedbed.models.parallel import cores

ASKED_BY = "asked_by"
"""The attribute of a trial that names the machine and the process which asked for it."""


def run_study(sweeper: Any, arguments: list[str]) -> list[Any]:
    """Run the study of this sweep to `sweeper.n_trials` trials; return what the launcher returned.

    Parameters
    ----------
    sweeper : hydra_plugins.seedbed_optuna_sweeper.OptunaSweeper
        With its launcher made.
    arguments : list of str
        The overrides of the command line.

    Raises
    ------
    UserError
        If there is nothing to search.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    pin = Pin.from_environment()
    assert pin is not None, "SweepCallback has pinned the sweep before"
    problem = problem_of(sweeper.config, Path(pin.root))
    fixed, choose = plan(sweeper.config, arguments, Path(pin.root) / "conf", problem.task)
    study = open_study(
        Path(pin.root) / FOLDER / pin.name / "study" / "journal.log",
        [direction_of(objective, problem) for objective in objectives_of(sweeper.config.sweep)],
        sweeper.sampler,
        sweeper.seed,
    )
    batch = sweeper.batch or at_once(sweeper.config)
    returned: list[Any] = []
    missing = sweeper.n_trials - len(finished(study))
    while len(returned) < missing:
        trials = [study.ask() for _ in range(min(batch, missing - len(returned)))]
        for trial in trials:
            trial.set_user_attr(ASKED_BY, _myself())
        jobs = [[*fixed, *choose(trial)] for trial in trials]
        if not returned:
            sweeper.validate_batch_is_legal(jobs)
            check_job(sweeper.config, jobs[0], Path(pin.root))
        results = sweeper.launcher.launch(jobs, initial_job_idx=len(returned))
        for trial, result in zip(trials, results, strict=True):
            tell(study, trial, result.return_value)
        returned += results
    return returned


def plan(config: DictConfig, arguments: list[str], conf: Path, task: str) -> tuple[list[str], Chooser]:
    """Return the overrides that all jobs share, and what chooses the others; the spaces are read now, once.

    Raises
    ------
    UserError
        If neither the command line nor conf/search says what to search.
    """
    fixed, searched = split_overrides(arguments)
    default = str(config.hydra.runtime.choices.model)
    models = [
        str(value)
        for dimension in searched
        if dimension.key == "model"
        for value in dimension.override.sweep_string_iterator()
    ]
    spaces: dict[str, list[Dimension]] = {model: read_space(conf, model, task) for model in models or [default]}
    if not searched and not spaces[default]:
        raise UserError(
            f"there is nothing to search: model={default} has no conf/search/{default}.yaml, and no override is a sweep. "
            "Write that file, or something like 'seed=range(20)'."
        )
    return fixed, chooser(searched, lambda model: spaces[model], default)


def open_study(journal: Path, directions: list[Direction], sampler: DictConfig, seed: int) -> Any:
    """Return the study in this journal, made if it is new; trials that failed, or that a killed run left open, are tried again.

    Trials of a process that is alive, or of another machine, are let be: several may work on one study.
    """
    import optuna
    from hydra.utils import instantiate
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        storage=JournalStorage(JournalFileBackend(str(journal))),
        study_name="sweep",
        directions=directions,
        load_if_exists=True,
    )
    trials = study.get_trials(deepcopy=False)
    # A sampler that began anew at the same seed would ask for what it has asked for before.
    study.sampler = instantiate(sampler, seed=seed + len(trials))
    for trial in trials:
        if trial.state == TrialState.RUNNING and _is_gone(trial.user_attrs.get(ASKED_BY)):
            study.tell(trial.number, state=TrialState.FAIL)
    trials = study.get_trials(deepcopy=False)
    known = [trial.params for trial in trials if trial.state != TrialState.FAIL]
    for trial in trials:
        if trial.state == TrialState.FAIL and trial.params not in known:
            study.enqueue_trial(trial.params)
            known.append(trial.params)
    return study


def _myself() -> list[Any]:
    return [socket.gethostname(), os.getpid()]


def _is_gone(asker: list[Any] | None) -> bool:
    """Say whether the process that asked for a trial is one of this machine that has ended, or this one before."""
    if asker is None or asker == _myself():
        return True
    host, process = asker
    return bool(host == socket.gethostname() and not psutil.pid_exists(process))


def finished(study: Any) -> list[Any]:
    """Return the trials that have a result."""
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def tell(study: Any, trial: Any, values: float | list[float]) -> None:
    """Tell a trial's objectives; NaN stands for a job that failed."""
    from optuna.trial import TrialState

    told = values if isinstance(values, list) else [values]
    if any(math.isnan(value) for value in told):
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, told)


def at_once(config: DictConfig) -> int:
    """Return how many jobs the launcher runs at once: its n_jobs, the cores for -1, and 1 where it has none."""
    jobs = OmegaConf.select(config, "hydra.launcher.n_jobs")
    if jobs is None:
        return 1
    return cores() if int(jobs) < 0 else int(jobs)
