"""What the roles of columns mean, and the key by which a row is known."""

import pandas as pd

from seedbed.config.schema import UNKNOWN_BEFORE, Column, Role
from seedbed.data.integers import EXACT

Columns = dict[str, Column]
"""The columns of a table that are used, in its order: what `resolve_columns` returns."""


def columns_with(columns: Columns, *roles: Role) -> list[str]:
    """Return the names of the columns that have one of the roles, in their order."""
    return [name for name, column in columns.items() if column.role in roles]


def target_column(columns: Columns) -> str:
    """Return the column of role target."""
    return columns_with(columns, "target")[0]


def time_column(columns: Columns) -> str | None:
    """Return the column of role time, or None."""
    return next(iter(columns_with(columns, "time")), None)


def group_column(columns: Columns) -> str | None:
    """Return the column of role group, or None."""
    return next(iter(columns_with(columns, "group")), None)


def key_columns(columns: Columns) -> list[str]:
    """Return the columns that make a row's key: the keys and the time, or none without a key."""
    keys = [
        name
        for name, column in columns.items()
        if column.role == "key" or (column.key and column.role != "time")
    ]
    return [*keys, *columns_with(columns, "time")] if keys else []


def row_key(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return a number for each row that stays the same wherever and whenever the row is read.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : dict of str to Column
        The key is made of :func:`key_columns`, or, where there are none, of all that is known
        before the outcome: rows that look alike to a model then lie on one side of a split, and
        stay there when a target is corrected.

    Returns
    -------
    Series of uint64, shape (n_rows,)
    """
    parts = key_columns(columns) or [
        name for name in columns if columns[name].role not in UNKNOWN_BEFORE
    ]
    # Numbers are hashed as floats: a column with a missing value in one batch changes its type.
    numbers = [name for name in parts if columns[name].type == "number"]
    hashed = {
        name: frame[name].astype("float64") if name in numbers else frame[name] for name in parts
    }
    keys = pd.util.hash_pandas_object(pd.DataFrame(hashed, index=frame.index), index=False)
    for name in numbers:
        keys = _add_last_digits(keys, frame[name], hashed[name])
    return keys


def _add_last_digits(keys: pd.Series, numbers: pd.Series, floats: pd.Series) -> pd.Series:
    """Tell whole numbers apart that are one float: other keys stay what they are."""
    rounded = floats.abs() >= EXACT
    if numbers.dtype.kind not in "iu" or not rounded.any():
        return keys
    # Numbers with one float differ by 2048 at most.
    digits = numbers[rounded].astype(numbers.dtype.name.lower()).to_numpy() % 4096
    told_apart = pd.DataFrame({"key": keys[rounded].to_numpy(), "digits": digits})
    keys = keys.copy()
    keys[rounded] = pd.util.hash_pandas_object(told_apart, index=False).to_numpy()
    return keys
