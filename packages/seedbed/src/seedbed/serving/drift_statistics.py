"""What is computed of two rows of counts: how far apart they are, and whether that is chance."""

import numpy as np

from seedbed.data.profiles import Counts
from seedbed.models.outcome import Floats

LEAST_EXPECTED = 5
"""Cells in which fewer rows are expected are pooled, since neither the test nor what chance makes
of PSI holds for them: Cochran (1954), doi:10.2307/3001666."""


def population_stability(reference: Counts, current: Counts) -> float:
    """Return the population stability index less its expectation without drift.

    Between samples of n and m rows of one distribution over B bins it is about (B - 1)(1/n + 1/m):
    Yurdakul (2018), Statistical properties of population stability index, Western Michigan
    University. Half a row is added to each cell, so that an empty one has a logarithm.
    """
    used = (reference + current) > 0
    bins = int(used.sum())
    left, right = (
        (counts[used] + 0.5) / (counts.sum() + 0.5 * bins) for counts in (reference, current)
    )
    chance = (bins - 1) * (1 / reference.sum() + 1 / current.sum())
    return float(np.sum((left - right) * np.log(left / right)) - chance)


def jensen_shannon(reference: Counts, current: Counts) -> float:
    """Return the Jensen-Shannon distance of two rows of counts, to base 2."""
    from scipy.spatial.distance import jensenshannon

    return float(jensenshannon(reference, current, base=2))


def homogeneity_p(reference: Counts, current: Counts) -> float:
    """Return the p-value of Pearson's chi-square test that both counts are of one distribution."""
    from scipy.stats import chi2_contingency

    table = np.array([reference, current])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    return float(chi2_contingency(table, correction=False).pvalue)


def pool_rare(
    reference: Counts, current: Counts, also_rare: int | None = None
) -> tuple[Counts, Counts]:
    """Return both counts with one cell for all those in which few rows are expected.

    Parameters
    ----------
    reference, current : ndarray, shape (n_cells,)
    also_rare : int, optional
        The cell of all values that the reference lacks. It is pooled with those: taken for one
        value it would be evidence of drift by itself, since the reference has none by definition.
    """
    table = np.array([reference, current])
    smaller = table.sum(axis=1).min() / table.sum()
    rare = table.sum(axis=0) * smaller < LEAST_EXPECTED
    if also_rare is not None:
        rare[also_rare] = True
    left, right = np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)])
    return left, right


def adjust(p: Floats) -> Floats:
    """Return p-values corrected for their number, in their order.

    Holm (1979), A simple sequentially rejective multiple test procedure.
    """
    order = np.argsort(p, kind="stable")
    scaled = p[order] * (len(p) - np.arange(len(p)))
    adjusted = np.empty_like(scaled)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted
