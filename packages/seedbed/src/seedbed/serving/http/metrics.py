"""What Prometheus reads: requests, errors, rows, predictions, and values beyond training."""

import math
import os
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from seedbed.serving.bundle import Answers, Bundle
from seedbed.serving.compiled.values import is_missing
from seedbed.serving.signature import InputColumn
from seedbed.serving.unusual import count_unusual

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder in which several workers keep their figures; prometheus-client reads it."""
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BINS = 20


class Metrics:
    """The figures of this process; with several workers, :meth:`write` adds those of all."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._versions: dict[str, str] = {}
        self._gauges: list[Collector] = []

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"seedbed_{name}", text, labels, registry=registry)

        self.seconds = _Children(
            Histogram(
                "seedbed_request_seconds",
                "Time from the headers of a request to the end of its answer",
                ["route", "status"],
                buckets=SECONDS,
                registry=registry,
            )
        )
        self.errors = _Children(counter("errors", "Requests refused, by what was wrong", "kind"))
        self.rows = counter("rows", "Rows answered")
        self.predictions = _Children(counter("predictions", "Answers by prediction", "prediction"))
        self.scores = _Children(
            counter("scores", "Answers by score, in bins named by their lower end", "name", "bin")
        )
        self.missing = _Children(counter("missing_values", "Values not known", "column"))
        self.unseen = _Children(
            counter("unseen_values", "Values that were not in training", "column")
        )
        self.reloads = counter("reloads", "Bundles that came while serving", "which", "result")
        self.shadow = _Children(
            counter("shadow_rows", "Rows the shadow answered, or did not", "result")
        )
        self.shadow_difference = Histogram(
            "seedbed_shadow_score_difference",
            "Largest difference between the scores of a row",
            buckets=(0.0, 1e-6, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0),
            registry=registry,
        )
        self.log_dropped = counter("log_dropped", "Requests that the prediction log did not keep")
        self.model = Gauge(
            "seedbed_model",
            "1 for the version that is served",
            ["which", "version"],
            multiprocess_mode="liveall",
            registry=registry,
        )
        if FOLDER not in os.environ:
            ProcessCollector(registry=registry)
            PlatformCollector(registry=registry)

    def note_bundle(self, which: str, result: str, version: str) -> None:
        """Count a bundle that came, and show which version is served.

        Parameters
        ----------
        which : {"served", "shadow"}
        result : {"taken", "refused"}
        version : str
            The version that is served now, if another was taken.
        """
        self.reloads.labels(which, result).inc()
        if result == "taken":
            if before := self._versions.get(which):
                self.model.labels(which, before).set(0)
            self.model.labels(which, version).set(1)
            self._versions[which] = version

    def add(self, gauges: Collector) -> None:
        """Let :meth:`write` give these gauges as well, which are of all workers already."""
        self._gauges.append(gauges)

    def write(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        together = CollectorRegistry()
        for gauges in self._gauges:
            together.register(gauges)
        if FOLDER not in os.environ:
            return generate_latest(self._registry) + generate_latest(together)
        _forget_dead_workers(Path(os.environ[FOLDER]))
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that have died; their counts stay."""
    for file in folder.glob("gauge_live*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)


class _Children(dict):
    """A metric's children by their labels, looked up once: `labels()` takes longer than `inc()`."""

    def __init__(self, metric: Any) -> None:
        self._metric = metric

    def __missing__(self, labels: Any) -> Any:
        values = labels if isinstance(labels, tuple) else (labels,)
        child = self[labels] = self._metric.labels(*values)
        return child


class AnswerCounter:
    """Counts the answers of one bundle, and the values that were not in its training.

    Few rows are added up here and handed to Prometheus by :meth:`flush`: each of its counters takes
    a lock, and with several workers writes to a file.
    """

    def __init__(self, metrics: Metrics, bundle: Bundle) -> None:
        self._metrics = metrics
        self._columns = bundle.signature.columns
        self._is_regression = bundle.recipe.problem.task == "regression"
        self._edges = _lower_ends(bundle)
        self._labels = [f"{edge:.6g}" for edge in self._edges]
        self._pending: dict[Any, int] = defaultdict(int)

    def count_few(self, rows: Sequence[Mapping[str, Any]], answers: Answers) -> None:
        """Count rows as they were sent, in the thread of the event loop."""
        metrics, pending = self._metrics, self._pending
        pending[metrics.rows] += len(rows)
        columns, warned = self._columns, bool(answers.warnings)
        all_of = ([(n, row[column.name]) for n, column in enumerate(columns)] for row in rows)
        for values in all_of if answers.odd is None else answers.odd:
            for place, value in values:
                column = columns[place]
                if is_missing(value):
                    pending[metrics.missing[column.name]] += 1
                elif warned and _is_unseen(value, column):
                    pending[metrics.unseen[column.name]] += 1
        for answer in answers.rows:
            for name, value in answer.items():
                if name == "prediction" and not self._is_regression:
                    pending[metrics.predictions[value]] += 1
                else:
                    place = max(bisect_right(self._edges, value) - 1, 0)
                    pending[metrics.scores[name, self._labels[place]]] += 1

    def flush(self) -> None:
        """Hand over what was added up."""
        pending, self._pending = self._pending, defaultdict(int)
        for counter, count in pending.items():
            counter.inc(count)

    def count_many(self, cleaned: pd.DataFrame, answers: pd.DataFrame) -> None:
        """Count rows that were checked and cleaned."""
        metrics = self._metrics
        metrics.rows.inc(len(cleaned))
        for column in self._columns:
            values = cleaned[column.name]
            if missing := int(values.isna().sum()):
                metrics.missing[column.name].inc(missing)
            found = count_unusual(values, column)
            if count := found.unseen + found.outside:
                metrics.unseen[column.name].inc(count)
        for name in answers:
            if name == "prediction" and not self._is_regression:
                for value, count in answers[name].value_counts().items():
                    metrics.predictions[value].inc(int(count))
            else:
                places = np.searchsorted(self._edges, answers[name].to_numpy(), side="right") - 1
                for place, count in zip(*np.unique(places, return_counts=True), strict=True):
                    metrics.scores[str(name), self._labels[max(place, 0)]].inc(int(count))


def _lower_ends(bundle: Bundle) -> list[float]:
    """Return where bins begin: of probabilities, or of the sample rows' predictions."""
    if bundle.recipe.problem.task != "regression":
        return [place / BINS for place in range(BINS)]
    found = [answer["prediction"] for answer in bundle.samples.answers] or [0.0]
    return [-math.inf, *np.linspace(min(found), max(found), BINS).tolist()]


def _is_unseen(value: Any, column: InputColumn) -> bool:
    if column.categories is not None:
        return column.complete and value.strip() not in column.categories
    if column.minimum is not None and column.maximum is not None:
        return not column.minimum <= value <= column.maximum
    return False
