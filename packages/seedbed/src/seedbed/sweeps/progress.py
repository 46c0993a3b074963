"""How far a sweep is: a live line on a terminal, one line a finished job elsewhere, and a table at the end."""

import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from seedbed.sweeps.objective import Direction, front
from seedbed.sweeps.records import Record, read_records


class Watch:
    """Looks at the records of a sweep while Hydra's launcher keeps this process waiting.

    Parameters
    ----------
    folder : Path
        Where the jobs' records are.
    began : float
        When the sweep began, in seconds since the epoch: older records are of an earlier try.
    total : int, optional
        How many jobs there will be, where that is known.
    direction : str
        "maximize" or "minimize".
    stream : file, optional
        Where to tell it; standard error by default.
    """

    def __init__(
        self,
        folder: Path,
        began: float,
        total: int | None,
        direction: str,
        stream: TextIO | None = None,
    ) -> None:
        self.stream = stream or sys.stderr
        self.folder = folder
        self.began = began
        self.total = total
        self.direction = direction
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def start(self) -> None:
        """Begin to look, in a thread that touches nothing but the terminal."""
        self._thread.start()

    def stop(self) -> None:
        """Show the last state, and end."""
        self._stop.set()
        self._thread.join()

    def records(self) -> list[Record]:
        """Return the records of this run of the sweep, and of what earlier ones have done."""
        return [
            record
            for record in read_records(self.folder)
            if record.state == "done" or self._is_new(record)
        ]

    def _is_new(self, record: Record) -> bool:
        return record.started >= self.began

    def _look(self) -> None:
        if self.stream.isatty():
            self._draw()
        else:
            self._print()

    def _draw(self) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        with Live(console=Console(file=self.stream), auto_refresh=False) as live:
            while True:
                last = self._stop.wait(0.5)
                line = self.line(self.records(), time.time())
                live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)
                if last:
                    return

    def _print(self) -> None:
        told: set[tuple[str, ...]] = set()
        while True:
            last = self._stop.wait(0.5)
            for record in filter(self._is_new, self.records()):
                if record.state != "running" and tuple(record.overrides) not in told:
                    told.add(tuple(record.overrides))
                    print(_in_words(record), file=self.stream, flush=True)
            if last:
                return

    def line(self, records: Sequence[Record], now: float) -> str:
        """Return done, running, failed, the best so far with its overrides, and the time left."""
        count = {
            state: sum(record.state == state for record in records)
            for state in ("done", "running", "failed")
        }
        ended = count["done"] + count["failed"]
        parts = [
            f"{ended} of {self.total} jobs" if self.total else f"{ended} jobs",
            f"{count['running']} running",
            *([f"{count['failed']} failed"] if count["failed"] else []),
        ]
        if top := best(records, self.direction):
            parts.append(f"best {top.values[0]:.4g} by {' '.join(top.overrides) or 'no override'}")
        computed = sum(
            self._is_new(record) and record.state != "running" and not record.found
            for record in records
        )
        if self.total and computed and ended < self.total:
            left = (now - self.began) / computed * (self.total - ended)
            parts.append(f"{int(left // 60)}:{int(left % 60):02d} left")
        return ", ".join(parts)


def best(records: Sequence[Record], direction: str) -> Record | None:
    """Return the job with the best first objective, the first of equals; None where none is done."""
    done = [record for record in records if record.state == "done"]
    sign = 1 if direction == "minimize" else -1
    return min(done, key=lambda record: sign * record.values[0], default=None)


def summary(records: Sequence[Record], directions: Sequence[Direction]) -> str:
    """Return what is printed at the end: counts, failures with reason and log, and how to take the winner, or one of several."""
    failed = [record for record in records if record.state == "failed"]
    done = [record for record in records if record.state == "done"]
    found = sum(record.found for record in done)
    lines = [
        f"{len(done)} experiments, {found} of which were there before"
        if found
        else f"{len(done)} experiments"
    ]
    for record in failed:
        lines += [
            f"failed: {' '.join(record.overrides)}: {record.error}",
            f"    its log: {record.log}",
        ]
    if done and len(directions) > 1:
        on_front = front(np.array([record.values for record in done]), directions)
        lines.append("on the Pareto front, which no other beats in all objectives:")
        lines += [
            f"    {_figures(record)}  {record.name}"
            for record, unbeaten in zip(done, on_front, strict=True)
            if unbeaten
        ]
        lines.append("to take one: .venv/bin/dvc exp apply <its name> && .venv/bin/dvc repro")
    elif top := best(done, directions[0]):
        lines.append(f"best: {top.values[0]:.4g} by {top.name}")
        lines.append(f"to take it: .venv/bin/dvc exp apply {top.name} && .venv/bin/dvc repro")
    if failed:
        lines.append(
            "To try the failed ones again, type the same command: what is done is not done twice."
        )
    return "\n".join(lines)


def _in_words(record: Record) -> str:
    overrides = " ".join(record.overrides) or "no override"
    if record.state == "failed":
        return f"failed  {overrides}: {record.error}"
    return f"{_figures(record)}  {overrides}  ({'was there before' if record.found else f'{record.seconds:.1f} s'})"


def _figures(record: Record) -> str:
    return ", ".join(f"{value:.4g}" for value in record.values)
