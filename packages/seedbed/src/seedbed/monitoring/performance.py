"""Performance of a model in use, measured where outcomes have come.

Of many slices, one is worse by chance alone sooner or later. So the end of a slice's interval that
decides is that of a level corrected for their number: Dunn (1961), Multiple Comparisons among
Means, Journal of the American Statistical Association 56.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from seedbed.config.monitor import Monitor
from seedbed.models.estimation import RESAMPLES, Figure
from seedbed.models.intervals import LEVEL, compare
from seedbed.models.metrics import Metric, metrics_of
from seedbed.models.outcome import Outcome


@dataclass(frozen=True)
class Performance:
    """The deciding metric on current rows beside what evaluate measured on the test rows."""

    part: str  # "" for all rows, or a slice such as "origin = EWR"
    rows: int
    current: Figure  # value and interval
    before: Figure
    # whether even the better end of the interval, of a slice at the corrected level, is worse than
    # what is tolerated, and than the worse end of the interval before
    lost: bool


def measure(
    outcome: Outcome,
    metric: Metric,
    slices: Mapping[str, pd.Series],
    clusters: NDArray[np.intp],
    packaged: Mapping[str, Any],
    limits: Monitor,
    seed: int = 0,
) -> list[Performance]:
    """Return the performance of all rows, then of each slice that evaluate measured.

    Parameters
    ----------
    outcome : Outcome
        Of n rows whose outcome is known.
    slices : mapping of str to Series
        By column, the value of each row.
    clusters : ndarray, shape (n,)
        Rows that are alike, which are resampled together.
    packaged : mapping
        The bundle's metrics.
    """
    itself = dict.fromkeys(metrics_of(outcome.task), outcome)  # no difference is asked for
    found = compare(outcome, itself, slices, clusters, metric, RESAMPLES, seed)
    current, before = found["model"][metric.name], packaged["test"]["model"]
    whole = _judge("", len(outcome), current, before, metric, limits)
    parts = [
        (f"{column} = {value}", figures["rows"], figures[metric.name], before)
        for column, values in found["slices"].items()
        for value, figures in values.items()
        if (before := packaged["slices"].get(column, {}).get(value))
    ]
    return [whole, *(_judge(*part, metric, limits, len(parts)) for part in parts)]


def clusters_of(times: pd.Series | None, groups: pd.Series | None, rows: int) -> NDArray[np.intp]:
    """Return a number from 0 for each row, shape (rows,), that rows which are alike share.

    These are rows of one group, or else of one day; without either each row stands alone.
    """
    if groups is None and times is None:
        return np.arange(rows)
    alike = groups if groups is not None else pd.to_datetime(times, utc=True).dt.floor("D")
    return pd.factorize(alike, use_na_sentinel=False)[0]


def _judge(
    part: str, rows: int, current: Figure, before: Mapping[str, Figure], metric: Metric,
    limits: Monitor, tested: int = 1,
) -> Performance:  # fmt: skip
    """Compare one of `tested` parts with what it was."""
    known = before[metric.name]
    better, worse = ("high", "low") if metric.sign > 0 else ("low", "high")
    now, best, value, worst = current["value"], current[better], known["value"], known[worse]
    lost = False
    if now is not None and best is not None and value is not None and worst is not None:
        best = now + (best - now) * _widening(tested)
        tolerated = metric.sign * value - limits.performance * abs(value)
        lost = metric.sign * best < min(tolerated, metric.sign * worst)
    return Performance(part, rows, current, known, lost)


def _widening(tested: int) -> float:
    """Return by how much an interval is wider whose level is corrected for a number of tests."""
    return float(norm.isf((1 - LEVEL) / 2 / tested) / norm.isf((1 - LEVEL) / 2))
