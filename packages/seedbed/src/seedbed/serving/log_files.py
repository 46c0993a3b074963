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
from seedbed.serving.scoring.predicting import answer_schema
from seedbed.serving.signature import InputColumn

REQUEST, PLACE, ASKED, VERSION = "request_id", "request_row", "asked_at", "model_version"
"""Columns beside inputs and answers: the request, the place of the row in it from 0, when it was
asked (UTC), and the bundle that answered."""
ANSWER = "answer_"
"""What the names of the columns with answers begin with: an input may be called `prediction`."""
TYPES = {"number": pa.float64(), "boolean": pa.bool_()}
"""Of inputs; others are texts."""


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
    count : int
        How many they are.
    rows : bytes, or DataFrame of n_rows
        As they were sent, as lines of JSON where they were few; they fit the signature.
    answers : bytes, or DataFrame of n_rows
        As the bundle gave them, in the same form.
    places : ndarray of int, shape (n_rows,), or None
        The place of each row in the request, counted from 0; None: all of them in their order.
    """

    bundle: Bundle
    request: str
    at: datetime
    count: int
    rows: bytes | pd.DataFrame
    answers: bytes | pd.DataFrame
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
    parts = [
        _table([found], bundle.signature.check(found.rows), found.answers)
        for found in asked
        if isinstance(found.rows, pd.DataFrame) and isinstance(found.answers, pd.DataFrame)
    ]
    few = [found for found in asked if isinstance(found.rows, bytes)]
    if few:
        inputs = _read_inputs(bundle, b"".join(found.rows for found in few))
        answers = b"".join(found.answers for found in few)
        parts.append(_table(few, inputs, _read_lines(answers, answer_schema(bundle))))
    columns = bundle.recipe.columns
    left_out = [
        name
        for name in [column.name for column in bundle.signature.columns]
        if columns[name].role in without
    ]
    return pa.concat_tables(parts, promote_options="permissive").drop_columns(left_out)


def _table(
    asked: Sequence[Asked],
    inputs: pd.DataFrame | Mapping[str, pa.Array],
    answers: pd.DataFrame | pa.Table,
) -> pa.Table:
    places: list[int] | NDArray[np.int64] | None = asked[0].places
    if places is None:
        places = [place for found in asked for place in range(found.count)]
    about = {
        REQUEST: pa.array([found.request for found in asked for _ in range(found.count)]),
        PLACE: pa.array(places, pa.int64()),
        ASKED: pa.array(
            [found.at for found in asked for _ in range(found.count)], pa.timestamp("us", "UTC")
        ),
        VERSION: pa.array([asked[0].bundle.version] * len(places)),
    }
    columns = {name: _plain(values) for name, values in inputs.items()}
    names = answers.columns if isinstance(answers, pd.DataFrame) else answers.column_names
    answered = {f"{ANSWER}{name}": _plain(answers[name]) for name in names}
    return pa.table({**about, **columns, **answered})


def _plain(values: pd.Series | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pa.array(values) if isinstance(values, pd.Series) else values


def as_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return rows as lines of JSON: these take less room than objects, and nobody traverses them.

    So a request that waits to be written costs those after it nothing.
    """
    import orjson

    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)


def _read_inputs(bundle: Bundle, lines: bytes) -> Mapping[str, pa.Array]:
    """Return the inputs of rows that fit the signature, each column in its type."""
    import orjson

    columns = bundle.signature.columns
    schema = pa.schema([(column.name, TYPES.get(column.type, pa.string())) for column in columns])
    try:
        read = _read_lines(lines, schema)
    except pa.ArrowInvalid:  # a value in another form than most, such as a time as a number
        return arrow_inputs(bundle, [orjson.loads(line) for line in lines.splitlines()])
    return {
        column.name: (
            _column(read[column.name].to_pylist(), column, bundle)
            if column.type == "time"
            else read[column.name]
        )
        for column in columns
    }


def _read_lines(lines: bytes, schema: pa.Schema) -> pa.Table:
    """Return the columns of a schema; other threads go on meanwhile."""
    from pyarrow import json

    return json.read_json(
        pa.BufferReader(lines),
        json.ReadOptions(use_threads=False, block_size=len(lines) + 1),
        json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


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
    if column.type == "time":
        sent = pd.Series(values, dtype=object)
        zone = bundle.signature.time_zone
        return pa.array(read_values(sent, column.name, "time", zone, sent=True))
    return pa.array(values, TYPES.get(column.type, pa.string()), from_pandas=True)
