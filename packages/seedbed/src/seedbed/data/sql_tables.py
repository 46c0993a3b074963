"""A table or a query of a database, read in batches by one statement, whole or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES, Dataset, Source
from seedbed.config.source_options import SqlOptions
from seedbed.config.sources import read_options
from seedbed.data.batches import BrokenOff, read_ahead
from seedbed.data.csv_files import Needed, Types
from seedbed.data.databases import (
    FILES,
    connect,
    database_words,
    reporting,
    streamed,
    without_password,
)
from seedbed.data.headers import refuse_repeated
from seedbed.data.sql_arrow import NoArrow, arrow_frame, arrow_reader
from seedbed.data.sql_columns import read_column
from seedbed.data.sql_statements import (
    bind_parameters,
    look_up_table,
    refuse_quoted_text,
    select_columns,
)
from seedbed.errors import UserError
from seedbed.progress import RowProgress

if TYPE_CHECKING:
    import pyarrow as pa
    import sqlalchemy as sa

BATCH = 20_000
"""Rows that are fetched at once."""
REMEDY = "Check the address, the rights of its user, and source.options; then run it again."


def read_sql(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> Iterator[pd.DataFrame]:
    """Yield batches of one table in the order of its primary key, or of what a query gives.

    One statement reads them, so that they are of one moment. A table without a primary key comes
    ordered by all of its columns that are needed.

    Parameters
    ----------
    source : Source
        Its path is an address, see :func:`~seedbed.data.databases.connect`.
    dataset, table
        See :func:`~seedbed.data.sources.read_source`.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
    needed : callable
        Returns which columns are read, given all of them.

    Yields
    ------
    DataFrame, shape (n_rows, n_columns)
        Its index has the number of each row. NUMERIC is whole numbers with every digit, else the
        nearest float64; in a column of text, it is text with every digit. Times with a zone are in
        UTC; of others the zone is that of the dataset.

    Raises
    ------
    UserError
        If the database cannot be reached or refuses, there is no such table, or a column that is
        needed holds arrays or objects.
    BrokenOff
        If the connection breaks off: what was yielded is to be thrown away.
    """
    with _opened(source) as engine:
        yield from _read(engine, source, dataset, table, types, needed)


def sql_state(source: Source, dataset: Dataset, table: str, times: str | None) -> dict[str, Any]:
    """Return by what it is seen that a table has moved, without reading it.

    Returns
    -------
    dict
        `rows`, and under `max` the largest value of the column `times`, else of the primary key.

    Raises
    ------
    UserError
        As :func:`read_sql`.
    """
    import sqlalchemy as sa

    with _opened(source) as engine, reporting(str(source.path), REMEDY):
        options = _options(source, dataset, table)
        if options.query is not None:
            key: list[str] = []
            rows: Any = bind_parameters(options).columns().subquery("asked")
            with engine.connect() as connection:
                head = sa.select(sa.text("*")).select_from(rows).limit(0)
                names = list(connection.execute(head).keys())
        else:
            columns, key, rows = look_up_table(engine, options.table or table, source)
            names = list(columns)
        column = times if times in names else key[0] if len(key) == 1 else None
        figures = [sa.func.count(), *([sa.func.max(sa.column(column))] if column else [])]
        with engine.connect() as connection:
            found = connection.execute(sa.select(*figures).select_from(rows)).one()
    state: dict[str, Any] = {"rows": found[0]}
    if column:
        newest = found[1]
        if isinstance(newest, datetime) and newest.tzinfo:
            newest = pd.Timestamp(newest).tz_convert("UTC")
        state["max"] = {column: None if newest is None else str(newest)}
    return state


@contextmanager
def _opened(source: Source) -> Iterator["sa.Engine"]:
    if source.path is None:
        raise UserError(
            "source.path is not set, and source sql needs the name of an environment variable with "
            "the database's URL, or a URL without a password: -S source.path=DATABASE_URL."
        )
    engine = connect(source.path)
    file = (engine.url.database or "") if engine.dialect.name in FILES else ""
    if file and not file.startswith((":", "file:")) and not Path(file).is_file():
        # SQLite itself would make an empty one.
        raise UserError(
            f"{without_password(source.path)}: there is no file {file}. Correct the address."
        )
    try:
        yield engine
    finally:
        engine.dispose()


def _options(source: Source, dataset: Dataset, table: str) -> SqlOptions:
    options: SqlOptions = read_options(source)
    is_shared = len(dataset.tables) > 1 and dataset.table(table).options is None
    if is_shared and (key := "query" if options.query else "table" if options.table else None):
        raise UserError(
            f"source.options.{key} is one table, and dataset {dataset.name} has the tables "
            f"{', '.join(dataset.table_names)}. Write it as options of one table under "
            "dataset.tables, such as {name: " + table + ", options: {" + key + ": ...}}."
        )
    return options


def _place(source: Source, table: str) -> str:
    return f"{without_password(str(source.path))}, table {table}"


def _read(
    engine: "sa.Engine",
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed,
) -> Iterator[pd.DataFrame]:
    options, address = _options(source, dataset, table), str(source.path)
    place = _place(source, table)
    with reporting(address, REMEDY), _breaking_off(place, address):
        statement: Any
        names: list[str] | None = None
        if options.query is not None:
            statement = bind_parameters(options)
            refuse_quoted_text(engine, options)
        else:
            statement, names = select_columns(engine, options.table or table, source, needed)

        def keep(found: list[str]) -> dict[str, bool]:
            """Return the columns that are needed, and whether each is read as text."""
            if names is None:
                refuse_repeated(found, place, "Name each once in the query, with AS ...")
            kept = needed(found) if names is None else names
            return {name: types.get(name) in TEXT_TYPES for name in found if name in kept}

        progress = RowProgress(None)
        done = 0
        try:
            for batch in _read_batches(engine, statement, options, keep, place, address):
                yield batch.set_axis(pd.RangeIndex(done, done + len(batch)))
                done += len(batch)
                progress.add(len(batch))
        finally:
            progress.close()


@contextmanager
def _breaking_off(place: str, address: str) -> Iterator[None]:
    """Let a read begin anew that lost its connection, also before the first row."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _broken_off(place, 0, database_words(error, address)) from None
        raise


Keep = Callable[[list[str]], dict[str, bool]]


def _read_batches(
    engine: "sa.Engine", statement: Any, options: SqlOptions, keep: Keep, place: str, address: str
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a statement: by ADBC where it can, else by SQLAlchemy."""
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
