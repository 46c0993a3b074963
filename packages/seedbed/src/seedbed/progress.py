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
