"""A search with Optuna: ask for a batch, let Hydra's launcher run it, tell what came out. Goes on where it was left."""

import fcntl
import math
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import DictConfig

from seedbed.errors import UserError
from seedbed.models.parallel import cores
from seedbed.sweeps.grid import check_job
from seedbed.sweeps.objective import Direction, direction_of
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.records import FOLDER
from seedbed.sweeps.space import Plan, make_plan
from seedbed.sweeps.sweeping import objectives_of, problem_of

ASKED_BY = "asked_by"
"""The attribute of a trial that names the file which the process that asked for it holds as long as it lives."""


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
        If there is nothing to search, or Hydra could not compose a job.
    """
    import optuna
    from hydra.utils import instantiate

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    pin = Pin.from_environment()
    assert pin is not None, "SweepCallback has pinned the sweep before"
    problem = problem_of(sweeper.config, Path(pin.root))
    default = str(sweeper.config.hydra.runtime.choices.model)
    plan = make_plan(arguments, default, Path(pin.root) / "conf", problem.task)
    check_plan(plan, sweeper, Path(pin.root))
    journal = Path(pin.root) / FOLDER / pin.name / "study" / "journal.log"
    directions = [
        direction_of(objective, problem) for objective in objectives_of(sweeper.config.sweep)
    ]
    study = open_study(journal, directions)
    batch = sweeper.batch or at_once(sweeper.config)

    def sampler(number: int) -> Any:
        return instantiate(sweeper.sampler, seed=sweeper.seed + number)

    returned: list[Any] = []
    wanted = sweeper.n_trials
    with alive(journal) as myself:
        while trials := ask(study, journal, sampler, myself, batch, wanted):
            jobs = [plan.job(trial) for trial in trials]
            results = sweeper.launcher.launch(jobs, initial_job_idx=len(returned))
            for trial, result in zip(trials, results, strict=True):
                # One that failed is tried again when the command is typed again, and not before.
                wanted -= not tell(study, trial, result.return_value)
            returned += results
    return returned


def check_plan(plan: Plan, sweeper: Any, root: Path) -> None:
    """Compose and check an example of each kind of job: in the middle of a study a mistake would cost a batch.

    Raises
    ------
    UserError
        If one cannot be composed, or its parameters cannot be used.
    """
    for model, job in plan.examples():
        try:
            sweeper.validate_batch_is_legal([job])
        except HydraException as error:
            reason = " ".join(str(error).partition("Config search path")[0].split())
            raise UserError(
                f"{' '.join(job)}: such a job cannot be composed: {reason}. Correct the override, be it of "
                f"the command line or of conf/search/{model}.yaml."
            ) from None
        check_job(sweeper.config, job, root)


def open_study(journal: Path, directions: list[Direction]) -> Any:
    """Return the study in this journal, made if it is new; trials that failed, or that a killed run left open, are tried again.

    Trials of a process that is alive, here or on another machine, are let be: several may work on one study.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend
    from optuna.trial import TrialState

    journal.parent.mkdir(parents=True, exist_ok=True)
    with _alone(journal):
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(journal))),
            study_name="sweep",
            directions=directions,
            load_if_exists=True,
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if not _at_work(trial, journal):
                study.tell(trial.number, state=TrialState.FAIL)
        trials = study.get_trials(deepcopy=False)
        known = [{}, *(_chosen(trial) for trial in trials if trial.state != TrialState.FAIL)]
        for trial in trials:
            if trial.state == TrialState.FAIL and _chosen(trial) not in known:
                study.enqueue_trial(_chosen(trial))
                known.append(_chosen(trial))
    return study


def ask(
    study: Any, journal: Path, sampler: Callable[[int], Any], myself: str, batch: int, wanted: int
) -> list[Any]:
    """Return a batch of trials, fewer where fewer are missing to as many as are wanted: done, or being worked on anywhere."""
    from optuna.trial import TrialState

    with _alone(journal):
        # Seeded alike for each batch, or by each process, it would ask for what was asked for before.
        study.sampler = sampler(len(study.get_trials(deepcopy=False)))
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        there = len(finished(study)) + sum(_at_work(trial, journal) for trial in running)
        trials = [study.ask() for _ in range(min(batch, wanted - there))]
        for trial in trials:
            trial.set_user_attr(ASKED_BY, myself)
    return trials


@contextmanager
def _alone(journal: Path) -> Iterator[None]:
    """Let one process at a time count trials and add some."""
    with journal.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _chosen(trial: Any) -> dict[str, Any]:
    """Return the parameters of a trial; of one that is queued, or was not asked for all of them, those it is to have."""
    return trial.system_attrs.get("fixed_params") or trial.params


@contextmanager
def alive(journal: Path) -> Iterator[str]:
    """Hold a file beside the journal, by its name, that the kernel lets go of however this process ends."""
    name = f"{uuid.uuid4().hex}.alive"
    path = journal.with_name(name)
    try:
        with path.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield name
    finally:
        path.unlink()


def _at_work(trial: Any, journal: Path) -> bool:
    """Say whether the process that asked for a trial is alive."""
    try:
        with journal.with_name(trial.user_attrs[ASKED_BY]).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (KeyError, FileNotFoundError):
        return False
    except BlockingIOError:
        return True
    return False


def finished(study: Any) -> list[Any]:
    """Return the trials that have a result."""
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)))


def tell(study: Any, trial: Any, values: float | list[float]) -> bool:
    """Tell a trial's objectives, NaN standing for a job that failed; return whether the trial is complete."""
    from optuna.trial import TrialState

    told = values if isinstance(values, list) else [values]
    failed = any(math.isnan(value) for value in told)
    if failed:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, told)
    return not failed


def at_once(config: DictConfig) -> int:
    """Return how many jobs the launcher runs at once: n_jobs, the cores where that is -1 or missing, 1 for Hydra's basic one."""
    launcher = config.hydra.launcher
    if str(launcher._target_).endswith("BasicLauncher"):
        return 1
    jobs = int(launcher.get("n_jobs") or -1)
    return cores() if jobs < 0 else jobs
