"""Retraining: the window moves to the newest rows, the graph runs in a slot, the gate decides.

What comes of it is an experiment and a report. Work tree, index, HEAD and champion stay.
"""

import sys
import traceback
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from omegaconf import OmegaConf

from seedbed.config.conf_hash import conf_hash
from seedbed.config.params import PARAMS, read_params
from seedbed.config.schema import ColumnLists, Dataset, Window
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError
from seedbed.files import write_text
from seedbed.locks import try_lock
from seedbed.registry.content import path_hash, tracked_hash
from seedbed.registry.promoting import SOURCES, refuse_uncommitted
from seedbed.registry.versions import Bump, read_registry
from seedbed.retraining.challenger import Challenger
from seedbed.retraining.promotion import finish_promotion, promote_experiment
from seedbed.retraining.report import write_report
from seedbed.retraining.source import end_of_raw, read_source_times
from seedbed.retraining.windows import Move, move_window
from seedbed.serving.champion import TRACKED
from seedbed.serving.loading import CHAMPION
from seedbed.sweeps.jobs import Worker, digest_of, last_line, output_to
from seedbed.sweeps.slots import find_experiment
from seedbed.sweeps.snapshot import take_snapshot

LOCK = Path(".dvc/tmp/retrain.lock")
LOG = Path(".dvc/tmp/retrain.log")
REPORTS = Path("reports/retraining")
PREFIX = "retrain-"
"""What the name of each experiment begins with."""


class Code(IntEnum):
    """Exit codes of `seedbed retrain`; 1 is an error, 2 a command that cannot be read."""

    ACCEPTED = 0
    REFUSED = 3
    NOTHING_NEW = 4
    BUSY = 5


@dataclass(frozen=True)
class Result:
    """What came of a retraining: exit code, and sentences."""

    code: Code
    message: str


def retrain(
    root: Path, *, end: str | None = None, sliding: bool = False, promote: bool = False
) -> Result:
    """Retrain the committed model on the newest rows.

    Parameters
    ----------
    root : Path
        Of the repository.
    end, sliding
        As :func:`~seedbed.retraining.windows.move_window` takes them.
    promote : bool
        Whether to promote the model if the gate lets it pass.

    Raises UserError if something is uncommitted, the window cannot move, or a stage fails.
    """
    with exclusively(root) as free:
        if not free:
            return Result(Code.BUSY, "Another retraining or promotion is running here.")
        if finished := finish_promotion(root):
            return Result(Code.ACCEPTED, finished)
        with closing(clean_worker(root)) as worker, explained(root / LOG):
            return Retraining(worker).run(end, sliding, promote)


def promote_by_name(root: Path, name: str, bump: Bump = "minor") -> str:
    """Promote an experiment of HEAD; return what was done.

    Raises UserError as :func:`~seedbed.retraining.promotion.promote_experiment`, or if another one
    is running.
    """
    with exclusively(root) as free:
        if not free:
            raise UserError("another retraining or promotion is running here. Wait for its end.")
        if finished := finish_promotion(root):
            return finished
        with closing(clean_worker(root)) as worker, explained(root / LOG):
            return promote_experiment(worker, name, bump, root / LOG)


@contextmanager
def exclusively(root: Path) -> Iterator[bool]:
    """Yield whether this process alone retrains and promotes experiments here."""
    held = try_lock(root / LOCK)
    if held is None:
        yield False
        return
    with held:
        (root / LOG).unlink(missing_ok=True)
        yield True


def clean_worker(root: Path) -> Worker:
    """Return a worker for HEAD.

    Raises UserError if something is uncommitted, or no experiment can be made here.
    """
    snapshot = take_snapshot(root)
    snapshot.release()  # it would hold the uncommitted work
    refuse_uncommitted(root, *SOURCES)
    return Worker(snapshot)


@contextmanager
def explained(log: Path) -> Iterator[None]:
    """Make an error of another library a paragraph; its traceback goes to the log."""
    try:
        yield
    except (UserError, KeyboardInterrupt):
        raise
    except Exception as error:
        with log.open("a", encoding="utf-8") as file:
            traceback.print_exc(file=file)
        raise UserError(f"{type(error).__name__}: {error}. The log is {log}.") from error


class Retraining:
    """One retraining, in the slot of a worker."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.root = Path(worker.sweep.root)
        self.slot = worker.slot.root
        self.log = self.root / LOG

    def run(self, end: str | None, sliding: bool, promote: bool) -> Result:
        """Do it, unless there is nothing new; an experiment that is there is not made again."""
        with chdir(self.slot), output_to(self.log):
            self.worker.graph().checkout()
            self._check()
            before: Window = read_params(["dataset"])["dataset"].window
            move = self._move(end, sliding)
        if move is None:
            until = f"{before.end}, where the window ends" if before.end else "data/raw"
            more = f", and before {end}" if end else ""
            return Result(Code.NOTHING_NEW, f"Nothing is new: no row comes after {until}{more}.")
        rows = "1 new row" if move.new_rows == 1 else f"{move.new_rows:,} new rows"
        print(f"{rows} up to {move.window.end}; the log is {LOG}", file=sys.stderr, flush=True)
        name = self._find_or_make(move)
        challenger = Challenger.read(self.slot, move.since)
        report = REPORTS / f"{name}.md"
        in_use = read_registry(self.root).in_use

        def write(promoted: str | None = None) -> None:
            text = write_report(name, before, move.window, challenger, in_use, promoted)
            write_text(self.root / report, text)

        write()
        if not challenger.verdict.passed:
            return Result(Code.REFUSED, f"Refused: {challenger.verdict.reason} Report: {report}")
        done = f"Accepted: {challenger.verdict.reason}"
        if promote:
            promoted = promote_experiment(self.worker, name, "minor", self.log)
            write(promoted)
            done = f"{done} {promoted}"
        return Result(Code.ACCEPTED, f"{done} Report: {report}")

    def _check(self) -> None:
        """Refuse what would be noticed only after the training."""
        if load_yaml(Path(PARAMS)).get("conf_hash") != conf_hash(Path()):
            raise UserError(
                f"{PARAMS} is not in step with conf/: it was composed from another one. Run `dvc "
                "repro`, look at the result, and commit it."
            )
        if TRACKED.exists() and path_hash(CHAMPION) != tracked_hash(Path()):
            raise UserError(
                f"{CHAMPION}: the champion is not in DVC's cache, so no model can be compared with "
                f"it. Run `dvc pull {CHAMPION}`."
            )

    def _move(self, end: str | None, sliding: bool) -> Move | None:
        params = read_params(["dataset", "source", "columns"])
        dataset: Dataset = params["dataset"]
        lists: ColumnLists = params["columns"]
        times = read_source_times(dataset, params["source"], lists)
        until = end_of_raw(lists) if dataset.window.end is None else None
        return move_window(
            dataset.window,
            times,
            dataset.time_zone,
            trained_until=until,
            end=end,
            sliding=sliding,
        )

    def _find_or_make(self, move: Move) -> str:
        """Return the name of the experiment with this window, which is in the slot then."""
        snapshot, slot = self.worker.sweep, self.worker.slot
        params = OmegaConf.load(self.slot / PARAMS)
        params.dataset.window = move.window.model_dump()
        text = OmegaConf.to_yaml(params)
        digest = digest_of(text, snapshot)
        # A job of a sweep has the same hash, and ends before the gate.
        there = find_experiment(snapshot, f"{PREFIX}*{digest}")
        with chdir(self.slot), output_to(self.log):
            if there:
                slot.reset(snapshot, there[1])
                self.worker.graph().checkout()
                return there[0]
            write_text(self.slot / PARAMS, text)
            try:
                self.worker.graph().reproduce()
            except UserError as error:
                raise UserError(f"{error}: {last_line(self.log)} The log is {self.log}.") from error
        name = f"{PREFIX}{str(move.window.end)[:10]}-{digest}"
        slot.commit(snapshot, name, f"seedbed: retrained up to {move.window.end}")
        return name
