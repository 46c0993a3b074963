"""Parquet and Feather files: typed already, so read as they are."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from seedbed.data.headers import refuse_repeated
from seedbed.data.values import NULLABLE
from seedbed.errors import UserError, one_line, some_of


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, or a folder of them, partitioned (``year=2024/...``) or not.

    The values of partitions are text: 007 stays 007.

    Raises
    ------
    UserError
        If a file is damaged, or the files of a folder differ in their columns.
    """
    import pyarrow.parquet as pq

    with refusing(path, "Parquet"):
        if path.is_dir():
            return _to_pandas(_read_folder(path), path)
        refuse_repeated(pq.read_schema(path).names, str(path))
        return _to_pandas(pq.read_table(path, partitioning=None), path)


def read_feather(path: Path) -> pd.DataFrame:
    """Read a Feather file (Arrow's own format), of version 1 or 2.

    Raises
    ------
    UserError
        If it is damaged.
    """
    from pyarrow import feather

    with refusing(path, "Feather"):
        return _to_pandas(feather.read_table(path), path)


@contextmanager
def refusing(path: Path, kind: str) -> Iterator[None]:
    """Say in a sentence that a file cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path}: this is not a whole {kind} file ({one_line(error)}). Write it anew or fetch "
            "it again."
        ) from error


def _read_folder(path: Path) -> pa.Table:
    import pyarrow.dataset as ds

    files = [file for file in parquet_files_in(path) if file.stat().st_size]
    keys: list[str] = []
    for file in files:
        found = [part.partition("=")[0] for part in file.relative_to(path).parts if "=" in part]
        keys += [key for key in found if key not in keys]
    partitions = ds.partitioning(pa.schema([(key, pa.string()) for key in keys]), flavor="hive")
    dataset: Any = ds.dataset(
        [str(file) for file in files], format="parquet", partitioning=partitions
    )
    first = set(dataset.schema.names) - set(keys)
    for fragment in dataset.get_fragments():
        names = fragment.physical_schema.names
        refuse_repeated([*names, *keys], fragment.path)
        refuse_other_columns(names, first, fragment.path, files[0])
    return dataset.to_table()


def parquet_files_in(path: Path) -> list[Path]:
    """Return the Parquet files of a folder and of the folders in it, in sorted order."""
    return sorted(
        file
        for file in path.rglob("*.parquet")
        # Spark and others put files of their own beside them.
        if not any(part.startswith(("_", ".")) for part in file.relative_to(path).parts)
    )


def refuse_other_columns(names: Any, expected: Any, where: object, first: object) -> None:
    """Refuse a file that has not the columns of the first one.

    Raises
    ------
    UserError
        If a column is missing or more; it names them.
    """
    lacks, more = sorted(set(expected) - set(names)), sorted(set(names) - set(expected))
    if lacks or more:
        differs = [
            *([f"lacks {some_of(lacks, 5)}"] if lacks else []),
            *([f"has {some_of(more, 5)}"] if more else []),
        ]
        raise UserError(
            f"{where}: it {' and '.join(differs)}, other than {first}. Files that are read as one "
            "table have the same columns: correct the file, or narrow source.path."
        )


def _to_pandas(table: pa.Table, path: Path) -> pd.DataFrame:
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # {"a": {"b": 1}} becomes a column a.b, as in a JSON file
    refuse_repeated(table.column_names, str(path))
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            texts = [_as_text(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.large_string()))
    frame = table.to_pandas(types_mapper=NULLABLE.get)
    for name in frame.select_dtypes("timedelta").columns:
        frame[name] = frame[name].dt.total_seconds()
    # pandas keeps a named index as a column of the file, and makes it the index again.
    return frame.reset_index(level=[name for name in frame.index.names if name is not None])


def _as_text(value: Any) -> str | None:
    """Return a list as its JSON text, and bytes as the text that they are, or in hexadecimal."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.hex()
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
