"""Stage ingest: the tables of a source become one table of raw rows."""

from functools import partial
from pathlib import Path

from seedbed.config.schema import Column, Dataset, Source
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import find_unwatched, read_source
from seedbed.data.tables import write_table
from seedbed.stages.run import run


def ingest(dataset: Dataset, source: Source, columns: dict[str, Column]) -> None:
    """Write data/raw."""
    rows = assemble_rows(partial(read_source, source, dataset), dataset, columns)
    write_table(rows, Path("data/raw"))
    print(f"{len(rows):,} rows, {len(rows.columns)} columns")
    if warning := find_unwatched(source):
        print(warning)


if __name__ == "__main__":
    run(ingest)
