"""What stands at the top of the exploration page: each column in a line, and what is wrong."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.data.column_scores import encode
from seedbed.data.features import make_target
from seedbed.data.leaks import find_leaks
from seedbed.data.repeats import find_repeats
from seedbed.data.roles import Columns, columns_with, target_column

MOST_ROWS = 50_000
"""Rows, evenly spaced, that leaks are looked for in."""
RANKED_ROWS = 2_000
"""Rows that rank correlations are made of."""
MUCH_MISSING = 0.5
SAME = 0.995
"""Absolute rank correlation of two columns that say the same."""
WARNED_ROLES = ("feature", "group", "target")
PAIRS, LEAST_CORRELATION = 20, 0.3
"""Correlations that are shown: how many, and from which absolute value."""


class Warned(NamedTuple):
    """A column (or rows, where it is empty) and what is wrong with it."""

    kind: str
    column: str
    words: str


@dataclass(frozen=True)
class Overview:
    """What is known of a table before anything is fitted."""

    # a row a column: ``role``, ``type``, ``missing`` (share), ``distinct``, ``words``
    columns: pd.DataFrame
    warnings: list[Warned]  # the gravest first
    # pairs of numeric columns with the largest absolute rank correlation, which follows
    correlations: list[tuple[str, str, float]]


def make_overview(frame: pd.DataFrame, columns: Columns, problem: Problem) -> Overview:
    """Return the overview of raw rows.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : dict of str to Column
        Those that are used. Leaks and repeats are looked for among the features.
    """
    table = _describe(frame, columns)
    features = [name for name in columns_with(columns, "feature") if table["distinct"][name] > 1]
    pairs = _rank_correlations(frame, features, columns)
    constant = [
        Warned("constant", name, "no value at all" if row.distinct == 0 else "one value only")
        for name, row in table.iterrows()
        if row.distinct < 2 and row.role in WARNED_ROLES
    ]
    missing = [
        Warned("missing", name, f"missing in {100 * row.missing:.3g} % of the rows")
        for name, row in table.sort_values("missing", ascending=False, kind="stable").iterrows()
        if row.role in WARNED_ROLES and MUCH_MISSING <= row.missing < 1
    ]
    same = {
        second: Warned("same", second, f"says what {first} says: rank correlation {strength:.3f}")
        for first, second, strength in reversed(pairs)
        if abs(strength) >= SAME
    }
    warnings = [
        *_leaks(frame, columns, problem, features),
        *constant,
        *missing,
        *reversed(same.values()),
    ]
    differing = [name for name in features if name not in same]
    if repeats := find_repeats(frame, differing, frame[target_column(columns)]):
        warnings.append(Warned("repeats", "", str(repeats)))
    return Overview(table, warnings, pairs[:PAIRS])


def _leaks(
    frame: pd.DataFrame, columns: Columns, problem: Problem, features: list[str]
) -> list[Warned]:
    frame = frame.iloc[:: -(-len(frame) // MOST_ROWS)]
    values = frame[target_column(columns)]
    target = make_target(values.dropna(), problem)
    if problem.task == "binary":
        target = target.map({True: "yes", False: "no"})
    target = target.reindex(frame.index)
    found = find_leaks(frame, target, problem.task, features)
    return [Warned("leak", leak.column, leak.reason) for leak in found]


def _describe(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    rows = {}
    for name, column in columns.items():
        values = frame[name]
        counts = values.value_counts(sort=False)
        rows[name] = {
            "role": column.role,
            "type": column.type,
            "missing": float(values.isna().mean()),
            "distinct": len(counts),
            "words": _words(counts, column.type),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def _words(counts: pd.Series, kind: str) -> str:
    """Return a line about the values of a column: their range, or the most frequent ones."""
    if counts.empty:
        return ""
    in_order = counts.sort_index(kind="stable")
    least, most = in_order.index[0], in_order.index[-1]
    if kind == "time":
        return f"{least:%Y-%m-%d %H:%M} to {most:%Y-%m-%d %H:%M}"
    if kind == "number":
        below = in_order.to_numpy().cumsum()
        median = in_order.index[np.searchsorted(below, below[-1] / 2)]
        return f"{least:.4g} to {most:.4g}, median {median:.4g}"
    frequent = in_order.sort_values(ascending=False, kind="stable").head(3)
    shares = 100 * frequent / counts.sum()
    return ", ".join(f"{str(value)[:30]} {share:.2g} %" for value, share in shares.items())


def _rank_correlations(
    frame: pd.DataFrame, features: list[str], columns: Columns
) -> list[tuple[str, str, float]]:
    """Return pairs of numeric features, the strongest first.

    These are all pairs that say the same, or else the first few. A missing value counts as the
    column's middle rank, so one product of two matrices gives all pairs.
    """
    names = [name for name in features if columns[name].type in ("number", "boolean")]
    if len(names) < 2:
        return []
    some = frame[names].iloc[:: -(-len(frame) // RANKED_ROWS)]
    ranks = pd.DataFrame({name: encode(some[name]) for name in names}).rank()
    ranks = (ranks - ranks.mean()).fillna(0.0)
    spread = np.sqrt((ranks**2).sum()).replace(0.0, 1.0)
    scaled = (ranks / spread).to_numpy()
    correlation = np.triu(np.round(scaled.T @ scaled, 3), 1)
    strength = np.abs(correlation).ravel()
    count = max(PAIRS, int((strength >= SAME).sum()))
    strongest = np.argsort(-strength, kind="stable")[:count]
    pairs = zip(*np.unravel_index(strongest, correlation.shape), strict=True)
    return [
        (names[a], names[b], float(correlation[a, b]))
        for a, b in pairs
        if abs(correlation[a, b]) >= LEAST_CORRELATION
    ]
