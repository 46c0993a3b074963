"""The process that writes the prediction log of a server, from what it reads on standard input.

It ends when its standard input does: once the server has closed it, or is gone.
"""

import os
import pickle
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import IO, Any, NamedTuple, TypeAlias

import orjson
import pandas as pd
import pyarrow as pa

from seedbed.errors import one_line
from seedbed.serving.http.json_rows import read_json_rows
from seedbed.serving.http.logs import log_as_json
from seedbed.serving.http.sent import Few
from seedbed.serving.http.tables import READERS, read_table_rows
from seedbed.serving.log_files import (
    LoggedModel,
    LogSettings,
    arrow_inputs,
    forget_old_days,
    write_file,
)
from seedbed.serving.signature import Signature

MOST_ROWS = 10_000
"""Rows that one file is made of, unless a single request has more."""
MOST_BYTES = 32 * 2**20
"""Of requests and answers that one file is made of."""
LETTERS = 1000
"""Of a problem: it must fit into a line that asyncio reads."""


class Asked(NamedTuple):
    """A request that was answered, as the server received and sent it."""

    request: str  # the request's id
    version: str  # of the bundle that answered
    at: float  # when, in seconds since 1970
    rows: int  # how many
    kind: str  # what was sent, and its content type
    body: bytes
    answer_kind: str  # what was answered, and its content type
    answer: bytes


class Report(NamedTuple):
    """What became of some requests: they were written, or there was a problem."""

    requests: int
    problem: str | None


Message: TypeAlias = LoggedModel | Asked | None
"""A model that answers the next requests, a request, or nothing but that time goes on, which is
said as long as some are not written."""


def keep(messages: Iterable[Message], settings: LogSettings) -> Iterator[Report]:
    """Write requests as they come in, a file every few seconds, and report each file.

    Parameters
    ----------
    messages : iterable of Message

    Yields
    ------
    Report
    """
    models: dict[str, LoggedModel] = {}
    held: list[Asked] = []
    rows = size = 0
    begun = time.monotonic()
    for message in messages:
        if isinstance(message, LoggedModel):
            models[message.version] = message
        elif message:
            if not held:
                rows, size, begun = 0, 0, time.monotonic()
            held.append(message)
            rows += message.rows
            size += len(message.body) + len(message.answer)
        late = time.monotonic() - begun >= settings.seconds
        if held and (late or rows >= MOST_ROWS or size >= MOST_BYTES):
            yield from _write(held, models, settings)
            held = []
    yield from _write(held, models, settings)


def _write(
    held: Sequence[Asked], models: Mapping[str, LoggedModel], settings: LogSettings
) -> Iterator[Report]:
    files: dict[tuple[str, date], list[Asked]] = {}
    for asked in held:
        day = datetime.fromtimestamp(asked.at, UTC).date()
        files.setdefault((asked.version, day), []).append(asked)
    for (version, day), requests in files.items():
        problem = None
        try:
            name = f"{time.time_ns()}-{os.getpid()}.parquet"
            write_file(settings.folder, day, name, _table(requests, models[version]))
            forget_old_days(settings)
        except Exception as error:  # whatever it is, the next ones may be written
            problem = one_line(error)[:LETTERS]
        yield Report(len(requests), problem)


def _table(requests: Sequence[Asked], model: LoggedModel) -> pa.Table:
    """Return requests to one bundle as a table: a row for each that was asked."""
    few: list[Asked] = []
    rows: list[Mapping[str, Any]] = []
    parts = []
    for asked in requests:
        sent = _rows_of(asked, model.signature)
        if isinstance(sent, pd.DataFrame):
            parts.append(_part([asked], model.signature.check(sent), model))
        else:
            few.append(asked)
            rows += sent
    if few:
        parts.append(_part(few, _inputs_of(rows, model.signature), model))
    return pa.concat_tables(parts, promote_options="permissive")


def _part(
    requests: Sequence[Asked], inputs: pd.DataFrame | Mapping[str, pa.Array], model: LoggedModel
) -> pa.Table:
    answers = [answer for asked in requests for answer in _answers_of(asked, model.answers)]
    return model.table(
        [asked.request for asked in requests for _ in range(asked.rows)],
        [place for asked in requests for place in range(asked.rows)],
        [datetime.fromtimestamp(asked.at, UTC) for asked in requests for _ in range(asked.rows)],
        inputs,
        pa.Table.from_pylist(answers, model.answers),
    )


def _rows_of(asked: Asked, signature: Signature) -> Few | pd.DataFrame:
    if asked.kind in READERS:
        sent = read_table_rows(asked.body, asked.kind, signature, sys.maxsize, sys.maxsize)
    else:
        sent = read_json_rows(asked.body)
    return sent.rows


def _answers_of(asked: Asked, schema: pa.Schema) -> list[dict[str, Any]]:
    if asked.answer_kind not in READERS:
        return orjson.loads(asked.answer)["answers"]
    table = READERS[asked.answer_kind](asked.answer, sys.maxsize, sys.maxsize)
    return table.select(schema.names).cast(schema).to_pylist()


def _inputs_of(
    rows: Sequence[Mapping[str, Any]], signature: Signature
) -> pd.DataFrame | Mapping[str, pa.Array]:
    try:
        return arrow_inputs(signature, rows)
    except (pa.ArrowException, TypeError):
        return signature.check(rows)


def _read(file: IO[bytes]) -> Iterator[Any]:
    while True:
        try:
            found = pickle.load(file)
            yield Asked(*found) if isinstance(found, tuple) else found
        except (EOFError, pickle.UnpicklingError):  # the second where a server that is gone stopped
            return


def main() -> None:
    """Read settings and messages from standard input; print each report as a line of JSON."""
    log_as_json()
    messages = _read(sys.stdin.buffer)
    settings = next(messages, None)  # none where the server is gone already
    if isinstance(settings, LogSettings):
        for report in keep(messages, settings):
            print(orjson.dumps(report._asdict()).decode(), flush=True)
