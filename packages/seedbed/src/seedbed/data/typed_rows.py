"""Batches of rows in the types of the configuration, and where they lie until types are known."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import ColumnLists, Dataset
from seedbed.data.integers import NumberType
from seedbed.data.roles import Columns, columns_with
from seedbed.data.tables import write_file
from seedbed.data.values import read_values
from seedbed.errors import UserError


class TypedRows:
    """Reads batches of rows into types, and finds the type of each column by all of them.

    Attributes
    ----------
    rows : int
        How many were read.
    """

    def __init__(self, dataset: Dataset, lists: ColumnLists) -> None:
        self.rows = 0
        self._dataset = dataset
        self._lists = lists
        self._columns: Columns = {}
        self._dtypes: dict[str, Any] = {}
        self._numbers: dict[str, NumberType] = {}
        self._filled: set[str] = set()

    def read(self, batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield exactly the configured columns; numbers in a type that holds those of the batch.

        Parameters
        ----------
        batches : iterable of DataFrame
            The index has the number of each row in its source, for messages.

        Raises UserError if a column is missing, or a value does not fit: see
        :func:`~seedbed.data.values.read_values`.
        """
        for batch in batches:
            if not self._columns:
                self._columns = resolve_columns(self._lists, batch.columns)
            typed = {name: self._read_column(batch[name], name) for name in self._columns}
            self.rows += len(batch)
            yield pd.DataFrame(typed, copy=False)

    def _read_column(self, values: pd.Series, name: str) -> pd.Series:
        column = self._columns[name]
        is_number = column.type == "number"
        found = read_values(
            values,
            name,
            column.type,
            self._dataset.time_zone,
            exact=column.key or column.role in ("key", "group"),
            numbered=True,
            batches=self._numbers.setdefault(name, NumberType()) if is_number else None,
        )
        if name not in self._filled and found.notna().any():
            self._filled.add(name)
        self._dtypes[name] = found.dtype
        return found

    def dtypes(self) -> dict[str, Any]:
        """Return the type of each column, once all batches were read.

        Raises UserError if a feature or the target holds nothing but missing values, or a number
        that identifies something would be rounded.
        """
        for numbers in self._numbers.values():
            if numbers.is_rounded and numbers.mistake:
                raise numbers.mistake
        for name in columns_with(self._columns, "feature", "target", "time", "group"):
            if name not in self._filled:
                raise UserError(
                    f"columns: {name} ({self._columns[name].role}) holds nothing but missing "
                    f"values in {self.rows} rows. Take it out of columns in the conf/dataset file, "
                    "or correct the source."
                )
        return self._dtypes | {name: numbers.dtype for name, numbers in self._numbers.items()}

    def schema(self) -> pa.Schema:
        """Return :meth:`dtypes` as the schema of a Parquet file."""
        empty = {name: pd.Series(dtype=dtype) for name, dtype in self.dtypes().items()}
        return pa.Schema.from_pandas(pd.DataFrame(empty), preserve_index=False)


@contextmanager
def spooled(batches: Iterable[pd.DataFrame], path: Path) -> Iterator[list[Path]]:
    """Yield Parquet files with all batches in order, in a folder beside `path` that is removed.

    Batches of one schema that follow each other share a file.
    """
    # Of a fixed name: what a run leaves that was killed, the next one removes.
    folder = path.with_name(f".{path.name}.batches.tmp")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tables = (pa.Table.from_pandas(batch, preserve_index=False) for batch in batches)
    try:
        files: list[Path] = []
        # Schemas themselves are equal where pandas' types differ.
        for schema, alike in groupby(tables, key=lambda table: table.schema.serialize()):
            files.append(folder / f"{len(files)}.parquet")
            write_file(alike, pa.ipc.read_schema(schema), files[-1])
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)
