"""A table is a folder of Parquet files: how the stages hand rows to each other."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.errors import UserError
from seedbed.files import replacing_folder

# Columns of data/features beside the features, whose names do not begin with an underscore.
ROW = "_row"
"""The key of a row, by which it is found again."""
SPLIT = "_split"
"""train, validation or test."""
FOLD = "_fold"
"""The fold of a train row; -1 for others."""
CLUSTER = "_cluster"
"""Rows of one cluster are alike, so they are resampled together."""
TARGET = "_target"
"""bool, str or float64, by task."""
TIME = "_time"
"""When the row happened, where there is a time column."""
KINDS = "kinds"
"""Where data/features says of itself (`attrs`) which features are free text or images."""
SLICE = "_slice_"
"""What the name of a slice's column begins with; its values are str."""


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write rows as the Parquet folder `path`, whole or not at all; equal rows give equal bytes.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        The index is not written.
    path : Path
        Folder to create or replace.
    """
    table = pa.Table.from_pandas(frame, preserve_index=False)
    with replacing_folder(path) as folder:
        pq.write_table(table, folder / "part-00000.parquet", compression="zstd")


def column_names(path: Path) -> list[str]:
    """Return the names of a table's columns, without reading rows."""
    return pq.ParquetDataset(path).schema.names


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read the rows of a Parquet folder that :func:`write_table` wrote.

    Raises
    ------
    UserError
        If the folder does not exist.
    """
    if not path.is_dir():
        raise UserError(
            f"{path}: there is no such table. Run `dvc repro` or `dvc pull` to make it."
        )
    return pq.read_table(path, columns=columns).to_pandas()
