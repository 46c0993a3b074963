"""The sides of the split in data/features, and the slices and clusters that rows are in."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.data.tables import CLUSTER, SLICE, SPLIT
from seedbed.errors import UserError


def split_rows(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the rows of one side of the split.

    Raises
    ------
    UserError
        If there are none.
    """
    found = rows[rows[SPLIT] == name].reset_index(drop=True)
    if found.empty:
        raise UserError(
            f"data/features: none of the {len(rows)} rows is a {name} row. Use more rows (dataset.sample, "
            f"dataset.window), or a larger share for it in conf/split."
        )
    return found


def slices_of(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the slice columns by the name of the slice."""
    return {
        str(name).removeprefix(SLICE): rows[name]
        for name in rows.columns
        if str(name).startswith(SLICE)
    }


def clusters_of(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return the cluster of each row as a number from 0, shape (n_rows,): rows of one are resampled together."""
    return np.unique(rows[CLUSTER].to_numpy(), return_inverse=True)[1]
