"""A search with Optuna: ask for jobs, run them with Hydra's launcher, tell their values."""

import math
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from seedbed.config.metrics import Direction
from seedbed.locks import is_locked, lock
from seedbed.models.parallel import cores
from seedbed.sweeps.objective import read_objectives
from seedbed.sweeps.snapshot import Sweep
from seedbed.sweeps.space import plan_search

ASKED_BY = "asked_by"
"""The attribute of a trial that names the file which the process that asked for it holds."""


def run_study(sweeper: Any) -> list[Any]:
    """Run the study of this sweep to its number of trials; return what the launcher returned.

    Parameters
    ----------
    sweeper : hydra_plugins.seedbed_optuna_sweeper.OptunaSweeper
        With its launcher made.

    Raises UserError if there is nothing to search.
    """
    import optuna
    from hydra.utils import instantiate

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    sweep = Sweep.from_environment()
    assert sweep is not None, "SweepCallback has begun the sweep before"
    plan = plan_search(sweeper.config, Path(sweep.root))
    journal = sweep.folder / "study/journal.log"
    objectives = read_objectives(sweeper.config, Path(sweep.root))
    study = open_study(journal, [one.direction for one in objectives])
    batch = sweeper.batch or jobs_at_once(sweeper.config)

    def sampler(number: int) -> Any:
        return instantiate(sweeper.sampler, seed=sweeper.seed + number)

    returned: list[Any] = []
    wanted = sweeper.n_trials
    with alive(journal) as owner:
        while trials := ask(study, journal, sampler, owner, batch, wanted):
            jobs = [plan.job(trial) for trial in trials]
            results = sweeper.launcher.launch(jobs, initial_job_idx=len(returned))
            for trial, result in zip(trials, results, strict=True):
                # A failed one is tried again when the command is typed again, and not before.
                wanted -= not tell(study, trial, result.return_value)
            returned += results
    return returned


def open_study(journal: Path, directions: list[Direction]) -> Any:
    """Return the study in this journal, made if it is new.

    Trials that failed, or that a killed process left open, are tried again; those of a process
    that is alive, here or on another machine, are left alone: several may work on one study.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    with lock(journal.with_suffix(".lock")):
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name="sweep",
            directions=directions,
            load_if_exists=True,
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if not _is_running(trial, journal):
                study.tell(trial.number, state=TrialState.FAIL)
        trials = study.get_trials(deepcopy=False)
        known = [{}, *(_chosen(trial) for trial in trials if trial.state != TrialState.FAIL)]
        for trial in trials:
            if trial.state == TrialState.FAIL and _chosen(trial) not in known:
                study.enqueue_trial(_chosen(trial))
                known.append(_chosen(trial))
    return study


def ask(
    study: Any, journal: Path, sampler: Callable[[int], Any], owner: str, batch: int, wanted: int
) -> list[Any]:
    """Return a batch of trials, at most as many as are missing to `wanted` in all processes."""
    from optuna.trial import TrialState

    with lock(journal.with_suffix(".lock")):  # one process at a time counts trials and adds some
        # Seeded alike for each batch, or by each process, it would ask for the same again.
        study.sampler = sampler(len(study.get_trials(deepcopy=False)))
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        there = len(finished(study)) + sum(_is_running(trial, journal) for trial in running)
        trials = [study.ask() for _ in range(min(batch, wanted - there))]
        for trial in trials:
            trial.set_user_attr(ASKED_BY, owner)
    return trials


def finished(study: Any) -> list[Any]:
    """Return the trials that have a result."""
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def tell(study: Any, trial: Any, values: float | list[float]) -> bool:
    """Tell a trial's values, NaN for a job that failed; return whether the trial is complete."""
    from optuna.trial import TrialState

    values = values if isinstance(values, list) else [values]
    failed = any(math.isnan(value) for value in values)
    if failed:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, values)
    return not failed


def jobs_at_once(config: DictConfig) -> int:
    """Return how many jobs the launcher runs at once: its n_jobs, or as many as there are cores."""
    launcher = config.hydra.launcher
    if str(launcher._target_).endswith("BasicLauncher"):
        return 1
    jobs = int(launcher.get("n_jobs") or -1)
    return cores() if jobs < 0 else jobs


@contextmanager
def alive(journal: Path) -> Iterator[str]:
    """Lock a file beside the journal as long as this process lives; yield its name."""
    name = f"{uuid.uuid4().hex}.alive"
    path = journal.with_name(name)
    try:
        with lock(path):
            yield name
    finally:
        path.unlink()


def _chosen(trial: Any) -> dict[str, Any]:
    """Return the parameters of a trial; of a queued one, those that it is to have."""
    return trial.system_attrs.get("fixed_params") or trial.params


def _is_running(trial: Any, journal: Path) -> bool:
    """Return whether the process that asked for a trial is alive."""
    owner = journal.with_name(trial.user_attrs.get(ASKED_BY, "nobody"))
    return owner.exists() and is_locked(owner)
