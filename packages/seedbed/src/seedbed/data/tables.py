"""A table is a folder of Parquet files: how the stages hand rows to each other."""

from collections.abc import Iterable, Iterator, Sequence
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
TEXT_KINDS = "kinds"
"""Where data/features says of itself (`attrs`) which features are free text or images."""
SLICE = "_slice_"
"""What the name of a slice's column begins with; its values are str."""

PART = "part-00000.parquet"
"""The file of a table that is written here."""
ROW_GROUP = 2**16
"""Rows that stand together in a file, so that they are read and written in bounded memory."""


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write rows as the Parquet folder `path`, whole or not at all; equal rows give equal bytes.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        The index is not written.
    path : Path
        Folder to create or replace.
    """
    with replacing_folder(path) as folder:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        write_file([table], table.schema, folder / PART)


def write_files(files: Sequence[Path], schema: pa.Schema, path: Path) -> None:
    """Write the rows of files as :func:`write_table` does; the bytes are equal.

    Parameters
    ----------
    files : sequence of Path
        That :func:`write_file` wrote. One that has the schema is moved.
    schema : pyarrow.Schema
        With pandas' description of the columns; the rows are cast to it.
    path : Path
        Folder to create or replace.
    """
    with replacing_folder(path) as folder:
        if len(files) == 1 and pq.read_schema(files[0]).equals(schema, check_metadata=True):
            files[0].replace(folder / PART)
            return
        cast = (
            pa.Table.from_batches([batch]).cast(schema, safe=False)
            for file in files
            for batch in pq.ParquetFile(file).iter_batches(ROW_GROUP)
        )
        write_file(cast, schema, folder / PART)


def write_file(tables: Iterable[pa.Table], schema: pa.Schema, path: Path) -> None:
    """Write tables of one schema as one Parquet file; the bytes are equal, however rows are cut."""
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in _row_groups(tables):
            writer.write_table(group, row_group_size=ROW_GROUP)


def _row_groups(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same rows, :data:`ROW_GROUP` at a time and each column in one piece."""
    waiting: list[pa.Table] = []
    rows = 0
    for batch in batches:
        start = 0
        while rows + batch.num_rows - start >= ROW_GROUP:
            waiting.append(batch.slice(start, ROW_GROUP - rows))
            yield pa.concat_tables(waiting).combine_chunks()
            start += ROW_GROUP - rows
            waiting, rows = [], 0
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            rows += batch.num_rows - start
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


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
