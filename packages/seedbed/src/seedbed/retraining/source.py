"""The times of the rows that the source has now, and until when the last window with no end went.

Both are read in a checkout of the project, which must be the working directory.
"""

from pathlib import Path

import pandas as pd
import yaml

from seedbed.config.columns import ColumnTypes
from seedbed.config.schema import ColumnLists, Dataset, Source
from seedbed.data.sources import read_source
from seedbed.data.tables import read_table
from seedbed.data.window import read_times
from seedbed.errors import UserError
from seedbed.registry.content import path_hash
from seedbed.retraining.windows import end_after

RAW = "data/raw"


def read_source_times(dataset: Dataset, source: Source, lists: ColumnLists) -> pd.Series:
    """Return the time of each row of the first table; rows without one are left out.

    Returns
    -------
    Series of datetime64[us, time_zone], shape (n_rows,)

    Raises UserError if the dataset has no time column, or no row has a time.
    """
    if lists.time is None:
        raise UserError(
            "retrain moves dataset.window, which goes by time, and columns.time names no column. "
            "Name one in the conf/dataset file; with data that have no time, `dvc repro` retrains "
            "on all rows."
        )

    def needed(names: list[str]) -> list[str]:
        return [name for name in names if name == lists.time] or names

    base = read_source(source, dataset, dataset.base, ColumnTypes(lists), needed)
    times = read_times(base, lists.time, dataset).dropna()
    if times.empty:
        raise UserError(f"columns.time: no row of table {dataset.base} has a {lists.time}.")
    return times


def end_of_raw(lists: ColumnLists) -> pd.Timestamp | None:
    """Return the moment after the newest row of data/raw, if that is the one of dvc.lock."""
    recorded = yaml.safe_load(Path("dvc.lock").read_text(encoding="utf-8"))["stages"]
    outs = [out for stage in recorded.values() for out in stage.get("outs", [])]
    known = next((out["md5"] for out in outs if out["path"] == RAW and "md5" in out), None)
    if known is None or path_hash(Path(RAW)) != known:
        return None
    return end_after(read_table(Path(RAW), [str(lists.time)])[str(lists.time)].max())
