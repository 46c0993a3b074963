"""95 % percentile intervals from the bootstrap, computed on integer row counts instead of copied rows.

A resample of n rows with replacement is told completely by how often it holds each row. Metrics that are functions
of such counts need no row copied and no score sorted again. Model, baseline and slices are measured on the same
resamples, so that their differences are paired.

The percentile interval: Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 13.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

import numpy as np

from seedbed.models.outcome import Floats

Key = TypeVar("Key", bound=Hashable)

CELLS = 1_000_000
"""Counts held at once: eight bytes each, and a few arrays of that size."""
LEVEL = 0.95
UNDEFINED = 0.05
"""An interval is given only if at most this share of the resamples leaves the metric undefined."""


def resample_counts(rows: int, resamples: int, seed: int) -> Iterator[Floats]:
    """Yield how often each resample holds each row, some resamples at a time.

    Yields
    ------
    ndarray, shape (b, rows)
        b is 1 or more; each line sums to `rows`.
    """
    random = np.random.default_rng(seed)
    at_once = max(1, CELLS // max(rows, 1))
    for begin in range(0, resamples, at_once):
        size = min(at_once, resamples - begin)
        # One draw per resample, whatever fits at once: the same seed gives the same resamples on any setting.
        yield np.stack([np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(size)]).astype(
            np.float64
        )


def bootstrap(
    measures: Mapping[Key, Callable[[Floats], Mapping[str, Floats]]],
    rows: int,
    resamples: int,
    seed: int,
) -> dict[Key, dict[str, Floats]]:
    """Measure many things on the same resamples.

    Parameters
    ----------
    measures : mapping
        Each takes counts of shape (b, rows) and returns values of shape (b,) by name.

    Returns
    -------
    dict
        By key and name, values of shape (resamples,).
    """
    parts: dict[Key, list[Mapping[str, Floats]]] = {key: [] for key in measures}
    for counts in resample_counts(rows, resamples, seed):
        for key, measure in measures.items():
            parts[key].append(measure(counts))
    return {
        key: {name: np.concatenate([part[name] for part in found]) for name in found[0]} for key, found in parts.items()
    }


def interval(values: Floats) -> tuple[float | None, float | None]:
    """Return the 2.5th and 97.5th percentile of a metric's values over resamples, or None where it is not defined."""
    defined = values[np.isfinite(values)]
    if not len(defined) or len(defined) < (1 - UNDEFINED) * len(values):
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
