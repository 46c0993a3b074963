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
MINIMUM_CLUSTERS = 10
"""Of fewer clusters nobody can tell what others would have said: there is no interval then."""
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
    """Measure a model and what it is held against, its dummy or a champion, on the same resamples of the same rows.

    Parameters
    ----------
    model : Outcome
        Of n rows.
    baseline : mapping
        By metric, the outcome of the same rows that the model is held against.
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
        "model", "baseline" and "difference": `{metric: {"value", "low", "high"}}`, the difference signed so that
        positive means the model is better; "slices": `{slice: {value: {"rows", metric: {...}, "difference": {...}}}}`;
        "bootstrap": how many resamples, of how many clusters. None stands for what is not defined.
    """
    metrics = metrics_of(model.task)
    groups = {name: _largest(values) for name, values in slices.items()}
    measures: dict[Any, Callable[[Floats], Mapping[str, Floats]]] = {}
    if _enough(clusters):
        measures["model"] = _measure({name: (metric, model) for name, metric in metrics.items()})
        measures["baseline"] = _measure(
            {name: (metric, baseline[name]) for name, metric in metrics.items()}
        )
    for name, group in groups.items():
        for value, rows in group.items():
            if len(rows) >= MINIMUM_ROWS and _enough(clusters[rows]):
                for part, outcome in (("model", model), ("baseline", baseline[deciding.name])):
                    measures[name, value, part] = _measure(
                        {deciding.name: (deciding, outcome)}, rows
                    )
    found = bootstrap(measures, clusters, resamples, seed)
    models, dummies = found.get("model", {}), found.get("baseline", {})
    return {
        "model": {
            name: _figure(metric.of(model), models.get(name)) for name, metric in metrics.items()
        },
        "baseline": {
            name: _figure(metric.of(baseline[name]), dummies.get(name))
            for name, metric in metrics.items()
        },
        "difference": {
            name: _difference(metric, model, baseline[name], models, dummies)
            for name, metric in metrics.items()
        },
        "slices": {
            name: {
                value: _slice(
                    deciding,
                    model.take(rows),
                    baseline[deciding.name].take(rows),
                    found,
                    (name, value),
                )
                for value, rows in group.items()
            }
            for name, group in groups.items()
        },
        "bootstrap": {"resamples": resamples, "clusters": len(np.unique(clusters))},
    }


def told(figure: float | None) -> str:
    """Return a figure as a person reads it."""
    return "not defined" if figure is None else f"{figure:.4g}"


def _enough(clusters: NDArray[np.intp]) -> bool:
    return len(np.unique(clusters)) >= MINIMUM_CLUSTERS


def _measure(
    wanted: Mapping[str, tuple[Metric, Outcome]], rows: NDArray | None = None
) -> Callable[[Floats], Mapping[str, Floats]]:
    outcomes = {id(outcome): outcome for _, outcome in wanted.values()}
    parts = (
        outcomes if rows is None else {key: outcome.take(rows) for key, outcome in outcomes.items()}
    )

    def measure(counts: Floats) -> Mapping[str, Floats]:
        taken = counts if rows is None else counts[:, rows]
        samples = {
            key: Sample(part, taken) for key, part in parts.items()
        }  # one for all metrics: they share its sums
        return {
            name: metric.compute(samples[id(outcome)]) for name, (metric, outcome) in wanted.items()
        }

    return measure


def _largest(values: pd.Series) -> dict[str, Any]:
    groups = values.astype("str").fillna("missing").reset_index(drop=True)
    sizes = groups.value_counts()
    largest = sorted(sizes.index, key=lambda value: (-sizes[value], value))[:MOST_SLICES]
    return {value: np.flatnonzero(groups == value) for value in sorted(largest)}


def _slice(
    deciding: Metric,
    model: Outcome,
    baseline: Outcome,
    found: Mapping[Any, Mapping[str, Floats]],
    key: tuple,
) -> dict:
    models, dummies = (found.get((*key, part), {}) for part in ("model", "baseline"))
    return {
        "rows": len(model),
        deciding.name: _figure(deciding.of(model), models.get(deciding.name)),
        "difference": _difference(deciding, model, baseline, models, dummies),
    }


def _difference(
    metric: Metric,
    model: Outcome,
    baseline: Outcome,
    models: Mapping[str, Floats],
    dummies: Mapping[str, Floats],
) -> dict[str, float | None]:
    paired = metric.sign * (models[metric.name] - dummies[metric.name]) if models else None
    return _figure(metric.sign * (metric.of(model) - metric.of(baseline)), paired)


def _figure(value: float, resampled: Floats | None) -> dict[str, float | None]:
    low, high = (None, None) if resampled is None else interval(resampled)
    return {"value": value if np.isfinite(value) else None, "low": low, "high": high}
