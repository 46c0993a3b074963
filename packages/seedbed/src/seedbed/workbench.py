"""The data of any stage, for a notebook or a console, wherever it was started."""

import pandas as pd

from seedbed.config.repository import find_root
from seedbed.data.tables import column_names, read_table
from seedbed.errors import UserError

TABLES = {
    "raw": "ingest",
    "clean": "clean",
    "features": "featurize",
    "predictions": "evaluate",
}
"""The tables of the stage graph, each with the stage that writes it."""


def load(name: str, columns: list[str] | None = None) -> pd.DataFrame:
    """Return the data of a stage as they are now in the work tree.

    Parameters
    ----------
    name : {"raw", "clean", "features", "predictions"}
        Which table.
    columns : list of str, optional
        Only these.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)

    Raises
    ------
    UserError
        If there is no such table or column, it is not made yet, or the working directory is in no
        seedbed repository.

    Examples
    --------
    >>> import seedbed
    >>> seedbed.load("clean", columns=["origin", "arr_delay"])  # doctest: +SKIP
    """
    if name not in TABLES:
        raise UserError(f"there is no table {name!r}. Choose one of {', '.join(TABLES)}.")
    path = find_root() / "data" / name
    if not path.is_dir():
        raise UserError(
            f"data/{name} is not there yet. Run `dvc repro {TABLES[name]}` to make it, or `dvc "
            "pull` to fetch it."
        )
    known = column_names(path)
    if absent := [column for column in columns or [] if column not in known]:
        raise UserError(
            f"data/{name} has no column {', '.join(absent)}. It has {', '.join(known)}."
        )
    return read_table(path, columns)
