"""The files of a prediction log: by day, each whole; their columns, and which of them are kept."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

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


@dataclass(frozen=True)
class LogSettings:
    """What is kept of requests.

    Attributes
    ----------
    folder : Path
    rate : float
        Share of the requests (of `seedbed score`: of the rows) that are kept, above 0, at most 1.
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
class Asked:
    """Rows that were asked together, and their answers.

    Attributes
    ----------
    bundle : Bundle
        That answered.
    request : str
        The request's id.
    at : datetime
        When, in UTC.
    rows : sequence of mapping, or DataFrame, n_rows
        As they were sent; they fit the signature.
    answers : sequence of mapping, or DataFrame, n_rows
        As the bundle gave them.
    places : ndarray of int, shape (n_rows,), or None
        The place of each row in the request, counted from 0; None: all of them in their order.
    """

    bundle: Bundle
    request: str
    at: datetime
    rows: Sequence[Mapping[str, Any]] | pd.DataFrame
    answers: Sequence[Mapping[str, Any]] | pd.DataFrame
    places: NDArray[np.int64] | None = None


def log_settings(
    folder: Path | None, rate: float, days: int | None, without: str
) -> LogSettings | None:
    """Return what the options of a command say; None if no log is asked for.

    Parameters
    ----------
    folder, rate, days
        See :class:`LogSettings`.
    without : str
        Roles between commas.

    Raises
    ------
    UserError
        If one is no role, or another option is wrong.
    """
    if folder is None:
        return None
    roles = tuple(name.strip() for name in without.split(",") if name.strip())
    if unknown := [name for name in roles if name not in get_args(Role)]:
        known = ", ".join(get_args(Role))
        raise UserError(f"--log-without: {unknown[0]} is no role. Choose among {known}.")
    return LogSettings(folder, rate, cast("tuple[Role, ...]", roles), days)


def make_folder(folder: Path) -> None:
    """Make the folder of a log.

    Raises
    ------
    UserError
        If nothing can be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.tmp"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(
            f"{folder}: the prediction log cannot be written there ({one_line(error)}). Name "
            "another folder, or leave the log off."
        ) from None


def write_file(folder: Path, day: date, name: str, table: pa.Table) -> None:
    """Write a file of a day, whole or not at all."""
    place = folder / day.isoformat()
    place.mkdir(exist_ok=True)
    beside = place / f".{name}.tmp"
    try:
        pq.write_table(table, beside, compression="zstd")
        beside.replace(place / name)
    finally:
        beside.unlink(missing_ok=True)


def forget_old_days(settings: LogSettings) -> None:
    """Remove the days that are to be kept no longer."""
    if settings.days is None:
        return
    first = datetime.now(UTC).date() - timedelta(days=settings.days - 1)
    for folder in settings.folder.iterdir():
        if folder.is_dir() and (day := day_of(folder)) is not None and day < first:
            shutil.rmtree(folder, ignore_errors=True)


def day_of(folder: Path) -> date | None:
    """Return the day whose requests a folder of a log holds, None if it is not such a folder."""
    try:
        return date.fromisoformat(folder.name)
    except ValueError:
        return None


def table_of(asked: Sequence[Asked], without: Sequence[Role] = ()) -> pa.Table:
    """Return requests to one bundle as a table: a row for each that was asked."""
    bundle = asked[0].bundle
    frames = [found for found in asked if isinstance(found.answers, pd.DataFrame)]
    few = [found for found in asked if not isinstance(found.answers, pd.DataFrame)]
    parts = [_table(bundle, [found], bundle.signature.check(found.rows)) for found in frames]
    if few:
        rows = [row for found in few for row in found.rows]
        parts.append(_table(bundle, few, arrow_inputs(bundle, rows)))
    columns = bundle.recipe.columns
    left_out = [
        name
        for name in [column.name for column in bundle.signature.columns]
        if columns[name].role in without
    ]
    return pa.concat_tables(parts, promote_options="permissive").drop_columns(left_out)


def _table(
    bundle: Bundle, asked: Sequence[Asked], inputs: pd.DataFrame | Mapping[str, pa.Array]
) -> pa.Table:
    places: list[int] | NDArray[np.int64] | None = asked[0].places
    if places is None:
        places = [place for found in asked for place in range(len(found.rows))]
    answers: Any = asked[0].answers
    if not isinstance(answers, pd.DataFrame):
        flat = [answer for found in asked for answer in found.answers]
        answers = {name: [answer[name] for answer in flat] for name in flat[0]}
    about = {
        REQUEST: pa.array([found.request for found in asked for _ in range(len(found.rows))]),
        PLACE: pa.array(places, pa.int64()),
        ASKED: pa.array(
            [found.at for found in asked for _ in range(len(found.rows))],
            pa.timestamp("us", "UTC"),
        ),
        VERSION: pa.array([bundle.version] * len(places)),
    }
    columns = {name: pa.array(values) for name, values in inputs.items()}
    answered = {f"{ANSWER}{name}": pa.array(values) for name, values in answers.items()}
    return pa.table({**about, **columns, **answered})


def arrow_inputs(bundle: Bundle, rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Return the inputs of rows that fit the signature, each column in its type."""
    columns = bundle.signature.columns
    # One more, so that each row gives a tuple also where there is one column.
    values = itemgetter(columns[0].name, *(column.name for column in columns))
    _, *by_column = zip(*map(values, rows), strict=True)
    return {
        column.name: _column(found, column, bundle)
        for column, found in zip(columns, by_column, strict=True)
    }


def _column(values: Sequence[Any], column: InputColumn, bundle: Bundle) -> pa.Array:
    """Return values that fit the signature: Arrow reads them many times faster than checks do."""
    kinds = {"number": pa.float64(), "boolean": pa.bool_()}
    if column.type == "time":
        sent = pd.Series(values, dtype=object)
        zone = bundle.signature.time_zone
        return pa.array(read_values(sent, column.name, "time", zone, sent=True))
    return pa.array(values, kinds.get(column.type, pa.string()), from_pandas=True)
