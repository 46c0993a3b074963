"""The prediction log: which rows and columns are kept, in a whole file at a time, by day."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, Self, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from seedbed.config.schema import Role
from seedbed.data.values import read_values
from seedbed.errors import UserError, one_line
from seedbed.files import replacing
from seedbed.serving.bundle import Bundle
from seedbed.serving.scoring.predicting import answer_schema
from seedbed.serving.signature import InputColumn, Signature

REQUEST, PLACE, ASKED, VERSION = "request_id", "request_row", "asked_at", "model_version"
"""Columns beside inputs and answers: the request, the place of the row in it from 0, when it was
asked (UTC), and the bundle that answered."""
ANSWER = "answer_"
"""What the names of the columns with answers begin with: an input may be called `prediction`."""
TYPES = {"number": pa.float64(), "boolean": pa.bool_()}
"""Of inputs; others are texts."""


@dataclass(frozen=True)
class LogSettings:
    """What is kept of requests."""

    folder: Path
    # share of the requests (of `seedbed score`: of the rows) that are kept, above 0, at most 1
    rate: float = 1.0
    without: tuple[Role, ...] = ()  # roles whose columns are left out, such as "key"
    days: int | None = None  # how long files are kept; None: for good
    seconds: float = 5.0  # after how long a file is written at the latest
    # of requests and answers that a server holds until they are written; further ones are not kept,
    # and counted
    most_bytes: int = 32 * 2**20

    def __post_init__(self) -> None:
        if not 0 < self.rate <= 1:
            raise UserError(
                f"The rate of the prediction log is {self.rate:g}. Choose one in (0, 1]."
            )
        if self.days is not None and self.days < 1:
            raise UserError(f"The prediction log is kept for {self.days} days. Choose at least 1.")


@dataclass(frozen=True)
class LoggedModel:
    """What a prediction log needs to know of the bundle that answered."""

    version: str
    signature: Signature
    answers: pa.Schema  # names and types of the answers
    left_out: tuple[str, ...] = ()  # inputs that are not kept

    @classmethod
    def of(cls, bundle: Bundle, without: Sequence[Role] = ()) -> Self:
        """Return what is needed of a bundle, if inputs of some roles are left out."""
        roles = bundle.recipe.columns
        left_out = tuple(
            column.name for column in bundle.signature.columns if roles[column.name].role in without
        )
        return cls(bundle.version, bundle.signature, answer_schema(bundle), left_out)

    def table(
        self,
        requests: Sequence[str],
        places: Sequence[int] | NDArray[np.int64],
        asked: Sequence[datetime],
        inputs: pd.DataFrame | Mapping[str, pa.Array],
        answers: pd.DataFrame | pa.Table,
    ) -> pa.Table:
        """Return answered rows as the log keeps them.

        Parameters
        ----------
        requests : sequence of str, n_rows
            The id of each row's request.
        places : sequence of int, n_rows
            The place of each row in its request, counted from 0.
        asked : sequence of datetime, n_rows
            When, in UTC.
        inputs : DataFrame of shape (n_rows, n_inputs), or mapping of str to Array
            In the types of the signature.
        answers : DataFrame or Table, shape (n_rows, n_answers)
        """
        about = {
            REQUEST: pa.array(requests),
            PLACE: pa.array(places, pa.int64()),
            ASKED: pa.array(asked, pa.timestamp("us", "UTC")),
            VERSION: pa.array([self.version] * len(requests)),
        }
        kept = {
            name: _plain(values) for name, values in inputs.items() if name not in self.left_out
        }
        answered = {f"{ANSWER}{name}": _plain(answers[name]) for name in self.answers.names}
        return pa.table({**about, **kept, **answered})


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

    Raises UserError if one is no role, or another option is wrong.
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

    Raises UserError if nothing can be written there.
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
    with replacing(folder / day.isoformat() / name) as beside:
        pq.write_table(table, beside, compression="zstd")


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


def _plain(values: pd.Series | pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pa.array(values) if isinstance(values, pd.Series) else values


def arrow_inputs(signature: Signature, rows: Sequence[Mapping[str, Any]]) -> dict[str, pa.Array]:
    """Return the inputs of rows that fit a signature, each column in its type.

    Raises ArrowException if Arrow does not take a value that fits, such as a whole number that no
    float holds: :meth:`Signature.check` reads it, in many times as long.
    """
    columns = signature.columns
    # One more, so that each row gives a tuple also where there is one column.
    values = itemgetter(columns[0].name, *(column.name for column in columns))
    _, *by_column = zip(*map(values, rows), strict=True)
    return {
        column.name: _column(found, column, signature.time_zone)
        for column, found in zip(columns, by_column, strict=True)
    }


def _column(values: Sequence[Any], column: InputColumn, time_zone: str) -> pa.Array:
    if column.type == "time":
        sent = pd.Series(values, dtype=object)
        return pa.array(read_values(sent, column.name, "time", time_zone, sent=True))
    return pa.array(values, TYPES.get(column.type, pa.string()), from_pandas=True)
