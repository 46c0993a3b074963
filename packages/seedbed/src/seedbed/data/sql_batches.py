"""The rows of a statement in batches: by ADBC where it can, else by SQLAlchemy."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.source_options import SqlOptions
from seedbed.data.batches import BrokenOff, read_ahead
from seedbed.data.databases import database_words, streamed
from seedbed.data.sql_arrow import NoArrow, arrow_frame, arrow_reader
from seedbed.data.sql_columns import read_column
from seedbed.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

BATCH = 20_000
"""Rows that are fetched at once."""
Keep = Callable[[list[str]], dict[str, bool]]
"""Returns the columns that are kept, given all, and whether each is read as text."""


@contextmanager
def breaking_off(place: str, address: str) -> Iterator[None]:
    """Let a read begin anew that loses its connection, also before the first row.

    Raises BrokenOff in the place of the database's own error.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _broken_off(place, 0, database_words(error, address)) from None
        raise


def read_statement(
    engine: "sa.Engine", statement: Any, options: SqlOptions, keep: Keep, place: str, address: str
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a statement.

    Parameters
    ----------
    place, address : str
        The table and the database, for messages.

    Raises
    ------
    UserError
        If a value cannot be read.
    BrokenOff
        If the connection breaks off.
    """
    # With parameters, PostgreSQL's driver of ADBC holds all rows at once.
    if engine.dialect.name == "postgresql" and not options.parameters:
        try:
            with arrow_reader(engine, statement) as reader:
                yield from _read_arrow(reader, keep, place, address)
                return
        except NoArrow:
            pass
    with streamed(engine, statement, BATCH) as result:
        found = list(result.keys())
        kept = keep(found)
        if engine.dialect.name == "duckdb":
            from seedbed.data.duckdb_files import refuse_infinity

            refuse_infinity(engine, statement, result, kept, place)
        done = 0
        while rows := _fetch(result, done, place, address):
            values = dict(zip(found, zip(*rows, strict=True), strict=True))
            columns = {
                name: read_column(values[name], name, is_text, done, place)
                for name, is_text in kept.items()
            }
            yield pd.DataFrame(columns, copy=False)
            done += len(rows)


def _read_arrow(
    reader: "pa.RecordBatchReader", keep: Keep, place: str, address: str
) -> Iterator[pd.DataFrame]:
    kept = keep(reader.schema.names)
    done = 0
    with read_ahead(lambda: reader) as batches:
        while True:
            try:
                batch = next(batches, None)
            except Exception as error:  # of Arrow, of ADBC, or OSError
                words = database_words(error, address)
                if "ERROR:" in words:
                    raise _unreadable(place, done, words) from None
                raise _broken_off(place, done, words) from None
            if batch is None:
                return
            try:
                frame = arrow_frame(batch.select(list(kept)), kept, place)
            except OverflowError as error:
                raise _unreadable(place, done, str(error)) from None
            yield frame
            done += batch.num_rows


def _fetch(result: "sa.Result", done: int, place: str, address: str) -> Sequence[Any]:
    """Return the next rows, after `done`."""
    import sqlalchemy as sa

    try:
        return result.fetchmany(BATCH)
    except sa.exc.DBAPIError as error:
        words = database_words(error, address)
        if error.connection_invalidated:
            raise _broken_off(place, done, words) from None
        raise _unreadable(place, done, words) from None


def _broken_off(place: str, done: int, words: str) -> BrokenOff:
    return BrokenOff(f"{place}: the connection broke off after {done:,} rows ({words})")


def _unreadable(place: str, done: int, words: str) -> UserError:
    return UserError(
        f"{place}: within rows {done + 1} to {done + BATCH}, a value cannot be read, or the "
        f"database stopped: {words}. Correct the value, or cast its column to text in "
        "source.options.query."
    )
