"""Stage ingest: the tables of a source become one table of raw rows."""

from pathlib import Path

import pandas as pd

from seedbed.config.schema import ColumnLists, Dataset, Source
from seedbed.data.csv_files import Types
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import find_unwatched, read_source
from seedbed.data.tables import write_table
from seedbed.errors import some_of
from seedbed.stages import stage

SHOWN = 20
"""How many columns that are left out are named."""


@stage
def ingest(dataset: Dataset, source: Source, columns: ColumnLists) -> None:
    """Write data/raw."""
    found: dict[str, list[str]] = {}

    def read(name: str, types: Types) -> pd.DataFrame:
        table = read_source(source, dataset, name, types)
        found[name] = [str(column) for column in table.columns]
        return table

    rows = assemble_rows(read, dataset, columns)
    write_table(rows, Path("data/raw"))
    print(f"{len(rows):,} rows, {len(rows.columns)} columns")
    joined = [name for join in dataset.joins for name in join.added]
    used = {*rows.columns, *(key for join in dataset.joins for key in join.keys)}
    if unlisted := [name for name in (*found[dataset.base], *joined) if name not in used]:
        print(f"left out, since columns does not list them: {some_of(unlisted, SHOWN)}")
    if warning := find_unwatched(source):
        print(warning)
