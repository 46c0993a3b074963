"""Parquet and Feather files: typed already, so read as they are."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from seedbed.data.batches import read_ahead
from seedbed.data.csv_files import Needed
from seedbed.data.headers import refuse_repeated
from seedbed.data.values import NULLABLE
from seedbed.errors import UserError, one_line, some_of

BATCH = 2**16
"""Rows of Parquet that are read at once."""
UNNAMED = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name: it is no column."""


def read_parquet(path: Path, needed: Needed = lambda names: names) -> Iterator[pd.DataFrame]:
    """Yield the rows of a Parquet file, or a folder of them, partitioned or not.

    The values of partitions (``year=2024/...``) are text: 007 stays 007.

    Parameters
    ----------
    needed : callable, optional
        Returns which columns are read, given all of them.

    Raises UserError if a file is damaged, or the files of a folder differ in their columns.
    """
    with refusing(path, "Parquet"):
        if not path.is_dir():
            yield from read_parquet_files([str(path)], needed)
            return
        files = [file for file in parquet_files_in(path) if file.stat().st_size]
        yield from read_parquet_files(list(map(str, files)), needed, folder=str(path))


def read_parquet_files(
    files: Sequence[str], needed: Needed, folder: str | None = None, filesystem: Any = None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of Parquet files as one table, only the columns that are needed.

    Batches have at most :data:`BATCH` rows, and are not empty.

    Parameters
    ----------
    files : sequence of str
    folder : str, optional
        What they lie below, where the folders between (``year=2024``) are columns.
    filesystem : pyarrow.fs.FileSystem, optional
        Where files lie elsewhere.

    Raises UserError if a column is there twice, or files differ in their columns.
    """
    import pyarrow.dataset as ds
    from pyarrow import fs

    keys = dict.fromkeys(
        part.partition("=")[0]
        for file in files
        for part in (file.removeprefix(folder).split("/")[:-1] if folder else ())
        if "=" in part
    )
    key_schema = pa.schema([(key, pa.string()) for key in keys])
    parse = ds.partitioning(key_schema, flavor="hive").parse
    fragments = [
        ds.ParquetFileFormat().make_fragment(
            file, filesystem or fs.LocalFileSystem(), parse(file) if keys else None
        )
        for file in files
    ]
    schemas = [
        pa.schema([field for field in found.physical_schema if not UNNAMED.fullmatch(field.name)])
        for found in fragments
    ]
    for file, found in zip(files, schemas, strict=True):
        refuse_repeated([*found.names, *keys], file)
        refuse_other_columns(found.names, schemas[0].names, file, files[0])
    schema = pa.schema([*_common_schema(schemas, files), *key_schema])
    where = folder or files[0]
    # {"a": {"b": 1}} becomes a column a.b, as in a JSON file.
    flat = {
        field.name: flattened(pa.schema([field]).empty_table()).column_names for field in schema
    }
    kept = set(needed([name for inner in flat.values() for name in inner]))
    columns = {name: ds.field(name) for name, inner in flat.items() if kept.intersection(inner)}

    def scan() -> Iterator[pa.RecordBatch]:
        # Scanned as a whole, a file's bytes would stay in memory until its end.
        for fragment, own in zip(fragments, schemas, strict=True):
            types = _types_of(own, schema)
            for group in fragment.split_by_row_group():
                yield from group.to_batches(
                    schema=types, columns=columns, batch_size=BATCH, batch_readahead=1
                )

    with read_ahead(scan) if filesystem else nullcontext(scan()) as batches:
        for batch in batches:
            if batch.num_rows:
                frame = arrow_to_pandas(pa.Table.from_batches([batch]), where)
                yield frame.loc[:, frame.columns.isin(kept)]


def _common_schema(schemas: Sequence[pa.Schema], files: Sequence[str]) -> pa.Schema:
    """Return the columns, each in a type into which those of all files fit.

    Raises UserError if a column has types that have none in common.
    """
    common = pa.schema([])
    for file, schema in zip(files, schemas, strict=True):
        try:
            common = pa.unify_schemas([common, _plain(schema)], promote_options="permissive")
        except pa.ArrowTypeError as error:
            raise UserError(
                f"{file}: a column has another type than in the files before it "
                f"({one_line(error)}). Files that are read as one table have columns of the same "
                "types: write it anew, or narrow source.path."
            ) from None
    return common


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return categories as what they are of: in another file, they may be plain text."""
    return pa.schema(
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in schema
    )


def _types_of(own: pa.Schema, common: pa.Schema) -> pa.Schema:
    """Return the columns as one file has them, but objects with the fields of all files.

    No value is changed by what another file holds.
    """
    kept = {field.name: field for field in own}
    fields = (
        field if pa.types.is_nested(field.type) else kept.get(field.name, field) for field in common
    )
    return pa.schema(fields)


def read_feather(path: Path) -> Iterator[pd.DataFrame]:
    """Yield the rows of a Feather file (Arrow's own format), of version 1 or 2.

    Raises UserError if it is damaged.
    """
    from pyarrow import feather

    with refusing(path, "Feather"):
        with path.open("rb") as file:
            is_first_version = file.read(4) == b"FEA1"
        if is_first_version:
            yield arrow_to_pandas(feather.read_table(path), path)
            return
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            for place in range(reader.num_record_batches):
                table = pa.Table.from_batches([reader.get_batch(place)])
                if table.num_rows:
                    yield arrow_to_pandas(table, path)


@contextmanager
def refusing(path: object, kind: str) -> Iterator[None]:
    """Say in a sentence that a file cannot be read."""
    try:
        yield
    except (ConnectionError, TimeoutError, PermissionError):
        raise  # of a store, where nothing is said of the file
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path}: this is not a whole {kind} file ({one_line(error)}). Write it anew or fetch "
            "it again."
        ) from error


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

    Raises UserError if a column is missing or more; it names them.
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


def flattened(table: pa.Table) -> pa.Table:
    """Return structs as columns with dots."""
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def arrow_to_pandas(table: pa.Table, where: object) -> pd.DataFrame:
    """Return a table in pandas' types: structs as columns with dots, lists as their JSON text.

    Raises UserError if two columns have one name then; it names `where`.
    """
    # What pandas has written of its types is of one file; its index, if named, is a column.
    table = flattened(table.replace_schema_metadata())
    refuse_repeated(table.column_names, str(where))
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            texts = [_as_text(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(texts, pa.large_string()))
    frame = table.to_pandas(types_mapper=NULLABLE.get)
    for name in frame.select_dtypes("timedelta").columns:
        frame[name] = frame[name].dt.total_seconds()
    return frame.loc[:, [not UNNAMED.fullmatch(name) for name in frame.columns]]


def _as_text(value: Any) -> str | None:
    """Return a list as its JSON text, and bytes as the text that they are, or in hexadecimal."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.hex()
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)
