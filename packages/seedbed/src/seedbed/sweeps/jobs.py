"""One job of a sweep: overrides in, one DVC experiment out, equal to what `dvc exp run -S` of the same makes."""

import contextlib
import copy
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig, open_dict

from seedbed.config.composition import text_of
from seedbed.config.params import PARAMS
from seedbed.errors import UserError
from seedbed.files import write_text
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.pipeline import Ancestors, Pipeline
from seedbed.sweeps.slots import Slot, find_by_digest, find_experiment
from seedbed.sweeps.upstream import Upstream
from seedbed.sweeps.zygote import Zygote

FIRST = "compose"
"""Records what is each job's own, its overrides."""
TARGET = "train"
"""Sweeps end here: what comes after reads the test rows."""


@dataclass(frozen=True)
class Done:
    """A finished job: its experiment, the experiment's commit, and whether it was there before."""

    name: str
    commit: str
    found: bool


class Worker:
    """Runs jobs one after the other in one slot, with one zygote."""

    def __init__(self, pin: Pin) -> None:
        self.pin = pin
        self.slot = Slot.acquire(Path(pin.root))
        self.slot.prepare(pin)
        # A zygote has imported the code of the snapshot, which is the same for all jobs of a sweep.
        self._environment = {"SEEDBED_SLOT": str(self.slot.root), "DVC_ROOT": pin.root}
        self._zygote = Zygote(self.slot.root) if sys.platform == "linux" else None
        self._ready = False
        self._restored: str | None = None
        self._ancestors: Ancestors | None = None

    def run(self, overrides: list[str], composed: DictConfig, log: Path) -> Done:
        """Make the experiment of conf/ composed with these overrides, unless it is there; what is printed goes to `log`.

        Raises
        ------
        UserError
            If a value stands for another that is not there, or a stage fails.
        """
        with at_work_in(self.slot.root, self._environment):
            self.slot.reset(self.pin)
            text = params_of(composed, self.slot.root)
            digest = digest_of(text, self.pin)
            if there := find_by_digest(self.pin, digest):
                return Done(*there, found=True)
            name = experiment_name(overrides, digest)
            with output_to(log):
                if self._zygote and not self._ready:
                    self._await_zygote(self._zygote)
                write_text(self.slot.root / PARAMS, text)
                try:
                    self._reproduce()
                except UserError as error:
                    raise UserError(f"{error}: {last_line(log)}") from error
            found = self.slot.commit(
                self.pin, name, f"seedbed: {', '.join(overrides) or 'as it stands'}"
            )
            commit = find_experiment(self.pin, name)
            assert commit is not None
            return Done(name, commit, found)

    def close(self) -> None:
        """End the zygote, and let go of the slot."""
        if self._zygote:
            self._zygote.close()
        self.slot.release()

    def _await_zygote(self, zygote: Zygote) -> None:
        """Let stages find the zygote; where it does not start, they import for themselves."""
        try:
            found = zygote.wait_until_ready()
        except RuntimeError as error:
            print(f"{error}. Stages import for themselves.", file=sys.stderr)
            found = {}
        os.environ.update(found)
        self._environment |= found
        self._ready = True

    def _reproduce(self) -> None:
        """Run the graph up to the target, for the params.yaml that is there."""
        # Until this job's stages have succeeded, nobody knows what lies in the slot.
        restored, self._restored = self._restored, None
        pipeline = Pipeline(self.slot.root)
        if self._ancestors is None or self._ancestors.templated:
            self._ancestors = pipeline.ancestors(TARGET, FIRST)
        read = pipeline.read_params(self._ancestors.keys)
        upstream = Upstream(
            Path(self.pin.root), self.slot.root, self._ancestors, read, self.pin.tree
        )
        there = upstream.key == restored
        if there:
            with upstream.alone():
                upstream.put_back()
        else:
            self._prepare(pipeline, upstream, self._ancestors.names)
        with pipeline.undisturbed():
            if there:
                # What lies between is as this worker's last job left it, and was asked about then.
                pipeline.reproduce(FIRST, TARGET, alone=True)
            else:
                pipeline.reproduce(TARGET)
            self._restored = upstream.key
            pipeline.forget_what_no_longer_belongs(TARGET)

    def _prepare(self, pipeline: Pipeline, upstream: Upstream, names: list[str]) -> None:
        """Bring in what leads to the target; what several jobs need is computed by the first of them, the others wait."""
        with upstream.alone():
            computed = upstream.computed()
            if computed:
                upstream.put_back()
            else:
                _compute(pipeline, upstream)
        if computed:
            with pipeline.undisturbed():
                pipeline.restore()
                complete = pipeline.holds(names)
            if not complete:
                # Its data are no longer in the cache, as after `make gc`.
                with upstream.alone():
                    upstream.put_back()
                    _compute(pipeline, upstream)


def _compute(pipeline: Pipeline, upstream: Upstream) -> None:
    pipeline.restore()
    pipeline.reproduce(*pipeline.before(TARGET))
    upstream.keep()


def params_of(composed: DictConfig, root: Path) -> str:
    """Return what params.yaml of the checkout `root` is with conf/sweep.yaml as Hydra composed it for a job."""
    params = copy.deepcopy(composed)
    with open_dict(params):
        params.pop("sweep", None)
    return text_of(params, root)


def last_line(log: Path) -> str:
    """Return what a stage that failed said last: its reason."""
    lines = [
        line
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.strip()
    ]
    return lines[-1] if lines else "it said nothing"


def digest_of(text: str, pin: Pin) -> str:
    """Return a hash of all that decides a job's result: its parameters, in whatever words they were typed, and the snapshot."""
    return hashlib.sha256("\0".join([text, pin.baseline, pin.tree]).encode()).hexdigest()[:10]


def experiment_name(overrides: list[str], digest: str) -> str:
    """Return a name that can be read, and that ends in the hash by which the experiment is found again.

    It begins with the overrides' last key parts and values; `model=mlp` is told as `mlp`, `seed=1` as `seed1`.
    """
    words = [_word(override) for override in overrides]
    readable = "-".join(word for word in words if word)[:60].lstrip("-").rstrip("-.")
    return f"{readable}-{digest}" if readable else digest


def _word(override: str) -> str:
    key, _, value = override.lstrip("+~").partition("=")
    last = key.rpartition(".")[2].rpartition("/")[2]
    if re.fullmatch(r"[-+]?\d+\.\d{4,}(e[-+]?\d+)?", value):
        value = f"{float(value):.4g}"  # a search's: the hash at the end tells apart what looks alike then
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", value.strip("'\"")).strip("_.")
    plain = re.sub(r"\.\.+", ".", plain)
    choice = "." not in key and not re.fullmatch(r"[-+0-9.eE]*", value)
    return plain if choice else f"{last}{plain}"


@contextlib.contextmanager
def at_work_in(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Be in a folder, with more in the environment; go back afterwards. Processes only: both belong to all threads."""
    before, here = dict(os.environ), Path.cwd()
    os.environ.update(environment)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[None]:
    """Send what this process and its children print to a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with log.open("ab") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, descriptor in zip((1, 2), kept, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
