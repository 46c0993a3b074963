"""A table or a query of a database, read in batches by one statement, whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES, Dataset, Source
from seedbed.config.source_options import SqlOptions
from seedbed.config.sources import read_options
from seedbed.data.csv_files import Needed, Types
from seedbed.data.databases import FILES, connect, reporting, without_password
from seedbed.data.headers import refuse_repeated
from seedbed.data.sql_batches import breaking_off, read_statement
from seedbed.data.sql_statements import (
    bind_parameters,
    look_up_table,
    refuse_quoted_text,
    select_columns,
)
from seedbed.errors import UserError
from seedbed.progress import RowProgress

if TYPE_CHECKING:
    import sqlalchemy as sa

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
        NUMERIC is whole numbers with every digit, else the nearest float64; in a column of text, it
        is text with every digit. Times with a zone are in UTC; of others the zone is that of the
        dataset.

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

    Raises UserError as :func:`read_sql`.
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


def _read(
    engine: "sa.Engine",
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed,
) -> Iterator[pd.DataFrame]:
    options, address = _options(source, dataset, table), str(source.path)
    place = f"{without_password(address)}, table {table}"
    with reporting(address, REMEDY), breaking_off(place, address):
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
        try:
            for batch in read_statement(engine, statement, options, keep, place, address):
                yield batch
                progress.add(len(batch))
        finally:
            progress.close()
