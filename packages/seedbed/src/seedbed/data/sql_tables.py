"""A table or a query of a database, read in batches by one statement, whole or not at all."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from seedbed.config.schema import TEXT_TYPES, Dataset, Source
from seedbed.config.sources import SqlOptions, read_options
from seedbed.data.csv_files import Types
from seedbed.data.databases import connect, database_words, label, reporting, sqlite_file
from seedbed.data.headers import refuse_repeated
from seedbed.data.integers import typed_objects
from seedbed.data.parquet_files import Needed, arrow_to_pandas
from seedbed.errors import UserError, did_you_mean, some_of
from seedbed.progress import RowProgress

if TYPE_CHECKING:
    import sqlalchemy as sa

BATCH = 20_000
"""Rows that are fetched at once."""
WAITS = (1.0, 5.0)
"""Seconds before a read whose connection was lost begins anew."""
REMEDY = "Check the address, the rights of its user, and source.options; then run it again."
TYPES = {bool, int, float, str, bytes, datetime, date, time_of_day, timedelta, Decimal}
"""The types of values that have a column type; others, such as UUID, are read as their text."""
NESTED = (list, dict, tuple)
"""What arrays, JSON and composite types of PostgreSQL come as."""


class ConnectionLost(Exception):
    """A connection has broken off after rows were read."""


def read_sql(
    source: Source, dataset: Dataset, table: str, types: Types, needed: Needed
) -> pd.DataFrame:
    """Read one table: all of its rows, in the order of its primary key, or what a query gives.

    One statement reads them, so that they are of one moment. A table without a primary key comes
    ordered by all of its columns that are needed. If the connection breaks off, the read begins
    anew, twice.

    Parameters
    ----------
    source : Source
        Its path is an address, see :func:`~seedbed.data.databases.connect`.
    dataset, table
        See :func:`~seedbed.data.sources.read_source`.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
    needed : callable
        Returns which columns are read, given all of them.

    Returns
    -------
    DataFrame, shape (n_rows, n_columns)
        NUMERIC is whole numbers with every digit, else the nearest float64; in a column of text,
        it is text with every digit. Times with a zone are in UTC; of others the zone is that of
        the dataset.

    Raises
    ------
    UserError
        If the database cannot be reached or refuses, there is no such table, or a column that is
        needed holds arrays or objects.
    """
    with _opened(source) as engine:
        for wait in (*WAITS, None):
            try:
                return _read(engine, source, dataset, table, types, needed)
            except ConnectionLost as lost:
                if wait is None:
                    raise UserError(
                        f"{_place(source, table)}: the connection broke off {len(WAITS) + 1} "
                        f"times, last {lost}. Nothing was written: run it again."
                    ) from None
                print(f"{_place(source, table)}: the connection broke off {lost}; reading anew")
                engine.dispose()
                time.sleep(wait)
    raise AssertionError


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
            rows: Any = _bound(options).columns().subquery("asked")
            with engine.connect() as connection:
                head = sa.select(sa.text("*")).select_from(rows).limit(0)
                names = list(connection.execute(head).keys())
        else:
            columns, key, rows = _look_up(engine, options.table or table, source)
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
    file = sqlite_file(source.path)
    if file is not None and not file.is_file():
        # SQLite itself would make an empty one.
        raise UserError(f"{source.path}: there is no file {file}. Edit source.path.")
    engine = connect(source.path)
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
    return f"{label(str(source.path))}, table {table}"


def _read(
    engine: "sa.Engine",
    source: Source,
    dataset: Dataset,
    table: str,
    types: Types,
    needed: Needed,
) -> pd.DataFrame:
    import sqlalchemy as sa

    options, address = _options(source, dataset, table), str(source.path)
    with reporting(address, REMEDY), engine.connect() as connection:
        statement: Any
        names: list[str] | None = None
        if options.query is not None:
            statement = _bound(options)
        else:
            statement, names = _select(engine, options.table or table, source, needed)
        streamed = connection.execution_options(
            stream_results=True, max_row_buffer=BATCH, postgresql_readonly=True
        )
        result = streamed.execute(statement)
        found = list(result.keys())
        if names is None:
            refuse_repeated(
                found, _place(source, table), "Name each once in the query, with AS ..."
            )
            names = needed(found)
        kept = [name for name in found if name in names]
        columns = {name: Column(name, types.get(name) in TEXT_TYPES) for name in kept}
        progress = RowProgress(None)
        done = 0
        try:
            while rows := result.fetchmany(BATCH):
                for name, values in zip(found, zip(*rows, strict=True), strict=True):
                    if name in columns:
                        columns[name].add(values, done, _place(source, table))
                done += len(rows)
                progress.add(len(rows))
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                raise ConnectionLost(
                    f"after {done:,} rows ({database_words(error, address)})"
                ) from None
            raise UserError(
                f"{_place(source, table)}: within rows {done} to {done + BATCH - 1}, a value "
                f"cannot be read, or the database stopped: {database_words(error, address)}. "
                "Correct the value, or cast its column to text in source.options.query."
            ) from None
        finally:
            progress.close()
    whole = pa.table({name: column.chunks for name, column in columns.items() if column.is_typed})
    frame = arrow_to_pandas(whole, _place(source, table))
    for name, column in columns.items():
        if not column.is_typed:
            frame[name] = column.objects()
    return frame[kept]


def _bound(options: SqlOptions) -> "sa.TextClause":
    """Return the query with its parameters bound to it: they are never a part of its text."""
    import sqlalchemy as sa

    bound = [
        sa.bindparam(name, value, expanding=isinstance(value, list))
        for name, value in options.parameters.items()
    ]
    try:
        query = sa.text(str(options.query)).bindparams(*bound)
    except sa.exc.ArgumentError:
        stands = sorted(sa.text(str(options.query)).compile().params)
        unknown = sorted(set(options.parameters) - set(stands))
        raise UserError(
            f"source.options.parameters: {some_of(unknown, 5)} does not stand in the query, which "
            f"has {some_of(stands, 5) or 'no parameter'}. Write it there as :{unknown[0]}, or "
            "take it out."
        ) from None
    if unset := sorted(set(query.compile().params) - set(options.parameters)):
        raise UserError(
            f"source.options.query has the parameter :{unset[0]}, and source.options.parameters "
            f"has no {unset[0]}. Set it; a colon that begins no parameter is written \\:."
        )
    return query


def _look_up(
    engine: "sa.Engine", name: str, source: Source
) -> tuple[dict[str, Any], list[str], "sa.TableClause"]:
    """Return the columns of a table with their types, its primary key, and the table."""
    import sqlalchemy as sa

    schema, _, plain = name.rpartition(".")
    space = schema or None
    inspector = sa.inspect(engine)
    try:
        columns = inspector.get_columns(plain, schema=space)
    except sa.exc.NoSuchTableError:
        columns = []
    if not columns:
        known = [*inspector.get_table_names(schema=space), *inspector.get_view_names(schema=space)]
        raise UserError(
            f"{label(str(source.path))}: there is no table {name}{did_you_mean(plain, known)}. "
            "Correct dataset.tables or source.options.table."
        )
    key = inspector.get_pk_constraint(plain, schema=space).get("constrained_columns") or []
    types = {column["name"]: column["type"] for column in columns}
    return types, list(key), sa.table(plain, schema=space)


def _select(
    engine: "sa.Engine", name: str, source: Source, needed: Needed
) -> tuple["sa.Select", list[str]]:
    """Return the statement that reads the needed columns of a table, in an order of its own."""
    import sqlalchemy as sa

    types, key, table = _look_up(engine, name, source)
    names = needed(list(types))
    for column in names:
        if isinstance(types[column], sa.ARRAY | sa.JSON):
            raise UserError(_why_nested(f"{label(str(source.path))}, table {name}", column))
    # Without types, drivers give what stands there, and SQLite's text of a time stays as it is.
    order = [sa.column(column) for column in key or names]
    return sa.select(*map(sa.column, names)).select_from(table).order_by(*order), names


def _why_nested(where: str, name: str, row: int | None = None) -> str:
    place = "" if row is None else f", row {row}"
    return (
        f"{where}, column {name}{place}: it holds arrays or objects, which are no column of a "
        "table. Take out of them what is needed in source.options.query, cast it to text there, "
        "or take the column out of columns."
    )


class Column:
    """The values of a column, one chunk a batch.

    Parameters
    ----------
    name : str
    is_text : bool
        Whether numbers are read as text, with every digit.
    """

    def __init__(self, name: str, is_text: bool) -> None:
        self._name, self._is_text = name, is_text
        self._chunks: list[Any] = []  # arrays, or lists of values of several types

    def add(self, values: Sequence[Any], first: int, where: str) -> None:
        """Add the values of rows from `first` on.

        Raises
        ------
        UserError
            If one is an array or an object.
        """
        kinds = {type(value) for value in values} - {type(None)}
        if any(issubclass(kind, NESTED) for kind in kinds):
            row = next(place for place, value in enumerate(values) if isinstance(value, NESTED))
            raise UserError(_why_nested(where, self._name, first + row))
        if not kinds <= TYPES:
            values = [
                value if value is None or type(value) in TYPES else str(value) for value in values
            ]
        elif kinds == {Decimal}:
            values = _plain_decimals(values, self._is_text)
        try:
            chunk = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
            chunk = list(values)  # of several types, as SQLite may hold them
        else:
            if pa.types.is_timestamp(chunk.type) and chunk.type.tz:
                chunk = chunk.cast(pa.timestamp("us", "UTC"))
        self._chunks.append(chunk)

    @property
    def _types(self) -> set[pa.DataType]:
        arrays = [chunk for chunk in self._chunks if isinstance(chunk, pa.Array)]
        return {chunk.type for chunk in arrays if not pa.types.is_null(chunk.type)}

    @property
    def is_typed(self) -> bool:
        """Whether all values are of one type, whole numbers beside floats included."""
        lists = any(isinstance(chunk, list) for chunk in self._chunks)
        return not lists and (len(self._types) <= 1 or self._types == {pa.int64(), pa.float64()})

    @property
    def chunks(self) -> pa.ChunkedArray:
        """The values, of one type."""
        found = self._types
        wanted = pa.float64() if len(found) > 1 else next(iter(found), pa.string())
        return pa.chunked_array([chunk.cast(wanted, safe=False) for chunk in self._chunks], wanted)

    def objects(self) -> pd.Series:
        """Return the values as Python objects, of several types."""
        values: list[Any] = []
        for chunk in self._chunks:
            values += chunk if isinstance(chunk, list) else chunk.to_pylist()
        return typed_objects(pd.Series(values, dtype=object))


def _plain_decimals(values: Sequence[Decimal | None], is_text: bool) -> list[Any]:
    """Return decimals as text, as whole numbers if they are, else as the nearest floats."""
    if is_text:
        return [None if value is None else _digits(value) for value in values]
    known = [value for value in values if value is not None]
    if all(value.is_finite() and value == value.to_integral_value() for value in known):
        return [None if value is None else int(value) for value in values]
    return [None if value is None else float(value) for value in values]


def _digits(value: Decimal) -> str | None:
    """Return every digit of a number, without zeros at the end that say nothing."""
    if value.is_nan():
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
