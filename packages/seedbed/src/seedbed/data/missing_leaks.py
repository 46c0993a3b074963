"""Columns that tell the target by where they are missing."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from seedbed.data.column_scores import Sample
from seedbed.data.leak import LEAST_ROWS, MOST_ROWS, Leak, percent

FILLED, EMPTY = 0.95, 0.05
"""Shares of rows with a value in one class, and in another one, of a column filled afterwards."""
HALF = 0.5
"""Share of the rows without a target that lack a value too, of a column known with the target."""


def tell_by_missing(encoded: Mapping[str, np.ndarray], sample: Sample) -> Iterator[Leak]:
    """Yield columns that only some classes, or only low or high targets, have values of."""
    for name, values in encoded.items():
        missing = np.isnan(values)
        if min(missing.sum(), (~missing).sum()) < LEAST_ROWS:
            continue
        leak = (
            _missing_by_rank(name, missing, sample)
            if sample.classes is None
            else _missing_by_class(name, missing, sample.classes, sample.y.astype(int))
        )
        if leak:
            yield leak


def _missing_by_class(
    name: str, missing: np.ndarray, classes: Sequence[str], y: np.ndarray
) -> Leak | None:
    """Judge the shares of filled rows in each class."""
    rows = np.bincount(y, minlength=len(classes))
    filled = np.bincount(y, ~missing, minlength=len(classes)) / rows
    most, least = int(filled.argmax()), int(filled.argmin())
    if filled[most] >= FILLED and filled[least] <= EMPTY:
        reason = (
            f"filled for {percent(filled[most])} of the rows of class {classes[most]} and "
            f"{percent(filled[least])} of class {classes[least]}"
        )
        return Leak(name, reason, float(filled[most] - filled[least]))
    for word, shares in (("filled", filled), ("missing", 1 - filled)):
        first = int(shares.argmax())
        count, others = shares * rows, np.arange(len(classes)) != first
        # As many rows of the other classes as their size lets expect, were the column honest.
        expected = count.sum() * rows[others].sum() / rows.sum()
        if expected >= LEAST_ROWS and count[others].sum() <= 0.01 * expected:
            pure = count[first] / count.sum()
            words = f"of the rows where it is {word}, {percent(pure)} are of class"
            return Leak(name, f"{words} {classes[first]}", float(pure))
    return None


def _missing_by_rank(name: str, missing: np.ndarray, sample: Sample) -> Leak | None:
    """Judge the probability that a row without a value has the lower target (Mann-Whitney's)."""
    rows, lacking = len(missing), int(missing.sum())
    above = (sample.y[~missing].sum() - (rows - lacking) * (rows - lacking + 1) / 2) / (
        lacking * (rows - lacking)
    )
    share = max(above, 1 - above)
    if share < 0.98:
        return None
    side = "lower" if above > 0.5 else "higher"
    reason = f"rows where it is missing have the {side} target in {percent(share)} of all pairs"
    return Leak(name, reason, float(share))


def known_with_target(
    frame: pd.DataFrame, known: np.ndarray, encoded: Mapping[str, np.ndarray]
) -> Iterator[Leak]:
    """Yield columns that lack values where the target is not known yet, and only there."""
    unknown = np.flatnonzero(~known)
    unknown = unknown[:: max(1, -(-len(unknown) // MOST_ROWS))]
    lacking = frame[list(encoded)].iloc[unknown].isna().to_numpy()
    lacking = lacking[lacking.mean(axis=1) <= HALF]  # a row that is empty altogether says nothing
    if len(lacking) < LEAST_ROWS:
        return
    for (name, values), share in zip(encoded.items(), lacking.mean(axis=0), strict=True):
        filled = 1 - np.isnan(values).mean()
        if share >= HALF and filled >= FILLED:
            reason = (
                f"missing in {percent(share)} of the rows without a target and "
                f"{percent(1 - filled)} of those with one"
            )
            yield Leak(name, reason, float(share))
