"""Rows that repeat others: a random split would put one into train and its twin into test."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

LEAST_SHARE, LEAST_ROWS = 0.01, 10
"""Share and number of rows with a twin from which repeats are worth a word."""
CHANCE = 0.1
"""Largest part of that share that independent columns would give too."""
SAMPLE = 20_000
"""Rows that the chance of equal values is estimated from."""
LEAST_COLUMNS = 5
"""Fewest columns of which one may differ."""
MOST_ROWS_OF_A_GROUP = 50
"""Rows, on average, of a group that may gather twins: everything lies within a large one."""
ALIKE = 0.1
"""Standard deviations by which the numeric targets of twins may differ and count as the same."""
GATHERED = 0.95
"""Share of rows with a twin whose twins have the same value of the column that gathers them."""


@dataclass(frozen=True)
class Repeats:
    """Rows that equal another row."""

    equal: float  # share of rows that equal another one in all features
    # share of rows that equal another one in all features but one at most; `equal` where there are
    # fewer than five
    nearly: float
    # share of these whose twins all have the same target, give or take a tenth of its standard
    # deviation for a number
    same_target: float
    group: str | None  # the column to split by: rows that are alike have the same value of it
    # share of the rows of `nearly` whose twins all have the same value of `group`; 0 without one
    gathered: float

    def __str__(self) -> str:
        """Return a sentence with the figures."""
        alike = f"{100 * self.nearly:.3g} % of the rows equal another row in all features or all "
        alike += f"but one ({100 * self.equal:.3g} % in all), {100 * self.same_target:.3g} % of "
        alike += "these with the same target: a random split puts twins on both sides"
        if self.group is None:
            return f"{alike}; no column gathers them"
        return f"{alike}; {self.group} gathers {100 * self.gathered:.3g} % of them: split by group"


def find_repeats(
    frame: pd.DataFrame, candidates: Sequence[str], target: pd.Series
) -> Repeats | None:
    """Return how many rows equal another one in all features or all but one, None if hardly any.

    Repeats that come by chance do not count: at least 1 % of the rows must have a twin, and ten
    times as many as if the columns were independent of each other (as they are in a table of three
    columns with two values each).

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        All rows are compared. The column that gathers them is looked for among all columns that are
        no fractions and no times: of those that do, the one with the most values.
    candidates : sequence of str
        The features to compare by: neither the target nor a number of the row.
    target : Series, shape (n_rows,)

    Notes
    -----
    Each value is hashed, and a row's hash is the sum over columns modulo 2^64; so the hash without
    one column is a subtraction, and the time grows with rows times columns.
    """
    if len(frame) < 2 or not candidates:
        return None
    count = len(frame)
    halves = [np.zeros(count, "uint64"), np.zeros(count, "uint64")]
    chances = {}
    for place, (name, hashes) in enumerate(_hashes(frame, candidates)):
        halves[place % 2] += hashes
        chances[name] = _log_chance(hashes)
    of_all = sum(chances.values())
    # Of rows that differ in one column, one half of the columns is equal: no others can be twins.
    rows = np.flatnonzero(_repeated(halves[0]) | _repeated(halves[1]))
    frame, target = frame.iloc[rows], target.iloc[rows]
    total = best = (halves[0] + halves[1])[rows]
    equal = nearly = most = _twins(total, of_all, count)
    if len(candidates) >= LEAST_COLUMNS:
        for name, hashes in _hashes(frame, candidates):
            twins = _twins(total - hashes, of_all - chances[name], count)
            nearly = nearly | twins
            if twins.sum() > most.sum():
                most, best = twins, total - hashes
    if nearly.sum() < max(LEAST_SHARE * count, LEAST_ROWS):
        return None
    group, gathered = _group_column(
        frame.drop(columns=[target.name], errors="ignore"), best, candidates
    )
    same = _agreement(best, target, ALIKE * target.std() if _is_number(target) else 0.0)
    return Repeats(float(equal.sum() / count), float(nearly.sum() / count), same, group, gathered)


def _hashes(frame: pd.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield a column's name and its values' hashes, which differ from those of other columns."""
    for place, name in enumerate(names):
        hashes = pd.util.hash_pandas_object(frame[name], index=False).to_numpy()
        yield name, hashes * np.uint64(2 * place + 1)


def _log_chance(hashes: np.ndarray) -> float:
    """Return the logarithm of the chance that two rows have the same value."""
    some = hashes[:: -(-len(hashes) // SAMPLE)]
    counts = np.unique(some, return_counts=True)[1].astype("float64")
    pairs = (counts * (counts - 1)).sum() / (len(some) * (len(some) - 1.0))
    return float(np.log(max(pairs, 1e-300)))


def _repeated(hashes: np.ndarray) -> np.ndarray:
    return pd.Series(hashes).duplicated(keep=False).to_numpy()


def _twins(hashes: np.ndarray, log_chance: float, count: int) -> np.ndarray:
    """Return which rows have a twin, none where chance alone would give many among all rows."""
    twins = _repeated(hashes)
    by_chance = -np.expm1(-count * np.exp(max(log_chance, -700.0)))
    return twins if by_chance <= CHANCE * twins.sum() / count else np.zeros(len(hashes), bool)


def _group_column(
    frame: pd.DataFrame, hashes: np.ndarray, candidates: Collection[str]
) -> tuple[str | None, float]:
    """Return the column whose small groups gather rows that are alike.

    All features do, since rows that are alike are equal in them: one that is no feature comes
    first, then a text, then the one with the most values.
    """
    found: tuple[str | None, float] = None, 0.0
    best = (False, False, 0)
    for name, values in frame.items():
        kinds = pd.api.types
        if kinds.is_float_dtype(values) or kinds.is_datetime64_any_dtype(values):
            continue
        rank = (name not in candidates, not _is_number(values), values.nunique())
        small_groups = len(frame) / MOST_ROWS_OF_A_GROUP <= rank[2] < len(frame)
        if rank > best and small_groups:
            share = _agreement(hashes, values)
            if share >= GATHERED:
                found, best = (str(name), share), rank
    return found


def _agreement(hashes: np.ndarray, values: pd.Series, tolerance: float = 0.0) -> float:
    """Return the share of rows with a twin whose twins all have the same value."""
    twins = _repeated(hashes)
    values = values[twins]
    numbers = values.astype("float64") if _is_number(values) else pd.factorize(values)[0]
    groups = pd.Series(numbers).reset_index(drop=True).groupby(hashes[twins])
    return float((groups.transform("max") - groups.transform("min") <= tolerance).mean())


def _is_number(values: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(values))
