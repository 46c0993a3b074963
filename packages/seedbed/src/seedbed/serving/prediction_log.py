"""What a served model was asked and answered, kept as Parquet files by day, if its owner wants it.

Answering never waits for it: so many requests wait at most, and a thread writes them. A file is
written beside its place and renamed, so that a kill costs the rows of the last seconds and leaves
no file that is cut off.
"""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd

from seedbed.errors import one_line
from seedbed.serving.bundle import Bundle
from seedbed.serving.log_files import (
    Asked,
    LogSettings,
    as_lines,
    forget_old_days,
    make_folder,
    table_of,
    write_file,
)

TICK = 0.2
"""Seconds between two looks at what waits: to wake the thread for each request costs that one."""
MOST_ROWS = 10_000
"""Rows that one file is made of."""


class PredictionLog:
    """Keeps requests and their answers.

    Parameters
    ----------
    settings : LogSettings

    Attributes
    ----------
    dropped : int
        Requests that were not kept, because the queue was full or writing failed.
    problem : str or None
        Why writing failed last; None since it last succeeded.

    Raises
    ------
    UserError
        If nothing can be written to the folder.
    """

    def __init__(self, settings: LogSettings) -> None:
        self.dropped = 0
        self.problem: str | None = None
        self._settings = settings
        self._random = np.random.default_rng()
        self._waiting: list[Asked] = []
        self._lock, self._stopped = threading.Lock(), threading.Event()
        self._files = 0
        make_folder(settings.folder)
        self._thread = threading.Thread(target=self._work, name="prediction log", daemon=True)
        self._thread.start()

    def add(
        self,
        bundle: Bundle,
        request: str,
        rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
        answers: Sequence[Mapping[str, Any]] | pd.DataFrame,
    ) -> None:
        """Keep a request that was answered; it returns at once.

        Parameters
        ----------
        bundle : Bundle
            That answered.
        request : str
            The request's id.
        rows : sequence of mapping, or DataFrame, n_rows
            As they were sent; they fit the signature.
        answers : sequence of mapping, or DataFrame, n_rows
            As the bundle gave them.
        """
        if self._settings.rate < 1 and self._random.random() >= self._settings.rate:
            return
        now, count = datetime.now(UTC), len(rows)
        if isinstance(answers, pd.DataFrame):
            frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame([*rows], dtype=object)
            asked = Asked(bundle, request, now, count, frame, answers)
        else:
            assert not isinstance(rows, pd.DataFrame)
            asked = Asked(bundle, request, now, count, as_lines(rows), as_lines(answers))
        with self._lock:
            if len(self._waiting) < self._settings.waiting:
                self._waiting.append(asked)
            else:
                self.dropped += 1

    def close(self) -> None:
        """Write what is waiting, and stop."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        going = True
        while going:
            taken, going = self._take()
            if not taken:
                continue
            self.problem = None
            for (_, day), asked in _by_version_and_day(taken).items():
                try:
                    self._files += 1
                    name = f"{time.time_ns()}-{os.getpid()}-{self._files}.parquet"
                    table = table_of(asked, self._settings.without)
                    write_file(self._settings.folder, day, name, table)
                    forget_old_days(self._settings)
                except Exception as error:  # whatever happens here, answering goes on
                    self.dropped += len(asked)
                    self.problem = one_line(error)

    def _take(self) -> tuple[list[Asked], bool]:
        """Return requests for one file, and whether there will be more."""
        taken: list[Asked] = []
        rows, end = 0, time.monotonic() + self._settings.seconds
        while rows < MOST_ROWS and time.monotonic() < end:
            stopped = self._stopped.wait(TICK)
            with self._lock:
                new, self._waiting = self._waiting, []
            taken += new
            rows += sum(asked.count for asked in new)
            if stopped:
                return taken, False
        return taken, True


def _by_version_and_day(taken: Sequence[Asked]) -> dict[tuple[str, date], list[Asked]]:
    found: dict[tuple[str, date], list[Asked]] = {}
    for asked in taken:
        found.setdefault((asked.bundle.version, asked.at.date()), []).append(asked)
    return found
