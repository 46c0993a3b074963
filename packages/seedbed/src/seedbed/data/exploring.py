"""What the raw rows look like: the numbers behind the exploration report."""

import re
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.schema import Problem, Role
from seedbed.data.features import make_target
from seedbed.data.roles import Columns, columns_with, target_column, time_column

BINS = 10
CATEGORIES = 12
CORRELATION_ROWS = 50_000
LEAST_ROWS = 5
Z = 1.96
"""The standard normal distribution's quantile of 97.5 %."""
SHOWN_ROLES: tuple[Role, ...] = ("feature", "group", "known_after_outcome")


def profile_page(frame: pd.DataFrame, title: str) -> str:
    """Return skrub's report of a table as one self-contained HTML page, the same for the same rows.

    skrub gives the page's elements random ids, which are numbered anew here; matplotlib gives those of its pictures random
    ids too, unless it is handed a salt, and the time, which is left out.
    """
    from matplotlib import rc_context
    from skrub import TableReport

    with rc_context({"svg.hashsalt": "profile"}):
        page = TableReport(frame, title=title, verbose=0).html()
    page = re.sub(r"<dc:date>[^<]*</dc:date>", "", page)
    random_ids = re.findall(r'(?:id="|report_)([0-9a-f]{8})\b', page)
    numbered = {
        random_id: f"{number:08x}" for number, random_id in enumerate(dict.fromkeys(random_ids))
    }
    return re.sub(
        r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])",
        lambda found: numbered.get(found[0], found[0]),
        page,
    )


def target_values(frame: pd.DataFrame, columns: Columns, problem: Problem) -> pd.Series:
    """Return what is averaged against features: the target as a number, NaN where it is not known.

    For several classes it is whether the row is of the most frequent one.
    """
    target = make_target(frame[target_column(columns)].dropna(), problem)
    if problem.task == "multiclass":
        target = target == target.mode().iloc[0]
    return target.astype("float64").reindex(frame.index)


def correlations(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Return Spearman's rank correlations of the number columns, on at most 50,000 evenly spaced rows.

    Returns
    -------
    DataFrame, shape (n_numbers, n_numbers)
        Columns that hold one value only are left out.
    """
    names = [
        name
        for name in columns_with(columns, *SHOWN_ROLES, "target")
        if columns[name].type == "number"
    ]
    step = max(1, len(frame) // CORRELATION_ROWS)
    ranks = frame[names].iloc[::step].astype("float64").rank()
    return ranks.loc[:, ranks.nunique() > 1].corr()


def target_by_feature(
    frame: pd.DataFrame, columns: Columns, target: pd.Series
) -> dict[str, pd.DataFrame]:
    """Return, per column, the mean target in its bins or largest categories.

    Returns
    -------
    dict of str to DataFrame
        Index: the bin's mean value or the category; columns ``mean``, ``low`` and ``high`` (of its 95 % interval), ``rows``.
        Groups of fewer than LEAST_ROWS rows say nothing and are left out.
    """
    found = {}
    for name in columns_with(columns, *SHOWN_ROLES):
        groups = _bins(frame[name]) if columns[name].type == "number" else _largest(frame[name])
        table = _means(target, groups)
        found[name] = table[table["rows"] >= LEAST_ROWS]
    return found


def target_by_month(
    frame: pd.DataFrame, columns: Columns, target: pd.Series
) -> pd.DataFrame | None:
    """Return the mean target of each month as :func:`target_by_feature` does, or None where there is no time column."""
    name = time_column(columns)
    if name is None:
        return None
    return _means(target, frame[name].dt.strftime("%Y-%m"))


def summarize(
    frame: pd.DataFrame, columns: Columns, problem: Problem, by_feature: dict[str, pd.DataFrame]
) -> dict[str, Any]:
    """Return rows, missing shares and how far each column moves the target, ready for JSON."""
    target = target_values(frame, columns, problem)
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
                "target_range": _range(by_feature.get(name)),
            }
            for name, column in columns.items()
        },
    }


def _means(target: pd.Series, groups: pd.Series) -> pd.DataFrame:
    """Return mean, 95 % interval and rows of each group: Wilson's interval for a share, which stays within 0 and 1 and is
    not empty where all rows agree (Wilson 1927, doi:10.1080/01621459.1927.10502953), else that of the normal distribution.
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

    Few distinct values stay as they are, and so does one that half of the rows share (no rain): its ties would
    swallow most of the quantiles.
    """
    numbers = values.astype("float64")
    counts = numbers.value_counts()
    if len(counts) <= BINS:
        return numbers
    common = (
        numbers == counts.index[0]
        if counts.iloc[0] > len(numbers) / 2
        else pd.Series(False, index=numbers.index)
    )
    rest = numbers[~common & numbers.notna()]
    edges = np.unique(rest.quantile(np.linspace(0, 1, BINS + 1)))
    place = pd.Series(np.searchsorted(edges[1:-1], rest, side="right"), index=rest.index)
    return place.map(rest.groupby(place).mean()).reindex(numbers.index).where(~common, numbers)


def _largest(values: pd.Series) -> pd.Series:
    text = values.astype("str")
    largest = text.value_counts().sort_index(kind="stable").nlargest(CATEGORIES).index
    return text.where(text.isin(largest) | text.isna(), "other")


def _range(table: pd.DataFrame | None) -> float | None:
    """Return the largest less the smallest mean target, over groups of 30 rows and more."""
    if table is None or (sure := table["mean"][table["rows"] >= 30]).empty:
        return None
    return round(float(sure.max() - sure.min()), 6)
