"""Reads what a served model was asked, with the outcomes that have come since."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.errors import UserError, one_line
from seedbed.monitoring.notes import LogNotes
from seedbed.serving.log_files import ASKED, PLACE, REQUEST, VERSION, day_of

OUTCOMES = "outcomes.parquet"
OUTCOME = "_outcome"
"""The column of an outcome beside the keys, whatever the target is called."""
BATCH = 100_000
"""Rows that are in memory at a time, those of the last file beyond it."""


def is_log(folder: Path) -> bool:
    """Tell whether a folder is a prediction log: it holds folders named by days."""
    return folder.is_dir() and any(day_of(found) for found in folder.iterdir() if found.is_dir())


def log_files(folder: Path, first: date | None = None, last: date | None = None) -> list[Path]:
    """Return the files of a log in the order of time, of all days or of those from first to last.

    Raises UserError if there are none.
    """
    days = sorted((day, found) for found in folder.iterdir() if (day := day_of(found)))
    files = [
        file
        for day, found in days
        if (first is None or day >= first) and (last is None or day <= last)
        for file in sorted(found.glob("*.parquet"))
    ]
    if not files:
        held = f"it has {days[0][0]} to {days[-1][0]}" if days else "it is empty"
        raise UserError(
            f"{folder}: there are no requests of those days in this prediction log ({held})."
        )
    return files


def read_log(
    folder: Path,
    version: str,
    target: str,
    notes: LogNotes,
    first: date | None = None,
    last: date | None = None,
    time: str | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield the rows that one bundle answered, part by part, with outcomes as the column `target`.

    Parameters
    ----------
    version : str
        The bundle's.
    target : str
        What the column of the outcome is called; missing where none has come.
    notes : LogNotes
        Takes what is passed over, and what is odd.
    first, last : date, optional
    time : str, optional
        The column with the time of a row.
    """
    for rows in _batches(log_files(folder, first, last), notes):
        others = rows.loc[rows[VERSION] != version, VERSION].value_counts()
        for other, count in others.items():
            known = notes.other_versions.get(str(other), 0)
            notes.other_versions[str(other)] = known + int(count)
        answered = rows[rows[VERSION] == version]
        if ASKED in answered:
            notes.look_at_clocks(answered, time)
        if (folder / OUTCOMES).is_file():
            outcomes = _outcomes_of(folder / OUTCOMES, answered[REQUEST])
            # A client that sends its request again may give it the same id.
            answered = answered.merge(outcomes, how="left", on=[REQUEST, PLACE], validate="m:1")
            answered = answered.rename(columns={OUTCOME: target})
        if len(answered):
            yield answered


def _batches(files: Sequence[Path], notes: LogNotes) -> Iterator[pd.DataFrame]:
    """Yield the rows of whole files, about :data:`BATCH` at a time: many files have few rows.

    All of them have the same columns.
    """
    held: list[pd.DataFrame] = []
    for file in files:
        try:
            rows = pq.read_table(file, partitioning=None).to_pandas()
        except (pa.ArrowException, OSError) as error:
            notes.unreadable.append(f"{file} ({one_line(error)})")
            continue
        if held and (sum(map(len, held)) >= BATCH or set(held[0]) != set(rows)):
            yield pd.concat(held, ignore_index=True)
            held = []
        held.append(rows)
    if held:
        yield pd.concat(held, ignore_index=True)


def _outcomes_of(file: Path, requests: pd.Series) -> pd.DataFrame:
    """Return the outcomes of some requests; the others never are in memory all at once."""
    import pyarrow.dataset as ds

    outcomes = ds.dataset(file)
    wanted = pa.array(requests.unique(), outcomes.schema.field(REQUEST).type)
    return outcomes.to_table(filter=ds.field(REQUEST).isin(wanted)).to_pandas()
