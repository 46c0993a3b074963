"""95 % percentile intervals from the bootstrap, computed on integer row counts instead of copied rows.

A resample with replacement is told completely by how often it holds each row. Metrics that are functions of such counts
need no row copied and no score sorted again. Model, baseline and slices are measured on the same resamples, so that
their differences are paired. What is drawn are clusters of rows: a hundred flights of one stormy day tell little more
than ten, and an interval that takes each for a witness of its own is too narrow.

The percentile interval: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13. Clusters: Davison &
Hinkley (1997), Bootstrap Methods and their Application, sections 3.8 (groups) and 8.2.3 (stretches of time).
"""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from seedbed.models.outcome import Floats
from seedbed.progress import track

Key = TypeVar("Key", bound=Hashable)

CELLS = 1_000_000
"""Counts held at once: eight bytes each, and a few arrays of that size."""
LEVEL = 0.95
UNDEFINED = 0.05
"""An interval is given only if at most this share of the resamples leaves the metric undefined."""


def resample_counts(clusters: NDArray[np.intp], resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each resample holds each row, some resamples at a time.

    Parameters
    ----------
    clusters : ndarray, shape (n_rows,)
        Number of the cluster of each row, from 0; as many clusters are drawn as there are.

    Yields
    ------
    ndarray, shape (b, n_rows)
        b is 1 or more; rows of one cluster have the same count.
    """
    random = np.random.default_rng(seed)
    size = int(clusters.max()) + 1
    at_once = _at_once(len(clusters))
    for begin in range(0, resamples, at_once):
        # One draw per resample, whatever fits at once: the same seed gives the same resamples on any setting.
        drawn = [
            np.bincount(random.integers(0, size, size), minlength=size)
            for _ in range(min(at_once, resamples - begin))
        ]
        yield np.stack(drawn).astype(np.float64)[:, clusters]


def bootstrap(
    measures: Mapping[Key, Callable[[Floats], Mapping[str, Floats]]],
    clusters: NDArray[np.intp],
    resamples: int,
    seed: int,
) -> dict[Key, dict[str, Floats]]:
    """Measure many things on the same resamples.

    Parameters
    ----------
    measures : mapping
        Each takes counts of shape (b, n_rows) and returns values of shape (b,) by name.
    clusters : ndarray, shape (n_rows,)
        As :func:`resample_counts` takes them.

    Returns
    -------
    dict
        By key and name, values of shape (resamples,).
    """
    parts: dict[Key, list[Mapping[str, Floats]]] = {key: [] for key in measures}
    steps = math.ceil(resamples / _at_once(len(clusters)))
    for counts in track(
        resample_counts(clusters, resamples, seed), steps, "parts of the bootstrap"
    ):
        for key, measure in measures.items():
            parts[key].append(measure(counts))
    return {
        key: {name: np.concatenate([part[name] for part in found]) for name in found[0]}
        for key, found in parts.items()
    }


def _at_once(rows: int) -> int:
    return max(1, CELLS // max(rows, 1))


def interval(values: Floats) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile of a metric's values over resamples, or None where it is not defined."""
    defined = values[np.isfinite(values)]
    if not len(defined) or len(defined) < (1 - UNDEFINED) * len(values):
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
