"""What the roles of columns mean, and the key by which a row is known."""

import pandas as pd

from seedbed.config.schema import UNKNOWN_BEFORE, Column, Role

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
    hashed = {
        name: frame[name].astype("float64") if columns[name].type == "number" else frame[name]
        for name in parts
    }
    return pd.util.hash_pandas_object(pd.DataFrame(hashed, index=frame.index), index=False)
