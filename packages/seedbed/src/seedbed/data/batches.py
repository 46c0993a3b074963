"""Batches of a table: stacked where it is needed whole, and begun anew where a read breaks off."""

import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import TypeVar, cast

import pandas as pd

from seedbed.data.integers import EXACT, typed_objects, whole_numbers
from seedbed.errors import UserError

Result = TypeVar("Result")
WAITS = (1.0, 5.0)
"""Seconds before a read that broke off begins anew."""


class BrokenOff(Exception):
    """A read has broken off, maybe after rows were handed on.

    Whoever took these throws them away, and reads all rows anew: see :func:`begun_anew`. The
    message says which read, and where it broke off.
    """


def begun_anew(work: Callable[[], Result]) -> Result:
    """Call what reads all batches of a source, up to three times where the read breaks off.

    Parameters
    ----------
    work : callable
        Leaves nothing of the rows behind when it raises an error.

    Raises UserError if it breaks off each time.
    """
    broken: BrokenOff | None = None
    for wait in WAITS:
        try:
            return work()
        except BrokenOff as error:
            broken = error
            print(f"{broken}; reading anew")
        except UserError:
            if broken is None:
                raise  # else the source may be starting again
        time.sleep(wait)
    try:
        return work()
    except BrokenOff as error:
        raise UserError(
            f"{error}, {len(WAITS) + 1} times in a row. Nothing was written: run it again."
        ) from None


@contextmanager
def read_ahead(read: Callable[[], Iterable[Result]]) -> Iterator[Iterator[Result]]:
    """Yield what iterates over `read()`, of which a thread reads up to two items ahead.

    All of `read` runs in that one thread, to its end or its closing. Only Ctrl-C does not wait for
    it: the thread may itself wait for a server that does not answer.
    """
    end = object()
    ready: SimpleQueue[tuple[object, BaseException | None]] = SimpleQueue()
    places, stopped = Semaphore(2), Event()

    def lazily() -> Generator[Result]:
        yield from read()

    def work() -> None:
        try:
            with closing(lazily()) as items:
                while places.acquire() and not stopped.is_set():
                    ready.put((next(items), None))
        except StopIteration:
            ready.put((end, None))
        except BaseException as error:
            ready.put((end, error))

    def ahead() -> Iterator[Result]:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is end:
                return
            places.release()
            yield cast("Result", item)

    thread = Thread(target=work, name="read-ahead", daemon=True)
    thread.start()
    is_interrupted = False
    try:
        yield ahead()
    except KeyboardInterrupt:
        is_interrupted = True
        raise
    finally:
        stopped.set()
        places.release()
        if not is_interrupted:
            thread.join()


def as_batches(found: pd.DataFrame | Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the batches that a reader yields, or the one table that it returns."""
    if isinstance(found, pd.DataFrame):
        yield found
    else:
        yield from found


def with_all_columns(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield batches with the columns of all of them, in the order in which they were found.

    They lie in a temporary folder until the last one is read.
    """
    names: dict[str, None] = {}
    files: list[Path] = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in batches:
            names.update(dict.fromkeys(batch.columns))
            files.append(Path(folder) / str(len(files)))
            batch.to_pickle(files[-1])
        for file in files:
            yield pd.read_pickle(file).reindex(columns=list(names))


def without_empty_end(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Yield the rows up to the last that holds a value; the columns alone where none does."""
    waiting: list[pd.DataFrame] = []
    columns, is_empty = None, True
    for batch in batches:
        columns = batch.iloc[:0] if columns is None else columns
        if len(batch) and batch.iloc[-1].isna().all():
            filled = batch.notna().any(axis=1).to_numpy().nonzero()[0]
            end = filled.max() + 1 if len(filled) else 0
        else:
            end = len(batch)
        if end:
            yield from waiting
            yield batch.iloc[:end]
            waiting, is_empty = [], False
        if end < len(batch):
            waiting.append(batch.iloc[end:])
    if is_empty and columns is not None:
        yield columns


def stack_batches(batches: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of batches that have the same columns, one after the other."""
    parts = list(batches)
    if not parts:
        return pd.DataFrame()
    if len(parts) == 1:
        return parts[0].reset_index(drop=True)
    # A batch without rows has no types.
    filled = [part for part in parts if len(part)] or parts[:1]
    names = list(filled[0].columns)
    return pd.DataFrame(
        {name: _stack([part[name] for part in filled]) for name in names}, copy=False
    )


def _stack(parts: list[pd.Series]) -> pd.Series:
    typed = [part for part in parts if part.notna().any()]
    if typed and len(typed) < len(parts):
        # A batch of nothing but missing values has no type either.
        like = typed[0].astype("boolean") if typed[0].dtype.kind == "b" else typed[0]
        empty = like.iloc[:0].reset_index(drop=True)
        parts = [part if part.notna().any() else empty.reindex(range(len(part))) for part in parts]
    whole = [part for part in parts if part.dtype.kind in "iu" and part.notna().any()]
    if len({part.dtype for part in parts if part.dtype.kind == "M"}) > 1:
        # Not all times fit into nanoseconds.
        parts = [part.dt.as_unit("us") if part.dtype.kind == "M" else part for part in parts]
    stacked = pd.concat(parts, ignore_index=True)
    if stacked.dtype == object:
        return typed_objects(stacked)
    if whole and stacked.dtype.kind == "f" and max(part.abs().max() for part in whole) >= EXACT:
        # A batch lacks a value, and the integers of another must not be rounded.
        numbers = pd.concat([part.astype(object) for part in parts], ignore_index=True)
        if (stacked.dropna() % 1 == 0).all():
            found = whole_numbers(numbers, stacked.index)
            return numbers if found is None else found
    return stacked.astype("float64") if stacked.dtype.kind == "f" else stacked
