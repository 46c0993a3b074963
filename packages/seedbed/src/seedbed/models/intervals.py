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

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Floats, Outcome
from seedbed.progress import track

Key = TypeVar("Key", bound=Hashable)
Measure = Callable[[Floats], Mapping[str, Floats]]
"""Takes counts of shape (b, n_rows), returns values of shape (b,) by metric."""

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
    texts = {name: _as_text(values) for name, values in slices.items()}
    groups = {name: _largest(values) for name, values in texts.items()}
    measures: dict[Any, Measure] = {}
    if _enough(clusters):
        measures["model"] = _measure(dict.fromkeys(metrics, model), metrics)
        measures["baseline"] = _measure(baseline, metrics)
    alone = {deciding.name: deciding}
    for name, group in groups.items():
        for value, rows in group.items():
            if len(rows) >= MINIMUM_ROWS and _enough(clusters[rows]):
                for part, outcome in (("model", model), ("baseline", baseline[deciding.name])):
                    measures[name, value, part] = _measure({deciding.name: outcome}, alone, rows)
    cells = max(len(model), len(model.classes) ** 2)
    found = bootstrap(measures, clusters, resamples, seed, max(1, CELLS // cells))
    models, baselines = found.get("model", {}), found.get("baseline", {})

    def of_slice(name: str, value: str, rows: NDArray) -> dict[str, Any]:
        mine, other = model.take(rows), baseline[deciding.name].take(rows)
        resampled = [
            found.get((name, value, part), {}).get(deciding.name) for part in ("model", "baseline")
        ]
        return {
            "rows": len(rows),
            deciding.name: _figure(deciding.of(mine), resampled[0]),
            "difference": _difference(deciding, mine, other, *resampled),
        }

    return {
        "model": {
            name: _figure(metric.of(model), models.get(name)) for name, metric in metrics.items()
        },
        "baseline": {
            name: _figure(metric.of(baseline[name]), baselines.get(name))
            for name, metric in metrics.items()
        },
        "difference": {
            name: _difference(metric, model, baseline[name], models.get(name), baselines.get(name))
            for name, metric in metrics.items()
        },
        "slices": {
            name: {value: of_slice(name, value, rows) for value, rows in group.items()}
            for name, group in groups.items()
        },
        "slices_left_out": {
            name: left_out
            for name, values in texts.items()
            if (left_out := values.nunique() - len(groups[name]))
        },
        "bootstrap": {"resamples": resamples, "clusters": len(np.unique(clusters))},
    }


def bootstrap(
    measures: Mapping[Key, Measure],
    clusters: NDArray[np.intp],
    resamples: int,
    seed: int,
    at_once: int,
) -> dict[Key, dict[str, Floats]]:
    """Measure many things on the same resamples, `at_once` of them at a time.

    Returns
    -------
    dict
        By key and metric, values of shape (resamples,).
    """
    if not measures:
        return {}
    parts: dict[Key, list[Mapping[str, Floats]]] = {key: [] for key in measures}
    steps = -(-resamples // at_once)
    counted = resample_counts(clusters, resamples, seed, at_once)
    for counts in track(counted, steps, "parts of the bootstrap"):
        for key, measure in measures.items():
            parts[key].append(measure(counts))
    return {
        key: {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        for key, found in parts.items()
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


def as_text(figure: float | None) -> str:
    """Return a figure as a person reads it."""
    return "not defined" if figure is None else f"{figure:.4g}"


def _enough(clusters: NDArray[np.intp]) -> bool:
    return len(np.unique(clusters)) >= MINIMUM_CLUSTERS


def _measure(
    outcomes: Mapping[str, Outcome], metrics: Mapping[str, Metric], rows: NDArray | None = None
) -> Measure:
    distinct = {id(outcome): outcome for outcome in outcomes.values()}
    if rows is not None:
        distinct = {key: outcome.take(rows) for key, outcome in distinct.items()}

    def measure(counts: Floats) -> Mapping[str, Floats]:
        taken = counts if rows is None else counts[:, rows]
        # One sample for all metrics of an outcome: they share its sums.
        samples = {key: outcome.sample(taken) for key, outcome in distinct.items()}
        return {
            name: metric.compute(samples[id(outcomes[name])]) for name, metric in metrics.items()
        }

    return measure


def _as_text(values: pd.Series) -> pd.Series:
    return values.astype("str").fillna("missing").reset_index(drop=True)


def _largest(groups: pd.Series) -> dict[str, NDArray]:
    sizes = groups.value_counts()
    largest = sorted(sizes.index, key=lambda value: (-sizes[value], value))[:MOST_SLICES]
    return {value: np.flatnonzero(groups == value) for value in sorted(largest)}


def _difference(
    metric: Metric,
    model: Outcome,
    baseline: Outcome,
    models: Floats | None,
    baselines: Floats | None,
) -> dict[str, float | None]:
    paired = None
    if models is not None and baselines is not None:
        paired = metric.sign * (models - baselines)
    return _figure(metric.sign * (metric.of(model) - metric.of(baseline)), paired)


def _figure(value: float, resampled: Floats | None) -> dict[str, float | None]:
    low, high = (None, None) if resampled is None else interval(resampled)
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}
