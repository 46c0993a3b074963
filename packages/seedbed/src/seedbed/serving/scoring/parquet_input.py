"""Parquet files in batches; a folder may be partitioned (``year=2024/...``)."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.config.source_options import Options
from seedbed.data.headers import refuse_repeated
from seedbed.data.parquet_files import flattened, refuse_other_columns, refusing
from seedbed.data.texts import is_text
from seedbed.serving.scoring.batches import Batch, Done, numbered, of_equal_size
from seedbed.serving.scoring.inputs import Wanted, identity_of, wording_of


class ParquetInput:
    """Files of the same columns, one after the other: see :class:`inputs.Input`."""

    rows: int | None

    def __init__(self, name: str, paths: Sequence[Path], options: Options) -> None:
        self.name, self._paths = name, paths
        self._names = {path: self._read_names(path) for path in paths}
        first = paths[0]
        for path, names in self._names.items():
            refuse_other_columns(names, self._names[first], path, first)
        self.columns = tuple(self._names[first])
        self.rows = sum(pq.read_metadata(path).num_rows for path in paths)
        self.identity = identity_of(paths, options)
        self.wording = wording_of(options)

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done."""
        before, skip = 0, done.rows
        tables = []
        for path in self._paths:
            rows = pq.read_metadata(path).num_rows
            if before + rows > done.rows:
                tables.append(path)
            else:
                skip -= rows
            before += rows
        read = (table for path in tables for table in self._tables(path, wanted))
        yield from numbered(of_equal_size(read, wanted.size, skip), done.rows + 1)

    def _tables(self, path: Path, wanted: Wanted) -> Iterator[pa.Table]:
        partitions = _partitions(path)
        stored = [name for name in wanted.columns if name not in partitions]
        with refusing(path, "Parquet"), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            texts = [
                name for name in stored if name in schema.names and is_text(schema.field(name).type)
            ]
        with (
            refusing(path, "Parquet"),
            pq.ParquetFile(path, read_dictionary=texts, pre_buffer=False) as file,
        ):
            for batch in file.iter_batches(wanted.size, columns=stored, use_threads=False):
                table = pa.Table.from_batches([batch])
                table = flattened(table)
                for name, value in partitions.items():
                    table = table.append_column(name, pa.repeat(value, len(table)))
                yield table.select(list(wanted.columns))

    def _read_names(self, path: Path) -> list[str]:
        with refusing(path, "Parquet"):
            schema = pq.read_schema(path)
        names = [*flattened(schema.empty_table()).column_names, *_partitions(path)]
        refuse_repeated(names, str(path))
        return names


def _partitions(path: Path) -> dict[str, str]:
    parts = [part.partition("=") for part in path.parts[:-1] if "=" in part]
    return {key: value for key, _, value in parts}
