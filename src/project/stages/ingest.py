"""Stage ingest: the tables of a source become one table of raw rows."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from seedbed.config.schema import ColumnLists, Dataset, Source
from seedbed.data.csv_files import Types
from seedbed.data.freshness import STATE, pin_offsets, source_state
from seedbed.data.ingesting import columns_to_read, write_rows
from seedbed.data.sources import find_unwatched, read_batches
from seedbed.errors import some_of
from seedbed.files import write_json
from seedbed.stages import stage

SHOWN = 20
"""How many columns that are left out are named."""


@stage
def ingest(dataset: Dataset, source: Source, columns: ColumnLists) -> None:
    """Write data/raw, and the state of a source that DVC does not watch."""
    found: dict[str, list[str]] = {}
    # Before rows are read: what changes in between counts as a change.
    state = source_state(source, dataset, columns)
    dataset = pin_offsets(source, dataset, state)

    def read(name: str, types: Types) -> Iterator[pd.DataFrame]:
        def needed(names: list[str]) -> list[str]:
            found[name] = names
            return columns_to_read(name, names, dataset, columns)

        return read_batches(source, dataset, name, types, needed)

    rows, names = write_rows(read, dataset, columns, Path("data/raw"))
    write_json(STATE, state)
    print(f"{rows:,} rows, {len(names)} columns")
    joined = [name for join in dataset.joins for name in join.added]
    used = {*names, *(key for join in dataset.joins for key in join.keys)}
    if unlisted := [name for name in (*found[dataset.base], *joined) if name not in used]:
        print(f"left out, since columns does not list them: {some_of(unlisted, SHOWN)}")
    if warning := find_unwatched(source):
        print(warning)
