"""What the raw rows look like: the numbers behind the exploration page."""

from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.config.schema import Role
from seedbed.data.features import make_target
from seedbed.data.roles import Columns, columns_with, target_column, time_column

BINS = 10
CATEGORIES = 12
MONTHS = 36
"""Most periods of the target over time: of more months, years are shown."""
LEAST_ROWS = 5
"""Groups of fewer rows are left out."""
SURE_ROWS = 30
"""Groups of fewer rows do not count when it is asked how far a column moves the target."""
Z = 1.96
"""The standard normal distribution's quantile of 97.5 %."""
SHOWN_ROLES: tuple[Role, ...] = ("feature", "group", "known_after_outcome")


def target_values(frame: pd.DataFrame, columns: Columns, problem: Problem) -> pd.Series:
    """Return what is averaged against columns: the target as a number, NaN where it is not known.

    For several classes it is whether the row is of the most frequent one.
    """
    target = make_target(frame[target_column(columns)].dropna(), problem)
    if problem.task == "multiclass":
        target = target == target.mode().iloc[0]
    return target.astype("float64").reindex(frame.index)


def target_by_column(
    frame: pd.DataFrame, columns: Columns, target: pd.Series
) -> dict[str, pd.DataFrame]:
    """Return, per column, the mean target in its bins or largest categories.

    Returns
    -------
    dict of str to DataFrame
        Index: the bin's mean value or the category; columns ``mean``, ``low`` and ``high`` (of its
        95 % interval), ``rows``.
    """
    found = {}
    for name in columns_with(columns, *SHOWN_ROLES):
        groups = _bins(frame[name]) if columns[name].type == "number" else _largest(frame[name])
        table = _means(target, groups)
        found[name] = table[table["rows"] >= LEAST_ROWS]
    return found


def target_by_period(
    frame: pd.DataFrame, columns: Columns, target: pd.Series
) -> pd.DataFrame | None:
    """Return the mean target of each month (year, if there are many), or None without time."""
    name = time_column(columns)
    if name is None:
        return None
    months = frame[name].dt.strftime("%Y-%m")
    return _means(target, months if months.nunique() <= MONTHS else months.str[:4])


def target_range(table: pd.DataFrame | None) -> float | None:
    """Return how far a column moves the target: its largest less its smallest mean."""
    if table is None or (sure := table["mean"][table["rows"] >= SURE_ROWS]).empty:
        return None
    return round(float(sure.max() - sure.min()), 6)


def summarize(
    frame: pd.DataFrame, columns: Columns, target: pd.Series, by_column: dict[str, pd.DataFrame]
) -> dict[str, Any]:
    """Return rows, missing shares and how far each column moves the target, ready for JSON."""
    return {
        "rows": len(frame),
        "target": {
            "mean": round(float(target.mean()), 6),
            "missing": round(float(target.isna().mean()), 6),
        },
        "columns": {
            name: {
                "role": column.role,
                "missing": round(float(frame[name].isna().mean()), 6),
                "distinct": int(frame[name].nunique()),
                "target_range": target_range(by_column.get(name)),
            }
            for name, column in columns.items()
        },
    }


def _means(target: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Return mean, 95 % interval and rows of each group.

    Wilson's interval for a share, which stays within 0 and 1 and is not empty where all rows agree
    (Wilson 1927, doi:10.1080/01621459.1927.10502953), else that of the normal distribution.
    """
    grouped = target.groupby(groups, observed=True)
    mean, rows = grouped.mean(), grouped.count()
    middle, half = mean, Z * grouped.sem()
    if target.dropna().isin([0.0, 1.0]).all():
        middle = (mean + Z**2 / (2 * rows)) / (1 + Z**2 / rows)
        half = Z / (1 + Z**2 / rows) * np.sqrt(mean * (1 - mean) / rows + Z**2 / (4 * rows**2))
    return pd.DataFrame({"mean": mean, "low": middle - half, "high": middle + half, "rows": rows})


def _bins(values: pd.Series) -> pd.Series:
    """Return the mean of the quantile bin in which each number lies.

    Few distinct values stay as they are, and so does one that half of the rows share (no rain): its
    ties would swallow most of the quantiles.
    """
    numbers = values.astype("float64")
    counts = numbers.value_counts()
    if len(counts) <= BINS:
        return numbers
    common = pd.Series(False, index=numbers.index)
    if counts.iloc[0] > len(numbers) / 2:
        common = numbers == counts.index[0]
    rest = numbers[~common & numbers.notna()]
    edges = np.unique(rest.quantile(np.linspace(0, 1, BINS + 1)))
    place = pd.Series(np.searchsorted(edges[1:-1], rest, side="right"), index=rest.index)
    return place.map(rest.groupby(place).mean()).reindex(numbers.index).where(~common, numbers)


def _largest(values: pd.Series) -> pd.Series:
    text = values.astype("str")
    largest = text.value_counts().sort_index(kind="stable").nlargest(CATEGORIES).index
    return text.where(text.isin(largest) | text.isna(), "other")
