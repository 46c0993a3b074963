"""Metrics of a model beside its baseline's: values, 95 % bootstrap intervals, differences, slices.

A resample with replacement is known completely by how often it holds each row. Metrics that are
functions of such counts need no row copied and no score sorted again. Model, baseline and slices
are measured on the same resamples, so that their differences are paired. What is drawn are clusters
of rows: a hundred flights of one stormy day tell little more than ten, and an interval that takes
each for a witness of its own is too narrow.

The percentile interval: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
Clusters: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 (groups)
and 8.2.3 (stretches of time).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.metrics import Metric, metrics_of, refuse_other_counts
from seedbed.models.outcome import Floats, Outcome
from seedbed.progress import track

CELLS = 1_000_000
"""Numbers in an array that holds some resamples at once: eight bytes each, a few such arrays."""
LEVEL = 0.95
UNDEFINED = 0.05
"""An interval is given only if at most this share of the resamples leaves the metric undefined."""
MINIMUM_ROWS = 50
"""A slice of fewer rows is listed without an interval: it would be wider than it is worth."""
MINIMUM_CLUSTERS = 10
"""Fewer clusters do not show how much clusters differ: there is no interval then."""
MOST_SLICES = 20
"""Of a column with more values, those with the most rows are reported."""


def compare(
    model: Outcome,
    baseline: Mapping[str, Outcome],
    slices: Mapping[str, pd.Series],
    clusters: NDArray[np.intp],
    deciding: Metric,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Measure a model and what it is compared with, its baseline or a champion, on the same rows.

    Parameters
    ----------
    model : Outcome
        Of n rows.
    baseline : mapping
        By metric, the outcome of the same rows that the model is compared with.
    slices : mapping
        By name, the slice each row is in, shape (n,).
    clusters : ndarray, shape (n,)
        Number of the cluster that each row is in; those are resampled.
    deciding : Metric
        The one that slices are measured by.
    resamples : int
        Number of bootstrap samples.

    Returns
    -------
    dict
        "model", "baseline" and "difference": `{metric: {"value", "low", "high"}}`, the difference
        signed so that positive means the model is better; "slices": `{slice: {value: {"rows",
        metric: {...}, "difference": {...}}}}`; "slices_left_out": how many values of a slice are
        not among them; "bootstrap": how many resamples, of how many clusters. None stands for what
        is not defined.
    """
    metrics = metrics_of(model.task)
    for metric in metrics.values() if len(model) >= MINIMUM_ROWS else ():
        if not metric.function.__module__.startswith("seedbed."):
            refuse_other_counts(metric, model)
    whole = _Pair(metrics, model, baseline, clusters)
    alone = {deciding.name: deciding}
    texts = {name: _as_text(values) for name, values in slices.items()}
    parts = {
        name: {
            value: _Pair(alone, model, baseline, clusters, rows)
            for value, rows in _largest(values).items()
        }
        for name, values in texts.items()
    }
    pairs = [whole, *(pair for group in parts.values() for pair in group.values())]
    at_once = max(1, CELLS // max(len(model), len(model.classes) ** 2))
    if any(pair.has_interval for pair in pairs):
        drawn = resample_counts(clusters, resamples, seed, at_once)
        for counts in track(drawn, -(-resamples // at_once), "parts of the bootstrap"):
            for pair in pairs:
                pair.measure(counts)
    return {
        **whole.figures(),
        "slices": {
            name: {value: pair.slice_figures(deciding.name) for value, pair in group.items()}
            for name, group in parts.items()
        },
        "slices_left_out": {
            name: left_out
            for name, values in texts.items()
            if (left_out := values.nunique() - len(parts[name]))
        },
        "bootstrap": {"resamples": resamples, "clusters": len(np.unique(clusters))},
    }


class _Pair:
    """A model and its baselines on some rows: their values, and those of each resample.

    Parameters
    ----------
    metrics : mapping
        The metrics to measure, by name.
    rows : ndarray, shape (m,), optional
        A slice: indices of its rows.
    """

    def __init__(
        self,
        metrics: Mapping[str, Metric],
        model: Outcome,
        baseline: Mapping[str, Outcome],
        clusters: NDArray[np.intp],
        rows: NDArray | None = None,
    ) -> None:
        self._metrics, self._rows = metrics, rows
        if rows is not None:
            model, clusters = model.take(rows), clusters[rows]
            baseline = {name: baseline[name].take(rows) for name in metrics}
        self._size = len(model)
        self._outcomes = dict.fromkeys(metrics, model), baseline
        enough_rows = rows is None or len(rows) >= MINIMUM_ROWS
        self.has_interval = enough_rows and len(np.unique(clusters)) >= MINIMUM_CLUSTERS
        self._resampled: list[list[dict[str, Floats]]] = [[], []]

    def measure(self, counts: Floats) -> None:
        """Measure resamples, given how often each holds each row of the table: shape (b, n)."""
        if not self.has_interval:
            return
        counts = counts if self._rows is None else counts[:, self._rows]
        for outcomes, values in zip(self._outcomes, self._resampled, strict=True):
            # One sample for all metrics of an outcome: they share its sums.
            distinct = {id(outcome): outcome for outcome in outcomes.values()}
            samples = {key: outcome.sample(counts) for key, outcome in distinct.items()}
            values.append(
                {
                    name: metric.compute(samples[id(outcomes[name])])
                    for name, metric in self._metrics.items()
                }
            )

    def figures(self) -> dict[str, dict[str, dict[str, float | None]]]:
        """Return "model", "baseline" and "difference", each with a figure for every metric."""
        found: dict[str, dict[str, Any]] = {"model": {}, "baseline": {}, "difference": {}}
        for name, metric in self._metrics.items():
            model, baseline = (metric.of(outcomes[name]) for outcomes in self._outcomes)
            models, baselines = (
                np.concatenate([part[name] for part in parts]) if parts else np.array([])
                for parts in self._resampled
            )
            found["model"][name] = _figure(model, models)
            found["baseline"][name] = _figure(baseline, baselines)
            paired = metric.sign * (models - baselines)
            found["difference"][name] = _figure(metric.sign * (model - baseline), paired)
        return found

    def slice_figures(self, name: str) -> dict[str, Any]:
        """Return the number of rows, the model's figure of one metric, and the difference."""
        found = self.figures()
        return {
            "rows": self._size,
            name: found["model"][name],
            "difference": found["difference"][name],
        }


def resample_counts(
    clusters: NDArray[np.intp], resamples: int, seed: int, at_once: int
) -> Iterator[Floats]:
    """Yield how often each resample holds each row, arrays of shape (at most `at_once`, n_rows).

    As many clusters are drawn as there are; the rows of one have the same count. The same seed
    gives the same resamples, however many are held at once.
    """
    random = np.random.default_rng(seed)
    size = int(clusters.max()) + 1
    for begin in range(0, resamples, at_once):
        drawn = [
            np.bincount(random.integers(0, size, size), minlength=size)
            for _ in range(min(at_once, resamples - begin))
        ]
        yield np.stack(drawn).astype(np.float64)[:, clusters]


def interval(values: Floats) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile over resamples, or None where it is not defined."""
    defined = values[np.isfinite(values)]
    if not len(defined) or len(defined) < (1 - UNDEFINED) * len(values):
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def as_text(value: float | None) -> str:
    """Return a figure for people: three decimals below ten, fewer above; None is "not defined"."""
    if value is None:
        return "not defined"
    if value and abs(value) < 0.01:
        return f"{value:.2g}"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value or 0.0:,.{decimals}f}"


def as_number(value: float) -> str:
    """Return a number with four digits, or all before the point: there is no exponent above one."""
    return f"{value:.4g}" if abs(value) < 9999.5 else f"{value:.0f}"


def with_interval(figure: Mapping[str, float | None]) -> str:
    """Return a figure and its interval for people: `0.688 (0.681 to 0.695)`."""
    if figure["low"] is None or figure["value"] is None:
        return as_text(figure["value"])
    return f"{as_text(figure['value'])} ({as_text(figure['low'])} to {as_text(figure['high'])})"


def _as_text(values: pd.Series) -> pd.Series:
    return values.astype("str").fillna("missing").reset_index(drop=True)


def _largest(groups: pd.Series) -> dict[str, NDArray]:
    sizes = groups.value_counts()
    largest = sorted(sizes.index, key=lambda value: (-sizes[value], value))[:MOST_SLICES]
    return {value: np.flatnonzero(groups == value) for value in sorted(largest)}


def _figure(value: float, resampled: Floats) -> dict[str, float | None]:
    low, high = interval(resampled)
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}
