"""Drift of single columns: how far the counts of two profiles are apart, and whether by chance.

At ten thousands of rows every difference is significant, and in a hundred rows a large one may be
chance. So a column has drifted only if its effect is large and cannot well be chance, corrected for
how many columns were looked at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seedbed.config.monitor import Monitor
from seedbed.data.profiles import Bins, Counts, Profile
from seedbed.models.intervals import as_number
from seedbed.models.outcome import Floats
from seedbed.serving.drift_statistics import (
    adjust,
    homogeneity_p,
    jensen_shannon,
    pool_rare,
    population_stability,
)

GROUPS = 10
"""Groups of neighbouring bins of a number for PSI and the test of homogeneity, as is usual."""


@dataclass(frozen=True)
class ColumnDrift:
    """How far a column's current rows are from the reference."""

    column: str
    psi: float  # population stability index less what chance alone makes it
    # distance, the square root of the divergence to base 2, from 0 to 1. Lin (1991),
    # doi:10.1109/18.61115.
    jensen_shannon: float
    # of a number, at the cuts of the bins: the largest distance of the distribution functions, and
    # the area between them in interquartile ranges of the reference
    kolmogorov_smirnov: float | None
    wasserstein: float | None
    missing: float  # shares of the current and of the reference rows
    missing_before: float
    # share of the current rows with a category that the reference lacks, or beyond its range, less
    # what chance makes it
    unseen: float
    # chance of counts that differ as much or more without drift, corrected for all columns by
    # Holm's method once :func:`compare_profiles` has seen them
    p: float
    # values, the share of reference rows that has them, and that of current rows: for a picture
    cells: tuple[tuple[str, float, float], ...] = ()
    # which effects are too large to be tolerated and to be chance; empty without drift
    reasons: tuple[str, ...] = ()


def compare_profiles(
    reference: Profile,
    current: Profile,
    limits: Monitor,
    periods: Mapping[str, float] | None = None,
) -> list[ColumnDrift]:
    """Return the drift of each column that both have, the worst first.

    Parameters
    ----------
    reference, current : Profile
        Of the same bins.
    limits : Monitor
        From which effect and with which chance of a false alarm a column counts as drifted.
    periods : mapping of str to float, optional
        The months of the reference that are looked at, as :meth:`Profile.total` takes them.
    """
    found = [
        measure_drift(
            name, reference.bins[name], reference.total(name, periods), current.total(name)
        )
        for name in reference.bins
        if name in current.bins
    ]
    adjusted = adjust(np.array([drift.p for drift in found]))
    judged = [
        judge(replace(drift, p=float(p)), limits) for drift, p in zip(found, adjusted, strict=True)
    ]
    return sorted(judged, key=lambda drift: (not drift.reasons, -drift.psi, drift.column))


def measure_drift(name: str, bins: Bins, reference: Counts, current: Counts) -> ColumnDrift:
    """Return the drift between the counts, shape (n_bins + 1,), of one column; `p` is its own."""
    number = bins.kind == "number" and len(bins.cuts) > 1
    grouped = _group(reference, current) if number else (reference, current)
    pooled = pool_rare(*grouped, also_rare=None if bins.kind == "number" else -2)
    unseen = current[0] + current[-2] if number else current[-2] * bins.complete
    return ColumnDrift(
        name,
        psi=population_stability(*pooled),
        jensen_shannon=jensen_shannon(reference, current),
        kolmogorov_smirnov=float(_gaps(reference, current).max()) if number else None,
        wasserstein=_wasserstein(bins, reference, current) if number else None,
        missing=float(current[-1] / current.sum()),
        missing_before=float(reference[-1] / reference.sum()),
        unseen=max(float(unseen / current.sum()) - _unseen_by_chance(bins, reference), 0.0),
        p=homogeneity_p(*pooled),
        cells=_cells(bins, reference, current),
    )


def judge(drift: ColumnDrift, limits: Monitor) -> ColumnDrift:
    """Return the drift with the reasons for which it counts, if any."""
    if drift.p >= limits.false_alarms:
        return drift
    reasons = []
    if drift.psi >= limits.psi:
        reasons.append(f"PSI {drift.psi:.2f}, at most {limits.psi:g} tolerated")
    if abs(drift.missing - drift.missing_before) >= limits.missing:
        reasons.append(
            f"missing in {drift.missing:.1%} of the rows, before {drift.missing_before:.1%}"
        )
    if drift.unseen >= limits.unseen:
        reasons.append(f"never seen before in {drift.unseen:.1%} of the rows")
    return replace(drift, reasons=tuple(reasons))


def _group(reference: Counts, current: Counts) -> tuple[Counts, Counts]:
    """Join neighbouring bins of a number, missing values apart."""
    places = _places(reference)
    joined = [
        np.append(np.bincount(places, weights=counts[:-1]).astype(np.int64), counts[-1])
        for counts in (reference, current)
    ]
    return joined[0], joined[1]


def _places(reference: Counts) -> NDArray[np.intp]:
    """Return the group of each bin: about GROUPS with equally many reference rows."""
    before = np.cumsum(reference[:-1]) - reference[:-1]
    groups = (before * GROUPS) // max(int(reference[:-1].sum()), 1)
    groups = np.minimum(groups, GROUPS - 1)  # what lies above all reference values
    return np.unique(groups, return_inverse=True)[1]


def _cells(bins: Bins, reference: Counts, current: Counts) -> tuple[tuple[str, float, float], ...]:
    """Return labels and shares of a few cells: groups of bins, or the most frequent values."""
    left, right = reference / reference.sum(), current / current.sum()
    if bins.kind == "number" and len(bins.cuts) > 1:
        places = _places(reference)
        upper = [*bins.cuts, np.inf]
        chosen = [np.flatnonzero(places == group) for group in range(places.max() + 1)]
        labels = [f"to {as_number(upper[cells[-1]])}" for cells in chosen[:-1]]
        labels.append(f"above {as_number(upper[chosen[-1][0] - 1])}")
    else:
        order = np.argsort(-(left + right)[:-2], kind="stable")
        first, others = order[:GROUPS], np.append(order[GROUPS:], len(left) - 2)
        chosen = [*np.split(first, len(first)), others]
        labels = [*(bins.values[place] for place in first), "others"]
    chosen.append(np.array([len(left) - 1]))
    labels.append("missing")
    return tuple(
        (label, float(left[cells].sum()), float(right[cells].sum()))
        for label, cells in zip(labels, chosen, strict=True)
    )


def _unseen_by_chance(bins: Bins, reference: Counts) -> float:
    """Return which share of new rows has a value that the reference lacks, without drift.

    Of a category the share of values seen once: Good (1953), doi:10.1093/biomet/40.3-4.237.
    """
    rows = max(int(reference.sum()), 1)
    if bins.kind == "number":
        return 2 / (rows + 1)
    return float((reference[:-2] == 1).sum() / rows)


def _gaps(reference: Counts, current: Counts) -> Floats:
    """Return the distance of the distribution functions at each cut."""
    known: Sequence[Floats] = [
        np.cumsum(counts[:-1]) / max(int(counts[:-1].sum()), 1) for counts in (reference, current)
    ]
    return np.abs(known[0] - known[1])


def _wasserstein(bins: Bins, reference: Counts, current: Counts) -> float:
    """Return the area between the distribution functions, straight from cut to cut."""
    cuts = np.array(bins.cuts)
    area = float(np.trapezoid(_gaps(reference, current)[:-1], cuts))
    shares = np.cumsum(reference[:-1]) / max(int(reference[:-1].sum()), 1)
    quarter, three_quarters = (
        cuts[min(int(np.searchsorted(shares, share)), len(cuts) - 1)] for share in (0.25, 0.75)
    )
    spread = three_quarters - quarter or cuts[-1] - cuts[0]
    return area / float(spread)
