"""Drift gauges over the last minutes, in a thread that never takes more than a small share."""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from seedbed.config.monitor import Monitor
from seedbed.errors import one_line
from seedbed.serving.bundle import Bundle
from seedbed.serving.drift import ColumnDrift
from seedbed.serving.http.logs import log_event
from seedbed.serving.http.sent import Few
from seedbed.serving.log_files import arrow_inputs
from seedbed.serving.window import Slot, WindowFigures, figures_of

SLOTS = 12
"""Parts of the window: it slides by one of them."""
PAUSE = 1.0
"""Seconds between two counts, at the least."""
SHARE = 40
"""How many times as long as it works the thread rests."""
MOST_ROWS = 2_000
"""Rows that may wait to be counted, of a table that was sent some at random; more are left out."""
MOST_COLUMNS = 50
"""Columns that have gauges, the worst."""
DRIFT: dict[str, tuple[str, Callable[[ColumnDrift], float]]] = {
    "psi": ("Population stability index, less what chance makes it", lambda drift: drift.psi),
    "missing": (
        "Share of missing values, less that in training",
        lambda drift: drift.missing - drift.missing_before,
    ),
    "unseen": ("Share of values that training had not", lambda drift: drift.unseen),
    "p": ("Chance of such counts without drift, corrected", lambda drift: drift.p),
}
"""The gauges of a column, by the end of their name."""


class Watch(Collector):
    """Counts what is answered, and gives Prometheus what `seedbed monitor` would say of it.

    Parameters
    ----------
    minutes : float
        Of the window.
    bundle : callable
        Returns the bundle that is served now, None while there is none; rows that another one has
        answered are left out.
    folder : Path or None
        Where the workers leave their counts for each other; None if there is one.
    """

    def __init__(
        self, minutes: float, bundle: Callable[[], Bundle | None], folder: Path | None
    ) -> None:
        import scipy.stats  # noqa: F401  now, not while somebody waits for an answer

        self._length = minutes * 60 / SLOTS
        self._bundle = bundle
        self._file = folder / f"window-{os.getpid()}.json" if folder else None
        self._lock = threading.Lock()
        self._waiting: list[tuple[Bundle, Few | pd.DataFrame, Any]] = []
        self._room = MOST_ROWS
        self._random = np.random.default_rng()
        self._version = ""
        self._slots: dict[int, Slot] = {}
        self._figures: WindowFigures | None = None
        self._problem: str | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        self._thread.start()

    def offer(
        self,
        bundle: Bundle,
        rows: Few | pd.DataFrame,
        answers: Sequence[Mapping[str, Any]] | pd.DataFrame,
    ) -> None:
        """Hand over rows that fit the signature, and their answers; it returns at once."""
        if not self._room:
            return
        if isinstance(rows, pd.DataFrame) and isinstance(answers, pd.DataFrame):
            drawn = self._random.permutation(len(rows))[: self._room]
            rows, answers = rows.iloc[drawn], answers.iloc[drawn]
        with self._lock:
            self._waiting.append((bundle, rows, answers))
            self._room = max(0, self._room - len(rows))

    def close(self) -> None:
        """Stop."""
        self._stopped.set()
        self._thread.join()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges; none while there is no window yet, or counting fails."""
        found = self._figures
        if found is None:
            return
        rows = GaugeMetricFamily("seedbed_watched_rows", "Rows that the drift gauges are of")
        rows.add_metric([], found.rows)
        yield rows
        for kind, label, drifts in (
            ("drift", "column", found.columns), ("score_drift", "score", found.scores)
        ):  # fmt: skip
            for end, (text, value) in DRIFT.items():
                gauge = GaugeMetricFamily(f"seedbed_{kind}_{end}", text, labels=[label])
                for drift in drifts[:MOST_COLUMNS]:
                    gauge.add_metric([drift.column], value(drift))
                if drifts:
                    yield gauge
        if found.estimated is not None:
            text = "The deciding metric as the scores let expect it"
            gauge = GaugeMetricFamily("seedbed_estimated_performance", text, labels=["metric"])
            gauge.add_metric([found.metric], found.estimated)
            yield gauge

    def _work(self) -> None:
        pause = PAUSE
        while not self._stopped.wait(pause):
            begun = time.perf_counter()
            bundle = self._bundle()
            if bundle is None:
                continue
            try:
                self._count(bundle)
                self._figures = figures_of(bundle, self._all_slots(bundle), Monitor())
                self._note(None)
            except Exception as error:  # whatever it is, answering goes on
                self._figures = None
                self._note(f"{type(error).__name__}: {one_line(error)}")
            pause = max(PAUSE, SHARE * (time.perf_counter() - begun))

    def _count(self, bundle: Bundle) -> None:
        with self._lock:
            waiting, self._waiting, self._room = self._waiting, [], MOST_ROWS
        if bundle.version != self._version:
            self._version, self._slots = bundle.version, {}
        now = self._now()
        self._slots = {number: slot for number, slot in self._slots.items() if self._holds(number)}
        mine = [found for found in waiting if found[0].version == bundle.version]
        frames: list[tuple[pd.DataFrame, pd.DataFrame]] = [
            found[1:] for found in mine if isinstance(found[1], pd.DataFrame)
        ]
        few = [found[1:] for found in mine if not isinstance(found[1], pd.DataFrame)]
        if few:
            columns = arrow_inputs(bundle.signature, [row for rows, _ in few for row in rows])
            answers = pd.DataFrame([answer for _, answers in few for answer in answers])
            frames.append((pa.table(columns).to_pandas(), answers))
        for rows, answers in frames:
            slot = Slot.of(
                bundle,
                rows.reset_index(drop=True),
                answers.reset_index(drop=True),
                self._random,
            )
            there = self._slots.get(now)
            self._slots[now] = (there + slot).thinned() if there else slot

    def _all_slots(self, bundle: Bundle) -> list[Slot]:
        """Return the slots of this worker and of the others, which it leaves its own."""
        if self._file is None:
            return list(self._slots.values())
        own = {number: slot.to_dict() for number, slot in self._slots.items()}
        beside = self._file.with_suffix(".tmp")
        beside.write_bytes(orjson.dumps({"version": self._version, "slots": list(own.items())}))
        beside.replace(self._file)
        found = []
        for file in self._file.parent.glob("window-*.json"):
            held = orjson.loads(file.read_bytes())
            if held["version"] == bundle.version:
                slots = [slot for number, slot in held["slots"] if self._holds(number)]
                found += [Slot.from_dict(bundle, slot) for slot in slots]
        return found

    def _holds(self, number: int) -> bool:
        return number > self._now() - SLOTS

    def _now(self) -> int:
        """Return the number of the slot, which is the same in all processes of a machine."""
        return int(time.monotonic() / self._length)

    def _note(self, problem: str | None) -> None:
        if problem != self._problem:
            self._problem = problem
            log_event("watch", problem=problem or "counting again")
