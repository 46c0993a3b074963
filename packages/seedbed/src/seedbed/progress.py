"""Progress of long work: a line on a terminal, silence in a pipe and in CI."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def track(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yield the items; print how many are done to standard error, if that is a terminal."""
    shown = sys.stderr.isatty() and not os.environ.get("CI")
    begun = time.monotonic()
    for done, item in enumerate(items):
        if shown:
            print(f"\r  {label} {done}/{total}", end="", file=sys.stderr, flush=True)
        yield item
    if shown:
        print(
            f"\r  {label} {total}/{total} in {time.monotonic() - begun:.0f} s",
            file=sys.stderr,
            flush=True,
        )


class RowProgress:
    """How many rows are done, of how many where that is known, and how fast: as :func:`track`.

    Parameters
    ----------
    total : int or None
        Rows there are; may be set later.
    done : int
        Rows that were done before.
    unit : str
        What is counted, if not rows.
    """

    def __init__(self, total: int | None, done: int = 0, unit: str = "rows") -> None:
        self.total, self._before, self.done, self._unit = total, done, done, unit
        self._begun = self._printed = time.monotonic()
        self._shown = sys.stderr.isatty() and not os.environ.get("CI")

    def add(self, rows: int, note: str = "") -> None:
        """Count rows; print twice a second, with a note behind."""
        self.done += rows
        now = time.monotonic()
        if not self._shown or now - self._printed < 0.5:
            return
        self._printed = now
        rate = (self.done - self._before) / (now - self._begun)
        unit, text = self._unit, f"{self.done:,}"
        if self.total and rate:
            left = max(0, self.total - self.done)
            text += f" of {self.total:,} {unit}, {rate:,.0f} {unit}/s, {left / rate:,.0f} s left"
        else:
            text += f" {unit}, {rate:,.0f} {unit}/s"
        print(f"\r  {text}{note}\033[K", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the line."""
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
