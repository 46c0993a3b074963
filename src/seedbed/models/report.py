"""Figures of a model beside its dummy's: values, intervals, differences, slices."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.models.bootstrap import bootstrap, interval
from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Floats, Outcome, Sample

MINIMUM_ROWS = 50
"""A slice of fewer rows is listed, without an interval: it would be wider than it is worth."""
MOST_SLICES = 20
"""Of a column with more values, those with the most rows are reported."""


def compare(
    model: Outcome,
    baseline: Mapping[str, Outcome],
    slices: Mapping[str, pd.Series],
    deciding: Metric,
    resamples: int,
    seed: int,
) -> dict[str, Any]:
    """Measure a model and what it is held against, its dummy or a champion, on the same resamples of the same rows.

    Parameters
    ----------
    model : Outcome
        Of n rows.
    baseline : mapping
        By metric, the outcome of the same rows that the model is held against.
    slices : mapping
        By name, the slice each row is in, shape (n,).
    deciding : Metric
        The one that slices are measured by.
    resamples : int
        Number of bootstrap samples.

    Returns
    -------
    dict
        "model", "baseline" and "difference": `{metric: {"value", "low", "high"}}`, the difference signed so that
        positive means the model is better; "slices": `{slice: {value: {"rows", metric: {...}, "difference": {...}}}}`.
        None stands for what is not defined.
    """
    metrics = metrics_of(model.task)
    groups = {name: _largest(values) for name, values in slices.items()}
    measures: dict[Any, Callable[[Floats], Mapping[str, Floats]]] = {
        "model": _measure({name: (metric, model) for name, metric in metrics.items()}),
        "baseline": _measure({name: (metric, baseline[name]) for name, metric in metrics.items()}),
    }
    for name, group in groups.items():
        for value, rows in group.items():
            if len(rows) >= MINIMUM_ROWS:
                for part, outcome in (("model", model), ("baseline", baseline[deciding.name])):
                    measures[name, value, part] = _measure({deciding.name: (deciding, outcome)}, rows)
    found = bootstrap(measures, len(model), resamples, seed)
    return {
        "model": {name: _figure(metric.of(model), found["model"][name]) for name, metric in metrics.items()},
        "baseline": {
            name: _figure(metric.of(baseline[name]), found["baseline"][name]) for name, metric in metrics.items()
        },
        "difference": {
            name: _difference(metric, model, baseline[name], found["model"], found["baseline"])
            for name, metric in metrics.items()
        },
        "slices": {
            name: {
                value: _slice(deciding, model.take(rows), baseline[deciding.name].take(rows), found, (name, value))
                for value, rows in group.items()
            }
            for name, group in groups.items()
        },
    }


def _measure(
    wanted: Mapping[str, tuple[Metric, Outcome]], rows: NDArray | None = None
) -> Callable[[Floats], Mapping[str, Floats]]:
    outcomes = {id(outcome): outcome for _, outcome in wanted.values()}
    parts = outcomes if rows is None else {key: outcome.take(rows) for key, outcome in outcomes.items()}

    def measure(counts: Floats) -> Mapping[str, Floats]:
        taken = counts if rows is None else counts[:, rows]
        samples = {key: Sample(part, taken) for key, part in parts.items()}  # one for all metrics: they share its sums
        return {name: metric.compute(samples[id(outcome)]) for name, (metric, outcome) in wanted.items()}

    return measure


def _largest(values: pd.Series) -> dict[str, Any]:
    groups = values.astype("str").fillna("missing").reset_index(drop=True)
    sizes = groups.value_counts()
    largest = sorted(sizes.index, key=lambda value: (-sizes[value], value))[:MOST_SLICES]
    return {value: np.flatnonzero(groups == value) for value in sorted(largest)}


def _slice(
    deciding: Metric, model: Outcome, baseline: Outcome, found: Mapping[Any, Mapping[str, Floats]], key: tuple
) -> dict:
    resampled = [found.get((*key, part), {}) for part in ("model", "baseline")]
    nothing = np.array([np.nan])
    return {
        "rows": len(model),
        deciding.name: _figure(deciding.of(model), resampled[0].get(deciding.name, nothing)),
        "difference": _difference(deciding, model, baseline, *resampled),
    }


def _difference(
    metric: Metric,
    model: Outcome,
    baseline: Outcome,
    resampled: Mapping[str, Floats],
    dummy: Mapping[str, Floats],
) -> dict[str, float | None]:
    nothing = np.array([np.nan])
    paired = resampled.get(metric.name, nothing) - dummy.get(metric.name, nothing)
    return _figure(metric.sign * (metric.of(model) - metric.of(baseline)), metric.sign * paired)


def _figure(value: float, resampled: Floats) -> dict[str, float | None]:
    low, high = interval(resampled)
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}
