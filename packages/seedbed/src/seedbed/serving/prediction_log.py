"""What a served model was asked and answered, kept as Parquet files by day, if its owner wants it.

Answering never waits for it: rows go into a bounded queue, and a thread writes them. A file is
written beside its place and renamed, so that a kill costs the rows of the last seconds and leaves
no file that is cut off.
"""

import os
import queue
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.config.schema import Role
from seedbed.data.values import read_values
from seedbed.errors import UserError, one_line
from seedbed.serving.bundle import Bundle
from seedbed.serving.signature import InputColumn

REQUEST, PLACE, ASKED, VERSION = "request_id", "request_row", "asked_at", "model_version"
"""Columns beside inputs and answers: the request, the place of the row in it from 0, when it was
asked (UTC), and the bundle that answered."""
ANSWER = "answer_"
"""What the names of the columns with answers begin with: an input may be called `prediction`."""
MOST_ROWS = 10_000
"""Rows that one file is made of."""


@dataclass(frozen=True)
class LogSettings:
    """What is kept of requests.

    Attributes
    ----------
    folder : Path
    rate : float
        Share of the requests that are kept, above 0, at most 1.
    without : tuple of str
        Roles whose columns are left out, such as "key".
    days : int or None
        How long files are kept; None: for good.
    seconds : float
        After how long a file is written at the latest.
    waiting : int
        Requests that may wait to be written; further ones are not kept, and counted.
    """

    folder: Path
    rate: float = 1.0
    without: tuple[Role, ...] = ()
    days: int | None = None
    seconds: float = 5.0
    waiting: int = 2_000

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise UserError(
                f"The rate of the prediction log is {self.rate:g}. Choose one in (0, 1]."
            )
        if self.days is not None and self.days < 1:
            raise UserError(f"The prediction log is kept for {self.days} days. Choose at least 1.")


@dataclass(frozen=True)
class _Asked:
    bundle: Bundle
    request: str
    at: datetime
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame
    answers: Sequence[Mapping[str, Any]] | pd.DataFrame


class PredictionLog:
    """Keeps requests and their answers.

    Parameters
    ----------
    settings : LogSettings

    Attributes
    ----------
    dropped : int
        Requests that were not kept, because the queue was full or writing failed.
    problem : str or None
        Why writing failed last; None since it last succeeded.

    Raises
    ------
    UserError
        If nothing can be written to the folder.
    """

    def __init__(self, settings: LogSettings) -> None:
        self.dropped = 0
        self.problem: str | None = None
        self._settings = settings
        self._random = np.random.default_rng()
        self._waiting: queue.Queue[_Asked | None] = queue.Queue(settings.waiting)
        self._files = 0
        try:
            settings.folder.mkdir(parents=True, exist_ok=True)
            probe = settings.folder / f".{os.getpid()}.tmp"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise UserError(
                f"{settings.folder}: the prediction log cannot be written there "
                f"({one_line(error)}). Name another folder, or leave the log off."
            ) from None
        self._thread = threading.Thread(target=self._work, name="prediction log", daemon=True)
        self._thread.start()

    def add(
        self,
        bundle: Bundle,
        request: str,
        rows: Sequence[Mapping[str, Any]] | pd.DataFrame,
        answers: Sequence[Mapping[str, Any]] | pd.DataFrame,
    ) -> None:
        """Keep a request that was answered; it returns at once.

        Parameters
        ----------
        bundle : Bundle
            That answered.
        request : str
            The request's id.
        rows : sequence of mapping, or DataFrame, n_rows
            As they were sent; they fit the signature.
        answers : sequence of mapping, or DataFrame, n_rows
            As the bundle gave them.
        """
        if self._settings.rate < 1 and self._random.random() >= self._settings.rate:
            return
        try:
            self._waiting.put_nowait(_Asked(bundle, request, datetime.now(UTC), rows, answers))
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is waiting, and stop."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        going = True
        while going:
            taken, going = self._take()
            if not taken:
                continue
            self.problem = None
            for (_, day), asked in _by_version_and_day(taken).items():
                try:
                    self._write(day, table_of(asked, self._settings.without))
                    self._forget_old_days()
                except Exception as error:  # whatever happens here, answering goes on
                    self.dropped += len(asked)
                    self.problem = one_line(error)

    def _take(self) -> tuple[list[_Asked], bool]:
        """Return requests for one file, and whether there will be more."""
        taken: list[_Asked] = []
        rows, end = 0, time.monotonic() + self._settings.seconds
        while rows < MOST_ROWS and (left := end - time.monotonic()) > 0:
            try:
                asked = self._waiting.get(timeout=left)
            except queue.Empty:
                break
            if asked is None:
                return taken, False
            taken.append(asked)
            rows += len(asked.rows)
        return taken, True

    def _write(self, day: date, table: pa.Table) -> None:
        folder = self._settings.folder / day.isoformat()
        folder.mkdir(exist_ok=True)
        self._files += 1
        name = f"{time.time_ns()}-{os.getpid()}-{self._files}.parquet"
        beside = folder / f".{name}.tmp"
        try:
            pq.write_table(table, beside, compression="zstd")
            beside.replace(folder / name)
        finally:
            beside.unlink(missing_ok=True)

    def _forget_old_days(self) -> None:
        if self._settings.days is None:
            return
        first = datetime.now(UTC).date() - timedelta(days=self._settings.days - 1)
        for folder in self._settings.folder.iterdir():
            if folder.is_dir() and (day := day_of(folder)) is not None and day < first:
                shutil.rmtree(folder, ignore_errors=True)


def day_of(folder: Path) -> date | None:
    """Return the day whose requests a folder of a log holds, None if it is not such a folder."""
    try:
        return date.fromisoformat(folder.name)
    except ValueError:
        return None


def table_of(asked: Sequence[_Asked], without: Sequence[Role] = ()) -> pa.Table:
    """Return requests to one bundle as a table: a row for each that was asked."""
    bundle = asked[0].bundle
    frames = [found for found in asked if isinstance(found.rows, pd.DataFrame)]
    few = [found for found in asked if not isinstance(found.rows, pd.DataFrame)]
    parts = [_table(bundle, [found], bundle.signature.check(found.rows)) for found in frames]
    if few:
        rows = [row for found in few for row in found.rows]
        inputs = {
            column.name: _column([row[column.name] for row in rows], column, bundle)
            for column in bundle.signature.columns
        }
        parts.append(_table(bundle, few, inputs))
    columns = bundle.recipe.columns
    left_out = [
        name
        for name in [column.name for column in bundle.signature.columns]
        if columns[name].role in without
    ]
    return pa.concat_tables(parts, promote_options="permissive").drop_columns(left_out)


def _table(
    bundle: Bundle, asked: Sequence[_Asked], inputs: pd.DataFrame | Mapping[str, pa.Array]
) -> pa.Table:
    sizes = [len(found.rows) for found in asked]
    answers = pd.concat([pd.DataFrame(found.answers) for found in asked], ignore_index=True)
    about = {
        REQUEST: pa.array(np.repeat([found.request for found in asked], sizes)),
        PLACE: pa.array(np.concatenate([np.arange(size, dtype="int32") for size in sizes])),
        ASKED: pa.array(
            np.repeat([found.at.replace(tzinfo=None) for found in asked], sizes),
            pa.timestamp("us", "UTC"),
        ),
        VERSION: pa.array([bundle.version] * sum(sizes)),
    }
    columns = {name: pa.array(values) for name, values in inputs.items()}
    answered = {f"{ANSWER}{name}": pa.array(values) for name, values in answers.items()}
    return pa.table({**about, **columns, **answered})


def _column(values: list[Any], column: InputColumn, bundle: Bundle) -> pa.Array:
    """Return values that fit the signature: Arrow reads them many times faster than checks do."""
    kinds = {"number": pa.float64(), "boolean": pa.bool_()}
    if column.type == "time":
        sent = pd.Series(values, dtype=object)
        zone = bundle.signature.time_zone
        return pa.array(read_values(sent, column.name, "time", zone, sent=True))
    return pa.array(values, kinds.get(column.type, pa.string()), from_pandas=True)


def _by_version_and_day(taken: Sequence[_Asked]) -> dict[tuple[str, date], list[_Asked]]:
    found: dict[tuple[str, date], list[_Asked]] = {}
    for asked in taken:
        found.setdefault((asked.bundle.version, asked.at.date()), []).append(asked)
    return found
