"""The rows of the window, and a sample of them that is spread in time."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from seedbed.config.schema import Dataset
from seedbed.data.values import read_values
from seedbed.errors import UserError, did_you_mean


def cut_to_window(
    batches: Iterable[pd.DataFrame], dataset: Dataset, name: str | None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of the window, by the time column `name`."""
    window = dataset.window
    if window.start is None and window.end is None:
        yield from batches
        return
    if name is None:
        raise UserError(
            "dataset.window is set, and columns.time names no column. Name one in the conf/dataset "
            "file, or leave the window open."
        )
    start, end = (
        None if text is None else moment(text, dataset.time_zone)
        for text in (window.start, window.end)
    )
    found = False
    extremes: list[pd.Timestamp] = []
    for batch in batches:
        times = read_times(batch, name, dataset)
        inside = pd.Series(True, index=batch.index)
        if start is not None:
            inside &= times >= start
        if end is not None:
            inside &= times < end
        if inside.any():
            found = True
            yield batch[inside]
        elif not found:
            extremes += [times.min(), times.max()]
    if not found:
        times = pd.Series(extremes)
        raise UserError(
            f"dataset.window: no row lies in [{window.start}, {window.end}); the data run from "
            f"{times.min()} to {times.max()}. Change the window with -S or in the conf/dataset "
            "file."
        )


def read_times(base: pd.DataFrame, name: str, dataset: Dataset) -> pd.Series:
    """Return the time column `name` of the first table, which the window goes by.

    Returns
    -------
    Series of datetime64[us, time_zone], shape (n_rows,)

    Raises UserError if there is no such column, or a value is no time.
    """
    if name not in base.columns:
        raise UserError(
            f"columns.time: {name} is not a column of table {dataset.base}"
            f"{did_you_mean(name, base.columns)}, so dataset.window cannot be applied. Correct it "
            "in the conf/dataset file."
        )
    return read_values(base[name], name, "time", dataset.time_zone, numbered=True)


def moment(text: str, zone: str, key: str = "dataset.window") -> pd.Timestamp:
    """Return a bound of the window as a moment; without an offset it is one of the time zone.

    `key` is where it stands, for messages.

    Raises UserError if clocks are set back or forward there, and show that time twice or never.
    """
    found = pd.Timestamp(text)
    try:
        return found.tz_localize(zone) if found.tzinfo is None else found
    except ValueError:
        raise UserError(
            f"{key}: in {zone}, clocks show {text} twice or never. Write it with an "
            f"offset, as in {found.isoformat()}+00:00, and the other end of the window too."
        ) from None


def draw_sample(
    batches: Iterable[pd.DataFrame], dataset: Dataset, name: str | None
) -> Iterator[pd.DataFrame]:
    """Yield `dataset.sample` rows, evenly spread in time, or all of them."""
    if dataset.sample is None:
        yield from batches
        return
    times: list[np.ndarray] = []
    counts: list[int] = []
    with tempfile.TemporaryFile() as spool:
        for batch in batches:
            pickle.dump(batch, spool, protocol=5)
            is_timed = name is not None and name in batch.columns
            moments = read_times(batch, str(name), dataset) if is_timed else pd.Series(batch.index)
            times.append(moments.to_numpy("datetime64[us]" if is_timed else None))
            counts.append(len(batch))
        order = np.argsort(np.concatenate(times), kind="stable")
        times.clear()
        wanted = min(dataset.sample, len(order))
        taken = np.sort(order[np.linspace(0, len(order) - 1, wanted).astype("int64")])
        del order
        spool.seek(0)
        before = 0
        for count in counts:
            batch = pickle.load(spool)
            first, end = np.searchsorted(taken, [before, before + count])
            if end > first:
                yield batch.iloc[taken[first:end] - before]
            before += count
