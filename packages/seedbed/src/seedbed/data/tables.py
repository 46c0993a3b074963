"""A table is a folder of Parquet files: how the stages hand rows to each other."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.errors import UserError
from seedbed.files import replacing_folder


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
