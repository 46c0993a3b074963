"""Kinds of derived features that seedbed lacks: each a function of columns of the same row."""

import pandas as pd

from seedbed.data.features import feature


@feature(columns=1, types=("number",), elementwise=True)
def clock_minutes(clock: pd.Series) -> pd.Series:
    """Return minutes after midnight of a clock reading written as HHMM: 1730 is 1050."""
    return (clock // 100 * 60 + clock % 100).astype("float64")
