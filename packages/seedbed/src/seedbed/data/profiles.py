"""What rows looked like, as counts in bins: enough to see drift, and no row can be read from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.data.roles import Columns

Counts = NDArray[np.int64]
MOST_CUTS = 50
"""Of a number: bins of about equally many rows, so that a distance between two profiles is close to
the one between their rows."""
MOST_VALUES = 200
"""Of a category; the others are counted together."""
ALL_YEAR = "all"
"""The period of rows without a time."""


@dataclass(frozen=True)
class Bins:
    """The bins of one column, made of reference rows."""

    kind: Literal["number", "category"]  # a boolean is a category
    # of a number: ascending; a bin goes from one cut, which is not in it, to the next, which is.
    # The first bin holds what lies below all reference values, the last what lies above.
    cuts: tuple[float, ...] = ()
    # of a category: the most frequent values, sorted. Others are counted as one more.
    values: tuple[str, ...] = ()
    complete: bool = True  # whether `values` are all that there were

    @classmethod
    def of(cls, values: pd.Series) -> Self:
        """Return bins for a column, shape (n_rows,)."""
        known = values.dropna()
        if _is_number(values):
            numbers = known.to_numpy(dtype=np.float64)
            if not len(numbers):
                return cls("number")
            shares = np.linspace(0, 1, MOST_CUTS + 1)[1:-1]
            cuts = np.unique(np.quantile(numbers, shares, method="inverted_cdf"))
            below = np.nextafter(numbers.min(), -np.inf)
            return cls("number", tuple(np.unique([below, *cuts, numbers.max()]).tolist()))
        counts = known.astype("str").value_counts()
        frequent = sorted(counts.index, key=lambda text: (-counts[text], text))[:MOST_VALUES]
        return cls("category", values=tuple(sorted(frequent)), complete=len(counts) <= MOST_VALUES)

    def count(self, values: pd.Series) -> Counts:
        """Return how many values are in each bin; the last one holds the missing ones.

        Returns
        -------
        ndarray of int, shape (n_bins + 1,)
            n_bins is one more than there are cuts or values.
        """
        missing = values.isna().to_numpy()
        if self.kind == "number":
            numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)[~missing]
            places = np.searchsorted(np.array(self.cuts), numbers, side="left")
            size = len(self.cuts) + 1
        else:
            places = pd.Index(self.values, dtype="str").get_indexer(values[~missing].astype("str"))
            size = len(self.values) + 1
            places = np.where(places < 0, size - 1, places)
        return np.append(np.bincount(places, minlength=size), missing.sum())


@dataclass(frozen=True)
class Profile:
    """How often the values of each column were in each of its bins, by month of the year."""

    bins: Mapping[str, Bins]  # by column
    # by column and period: "01" to "12", or "all" where rows have no time
    counts: Mapping[str, Mapping[str, list[int]]]
    rows: Mapping[str, int]  # by period

    @classmethod
    def of(
        cls,
        frame: pd.DataFrame,
        times: pd.Series | None = None,
        bins: Mapping[str, Bins] | None = None,
    ) -> Self:
        """Return the profile of cleaned rows.

        Parameters
        ----------
        frame : DataFrame, shape (n_rows, n_columns)
            Numbers, booleans and text.
        times : Series, shape (n_rows,), optional
            When each row happened; rows without one belong to no month, and are left out.
        bins : mapping of str to Bins, optional
            Those of the profile that this one is to be compared with, of the columns that the frame
            has; by default made of the rows.
        """
        if bins is None:
            bins = {str(name): Bins.of(frame[name]) for name in frame.columns}
        bins = {name: found for name, found in bins.items() if name in frame}
        if times is None:
            periods = pd.Series(ALL_YEAR, index=frame.index)
        else:
            periods = times.dt.strftime("%m")
        groups = {str(period): rows for period, rows in frame.groupby(periods, sort=True)}
        return cls(
            bins,
            {
                name: {
                    period: bins[name].count(rows[name]).tolist() for period, rows in groups.items()
                }
                for name in bins
            },
            {period: len(rows) for period, rows in groups.items()},
        )

    def total(self, name: str, periods: Mapping[str, float] | None = None) -> Counts:
        """Return a column's counts over all periods, or over some.

        Parameters
        ----------
        periods : mapping of str to float, optional
            The weight of each period. The counts are of as many rows as make their shares as
            certain as those of the mixture: Kish's effective sample size.

        Returns
        -------
        ndarray of int, shape (n_bins + 1,)
            The last one is of missing values.
        """
        if periods is None:
            return np.sum(list(self.counts[name].values()), axis=0)
        counts = np.array([self.counts[name][period] for period in periods], dtype=np.float64)
        rows, weights = counts.sum(axis=1), np.array(list(periods.values()))
        shares = weights / weights.sum()
        effective = 1 / np.sum(shares**2 / rows)
        return np.rint(effective * (shares / rows) @ counts).astype(np.int64)

    def __add__(self, other: "Profile") -> "Profile":
        """Return the profile of the rows of both, of the columns and bins that they share."""
        counts = {
            name: {
                period: np.sum(
                    [found[period] for found in (mine, other.counts[name]) if period in found],
                    axis=0,
                ).tolist()
                for period in sorted({*mine, *other.counts[name]})
            }
            for name, mine in self.counts.items()
            if name in other.counts
        }
        rows = {
            period: self.rows.get(period, 0) + other.rows.get(period, 0)
            for period in sorted({*self.rows, *other.rows})
        }
        return Profile({name: self.bins[name] for name in counts}, counts, rows)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return what :meth:`to_dict` gave."""
        bins = {
            name: Bins(**{**about, "cuts": tuple(about["cuts"]), "values": tuple(about["values"])})
            for name, about in values["bins"].items()
        }
        return cls(bins, values["counts"], values["rows"])


def profiled_columns(columns: Columns, names: list[str]) -> list[str]:
    """Return those of the columns `names` that have a profile: numbers, booleans and categories."""
    return [name for name in names if columns[name].type in ("number", "boolean", "category")]


def _is_number(values: pd.Series) -> bool:
    dtype = values.dtype
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)
