"""A second bundle that answers the same rows silently, and how often it disagrees."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pandas as pd

from seedbed.serving.http.current import Current
from seedbed.serving.http.metrics import Metrics
from seedbed.serving.http.sent import Few

MOST_ROWS = 10_000
"""Rows that may wait; more are dropped and counted."""


class Shadow:
    """Compares answers with those of a second bundle, in a thread of its own.

    Parameters
    ----------
    current : Current
        The second bundle.
    """

    def __init__(self, current: Current, metrics: Metrics) -> None:
        self.current = current
        self.loop = asyncio.get_running_loop()
        self._metrics = metrics
        self._queue: asyncio.Queue[tuple[Few | pd.DataFrame, Any, int]] = asyncio.Queue()
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "shadow")

    def offer(self, rows: Few | pd.DataFrame, answers: Any, count: int) -> None:
        """Hand over rows and their answers; this takes no time."""
        if self._waiting + count > MOST_ROWS:
            self._metrics.shadow["dropped"].inc(count)
            return
        self._waiting += count
        self._queue.put_nowait((rows, answers, count))

    async def run(self) -> None:
        """Compare what was handed over, for ever; until the second bundle is loaded, it waits."""
        loop = asyncio.get_running_loop()
        await self.current.wait()
        while True:
            rows, answers, count = await self._queue.get()
            try:
                await loop.run_in_executor(self._thread, self._compare, rows, answers)
            except Exception:  # whatever it is, a shadow must not be noticed
                self._metrics.shadow["failed"].inc(count)
            finally:
                self._waiting -= count

    def _compare(self, rows: Few | pd.DataFrame, answers: Any) -> None:
        served = self.current.served
        assert served is not None, "run waits for it"
        if isinstance(rows, pd.DataFrame):
            ours = answers.reset_index(drop=True)
            theirs = served.bundle.predict(rows.reset_index(drop=True))
        else:
            ours, theirs = pd.DataFrame(answers), pd.DataFrame(served.bundle.answer(rows).rows)
        same = ours["prediction"] == theirs["prediction"]
        self._metrics.shadow["same"].inc(int(same.sum()))
        self._metrics.shadow["different"].inc(int((~same).sum()))
        scores = [
            name for name in ours.columns.intersection(theirs.columns) if name != "prediction"
        ]
        if scores:
            for difference in (ours[scores] - theirs[scores]).abs().max(axis=1):
                self._metrics.shadow_difference.observe(difference)
