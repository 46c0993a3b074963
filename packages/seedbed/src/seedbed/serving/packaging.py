"""What a bundle needs, gathered from the tables and reports of the earlier stages."""

import pandas as pd

from seedbed.config.schema import Column
from seedbed.data.roles import row_key
from seedbed.data.tables import ROW, SPLIT, TIME


def train_rows(
    clean: pd.DataFrame, sides: pd.DataFrame, columns: dict[str, Column]
) -> pd.DataFrame:
    """Return the rows of data/clean that are train rows in data/features.

    Parameters
    ----------
    clean : DataFrame, shape (n_rows, n_columns)
        data/clean.
    sides : DataFrame, shape (n_rows, 2 or more)
        `_row` and `_split` of data/features.
    columns : dict of str to Column
        Give the key by which a row is known.
    """
    train = sides.loc[sides[SPLIT] == "train", ROW]
    return clean[row_key(clean, columns).isin(train)]


def periods(sides: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Return the first and the last moment of each side of the split, to the minute; empty without a time."""
    if TIME not in sides:
        return {}
    return {
        str(side): (f"{times.min():%Y-%m-%d %H:%M}", f"{times.max():%Y-%m-%d %H:%M}")
        for side, times in sides.groupby(SPLIT)[TIME]
    }
