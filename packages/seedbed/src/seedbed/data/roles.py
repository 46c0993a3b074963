"""What the roles of columns mean, and the key by which a row is known."""

import pandas as pd

from seedbed.config.schema import UNKNOWN_BEFORE, Column, Role
from seedbed.errors import UserError

Columns = dict[str, Column]


def columns_with(columns: Columns, *roles: Role) -> list[str]:
    """Return the names of the columns that have one of the roles, in their order."""
    return [name for name, column in columns.items() if column.role in roles]


def time_column(columns: Columns) -> str | None:
    """Return the column of role time, or None.

    Raises
    ------
    UserError
        If several columns have that role.
    """
    return _only(columns, "time")


def group_column(columns: Columns) -> str | None:
    """Return the column of role group, or None; several are an error."""
    return _only(columns, "group")


def key_columns(columns: Columns) -> list[str]:
    """Return the columns that make a row's key: the keys and the time; none where no column is a key."""
    keys = [name for name, column in columns.items() if column.role == "key" or column.key]
    return [*keys, *columns_with(columns, "time")] if keys else []


def row_key(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return a number for each row that stays the same wherever and whenever the row is read.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    columns : dict of str to Column
        The key is made of :func:`key_columns`, or, where there are none, of all that is known before the outcome: rows that
        look alike to a model then lie on one side of a split, and stay there when a target is corrected.

    Returns
    -------
    Series of uint64, shape (n_rows,)
    """
    parts = key_columns(columns) or [
        name for name in columns if columns[name].role not in UNKNOWN_BEFORE
    ]
    # Numbers are hashed as floats: a column that holds a missing value in one batch and none in another changes its type.
    hashed = {
        name: frame[name].astype("float64") if columns[name].type == "number" else frame[name]
        for name in parts
    }
    return pd.util.hash_pandas_object(pd.DataFrame(hashed, index=frame.index), index=False)


def _only(columns: Columns, role: Role) -> str | None:
    names = columns_with(columns, role)
    if len(names) > 1:
        raise UserError(
            f"columns: {', '.join(names)} all have the role {role}, and one column at most can. Edit the conf/dataset file."
        )
    return names[0] if names else None
