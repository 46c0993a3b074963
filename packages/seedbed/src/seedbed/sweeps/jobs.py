"""One job of a sweep: overrides in, the DVC experiment that `dvc exp run -S` of them makes out."""

import contextlib
import copy
import hashlib
import math
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path

from omegaconf import DictConfig, open_dict

from seedbed.config.composition import text_of
from seedbed.config.params import PARAMS
from seedbed.errors import UserError
from seedbed.files import write_text
from seedbed.locks import lock
from seedbed.sweeps.dvc_calls import StageGraph, settings_for_slot
from seedbed.sweeps.objective import Objective, read_objectives
from seedbed.sweeps.records import Record, job_key, print_progress
from seedbed.sweeps.slots import Slot, find_experiment
from seedbed.sweeps.snapshot import Sweep
from seedbed.sweeps.zygote import Zygote

COMPOSE = "compose"
"""The stage that writes params.yaml, which is each job's own."""
UPSTREAM = Path(".dvc/tmp/upstream")
"""Where trees are named that hold what the stages before the target made."""
TARGET = "train"
"""Sweeps end here: what comes after reads the test rows."""


def run_job(overrides: list[str], composed: DictConfig) -> float | list[float]:
    """Run one job, record and print what became of it; return its objective, or several as a list.

    The objectives of a job that failed are NaN.

    Raises UserError if there is no sweep, or the record cannot be written.
    """
    sweep = Sweep.from_environment()
    if sweep is None:
        raise UserError(
            "this job has no sweep: SEEDBED_SWEEP is not set. Start it with "
            "`python -m seedbed.sweep`."
        )
    own = [word for word in overrides if not word.lstrip("+~").startswith(("sweep.", "sweep="))]
    log = sweep.folder / "logs" / f"{job_key(own)}.log"
    started, error = time.time(), ""
    experiment, found, values = "", False, [math.nan] * len(sweep.objectives)
    try:
        objectives = read_job_objectives(own, composed, sweep)
        experiment, commit, found = _worker_for(sweep).run(own, composed, log)
        values = [objective.measure(Path(sweep.root), commit) for objective in objectives]
    except UserError as reason:
        error = str(reason)
    except Exception as reason:
        # Whatever ended this job does not end the others.
        with contextlib.suppress(OSError), log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        error = f"{type(reason).__name__}: {reason}"
    finite = [] if error else values
    seconds = time.time() - started
    record = Record(own, started, seconds, experiment, found, finite, error, str(log))
    try:
        record.write(sweep.folder)
    except OSError as reason:
        raise UserError(f"the record of a job cannot be written: {reason}") from reason
    print_progress(sweep, record)
    return values if len(values) > 1 else values[0]


def read_job_objectives(
    overrides: list[str], composed: DictConfig, sweep: Sweep
) -> list[Objective]:
    """Return the objectives of a job.

    Raises UserError if they are not the sweep's: the best of different figures means nothing.
    """
    objectives = read_objectives(composed, Path(sweep.root))
    names = [objective.name for objective in objectives]
    if names != list(sweep.objectives):
        raise UserError(
            f"{' '.join(overrides)} is judged by {', '.join(names)}, and the sweep by "
            f"{', '.join(sweep.objectives)}. Sweep each question by itself, or name a metric that "
            "both have, as in sweep.objective=cv.<metric>."
        )
    return objectives


@cache
def _worker_for(sweep: Sweep) -> "Worker":
    """Return the worker of this process: slot and zygote serve all jobs that the process gets."""
    return Worker(sweep)


class Worker:
    """Runs jobs one after the other in one slot, with one zygote."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.slot = Slot.acquire(Path(sweep.root))
        self.slot.prepare(sweep)
        self._settings = settings_for_slot(Path(sweep.root), self.slot.root)
        self._environment = {"SEEDBED_SLOT": str(self.slot.root), "DVC_ROOT": sweep.root}
        # A zygote has imported the code of the snapshot, which is the same for all jobs of a sweep.
        has_one = "SEEDBED_ZYGOTE" in os.environ or sys.platform != "linux"
        self._zygote = None if has_one else Zygote(self.slot.root)
        if self._zygote:
            self._environment |= self._zygote.environment
        self._inputs: str | None = None

    def run(self, overrides: list[str], composed: DictConfig, log: Path) -> tuple[str, str, bool]:
        """Make the experiment of conf/ composed with these overrides, unless it is there.

        Returns
        -------
        tuple
            Name and commit of the experiment, and whether it was there. Stages print to `log`.

        Raises UserError if a value stands for another that is missing, or a stage fails.
        """
        text = params_of(composed, self.slot.root)
        digest = digest_of(text, self.sweep)
        if there := find_experiment(self.sweep, f"*{digest}"):
            return *there, True
        with chdir(self.slot.root), output_to(log):
            self.slot.reset(self.sweep)
            write_text(self.slot.root / PARAMS, text)
            try:
                self._reproduce()
            except UserError as error:
                raise UserError(f"{error}: {last_line(log)}") from error
        name = experiment_name(overrides, digest)
        message = f"seedbed: {', '.join(overrides) or 'as it stands'}"
        found = self.slot.commit(self.sweep, name, message)
        made = find_experiment(self.sweep, name)
        assert made is not None
        return *made, found

    def graph(self) -> StageGraph:
        """Return the stage graph of the slot as its files are now; work in the slot meanwhile."""
        return StageGraph(self.slot.root, self._settings, self._environment)

    def close(self) -> None:
        """End the zygote, and let go of the slot."""
        if self._zygote:
            self._zygote.close()
        self.slot.release()

    def _reproduce(self) -> None:
        """Run the graph up to the target, for the params.yaml that is there."""
        # Until this job's stages have succeeded, nobody knows what lies in the slot.
        previous, self._inputs = self._inputs, None
        graph = self.graph()
        stages = graph.ancestors(TARGET, COMPOSE)
        inputs = graph.inputs_hash(stages, COMPOSE, self.sweep.tree)
        file = Path(self.sweep.root) / UPSTREAM / inputs
        with lock(file.with_suffix(".lock")):  # of several jobs, the first one computes it
            self._take_over(file)
            if stages and inputs != previous:
                # What lies in the slot is not that of this worker's last job: DVC checks all of it.
                graph.checkout()
                graph.reproduce(*stages)
                write_text(file, self.slot.write_tree())
        graph.reproduce(COMPOSE, TARGET, alone=True)
        self._inputs = inputs
        graph.empty_stale(TARGET)

    def _take_over(self, file: Path) -> None:
        """Bring the slot to what the stages before the target made in a job with the same inputs.

        DVC's cache holds the data; the tree holds the reports that Git keeps, and dvc.lock.
        """
        if file.exists():
            params = (self.slot.root / PARAMS).read_text(encoding="utf-8")
            with contextlib.suppress(UserError):  # Git's garbage collection took the tree
                self.slot.reset(self.sweep, file.read_text(encoding="utf-8"))
            write_text(self.slot.root / PARAMS, params)


def params_of(composed: DictConfig, root: Path) -> str:
    """Return the params.yaml of a job, whose conf/sweep.yaml Hydra composed."""
    params = copy.deepcopy(composed)
    with open_dict(params):
        params.pop("sweep", None)
    return text_of(params, root)


def digest_of(text: str, sweep: Sweep) -> str:
    """Return a hash of all that decides a job's result: its parameters and the snapshot."""
    decides = "\0".join([text, sweep.baseline, sweep.tree])
    return hashlib.sha256(decides.encode()).hexdigest()[:10]


def experiment_name(overrides: list[str], digest: str) -> str:
    """Return a readable name that ends in the hash by which the experiment is found again.

    It has the overrides' last key parts and values; `model=mlp` becomes `mlp`, `seed=1` `seed1`.
    """
    words = [_word(override) for override in overrides]
    readable = "-".join(word for word in words if word)[:60].lstrip("-").rstrip("-.")
    return f"{readable}-{digest}" if readable else digest


def _word(override: str) -> str:
    key, _, value = override.lstrip("+~").partition("=")
    last = key.rpartition(".")[2].rpartition("/")[2]
    if re.fullmatch(r"[-+]?\d+\.\d{4,}(e[-+]?\d+)?", value):
        value = f"{float(value):.4g}"  # the hash at the end keeps apart what looks alike then
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", value.strip("'\"")).strip("_.")
    plain = re.sub(r"\.\.+", ".", plain)
    choice = "." not in key and not re.fullmatch(r"[-+0-9.eE]*", value)
    return plain if choice else f"{last}{plain}"


def last_line(log: Path) -> str:
    """Return what a stage that failed printed last: its reason."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[None]:
    """Send what this process and its children print to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    before = [os.dup(number) for number in (1, 2)]
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), before, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
