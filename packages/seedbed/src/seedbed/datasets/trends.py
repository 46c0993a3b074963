"""Numbers that only grow with time: rows of later months have values that training never saw."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from seedbed.config.preparation import TimePart
from seedbed.data.feature_functions import make_time_part

TREND = 0.95
"""Rank correlation with the time from which a number says little else."""
ROWS = 20_000


def find_trends(frame: pd.DataFrame, time: str, columns: Iterable[str]) -> dict[str, float]:
    """Return the numbers whose rank correlation with the time is at least 0.95.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Of many rows, 20,000 at equal distances are looked at.
    time : str
        The column that orders the rows.
    columns : iterable of str
        Columns of numbers.
    """
    rows = frame.iloc[np.linspace(0, len(frame) - 1, min(ROWS, len(frame))).astype("int64")]
    return _trends(rows[time], {name: rows[name] for name in columns})


def parts_that_return(times: pd.Series, parts: Sequence[TimePart]) -> list[TimePart]:
    """Return the parts of the time that come again: within one year, the month does not."""
    going = _trends(times, {part: make_time_part(part, times) for part in parts})
    return [part for part in parts if part not in going]


def _trends(times: pd.Series, columns: Mapping[str, pd.Series]) -> dict[str, float]:
    moments = times.astype("int64").where(times.notna()).astype("float64")
    found = {
        name: float(values.corr(moments, method="spearman"))
        for name, values in columns.items()
        # The correlation of a constant is not defined.
        if values.nunique() > 1
    }
    return {name: value for name, value in found.items() if abs(value) >= TREND}
