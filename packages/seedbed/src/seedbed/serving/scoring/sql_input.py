"""A table of a database, by its primary key, or a query, in its own order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from seedbed.config.source_options import SqlOptions
from seedbed.config.sources import ORDER
from seedbed.data.databases import connect, reporting, streamed, without_password
from seedbed.data.sql_statements import refuse_quoted_text
from seedbed.errors import UserError, did_you_mean
from seedbed.serving.scoring.batches import AGAIN, Batch, Done
from seedbed.serving.scoring.inputs import Wanted
from seedbed.serving.scoring.reading import Wording

AT_ONCE = 10_000
"""Rows of a query that are fetched at once."""
READ_BACK: dict[type, Callable[[str], Any]] = {
    int: int,
    str: str,
    float: float,
    Decimal: Decimal,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    UUID: UUID,
}
"""Types of a key that can be written as text and read again."""


class TableInput:
    """A table in the order of its primary key: see :class:`inputs.Input`.

    Each batch is a query of its own, which begins after the last key of the one before.
    """

    rows: int | None

    def __init__(self, address: str, table: str) -> None:
        self.name = f"{without_password(address)}, table {table}"
        self._address, self._engine = address, connect(address)
        schema, _, name = table.rpartition(".")
        with reporting(address, AGAIN):
            try:
                self._table = sa.Table(
                    name, sa.MetaData(), schema=schema or None, autoload_with=self._engine
                )
            except sa.exc.NoSuchTableError:
                known = sa.inspect(self._engine).get_table_names(schema=schema or None)
                raise UserError(
                    f"{without_password(address)}: there is no table {table}"
                    f"{did_you_mean(name, known)}. Correct --table."
                ) from None
            with self._engine.connect() as connection:
                count = sa.select(sa.func.count()).select_from(self._table)
                self.rows = connection.execute(count).scalar_one()
        self._key = list(self._table.primary_key.columns)
        if not self._key or not all(map(_can_be_read_back, self._key)):
            raise UserError(
                f"{self.name}: it has no primary key of numbers, texts or times, so its rows have "
                f"no order by which to go on. Give --query 'SELECT * FROM {table} ORDER BY ...'."
            )
        self.columns = tuple(column.name for column in self._table.columns)
        self.identity = {"database": without_password(address), "table": table}
        self.wording = Wording()

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done: those after the last key."""
        names = list(dict.fromkeys([*wanted.columns, *(column.name for column in self._key)]))
        ordered = sa.select(*(self._table.c[name] for name in names)).order_by(*self._key)
        first, cursor = done.rows + 1, done.cursor
        while True:
            query = ordered.limit(wanted.size)
            if cursor is not None:
                last = [
                    READ_BACK[column.type.python_type](text)
                    for column, text in zip(self._key, cursor, strict=True)
                ]
                query = query.where(sa.tuple_(*self._key) > sa.tuple_(*last))
            with reporting(self._address, AGAIN), self._engine.connect() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            values = dict(zip(names, zip(*rows, strict=True), strict=True))
            keys = [values[column.name][-1] for column in self._key]
            cursor = [key.isoformat() if isinstance(key, date) else str(key) for key in keys]
            yield _batch({name: values[name] for name in wanted.columns}, first, cursor)
            first += len(rows)


def _can_be_read_back(column: sa.Column) -> bool:
    try:
        return column.type.python_type in READ_BACK
    except NotImplementedError:
        return False


class QueryInput:
    """The rows of a query, in the order that it asks for: see :class:`inputs.Input`.

    It is read as a stream; going on, it is asked again and as many rows are passed over.
    """

    rows: int | None = None

    def __init__(self, address: str, query: str) -> None:
        self.name = f"{without_password(address)}, query"
        self._address, self._engine = address, connect(address)
        self._query = sa.text(query)
        if not ORDER.search(query):
            raise UserError(
                "--query has no ORDER BY, so that its rows may come in another order the next "
                "time, and a run that was stopped could not go on. Add one that orders all rows."
            )
        if asked := sorted(self._query.compile().params):
            raise UserError(
                f"--query has the parameter :{asked[0]}, and is given no values. Write the value "
                "in its place; a colon that begins no parameter is written \\:."
            )
        with reporting(address, AGAIN):
            refuse_quoted_text(self._engine, SqlOptions(query=query))
        with self._asked() as result:
            self.columns = tuple(result.keys())
        if twice := {name for name in self.columns if self.columns.count(name) > 1}:
            raise UserError(
                f"--query has the column {', '.join(sorted(twice))} more than once. Name each "
                "column once, with AS where two are called the same."
            )
        self.identity = {"database": without_password(address), "query": query}
        self.wording = Wording()

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done."""
        first = 1
        with self._asked() as result:
            left = done.rows
            while left > 0 and (passed := result.fetchmany(min(left, wanted.size))):
                left -= len(passed)
            first += done.rows
            while rows := result.fetchmany(wanted.size):
                values = dict(zip(self.columns, zip(*rows, strict=True), strict=True))
                yield _batch({name: values[name] for name in wanted.columns}, first, None)
                first += len(rows)

    @contextmanager
    def _asked(self) -> Iterator[sa.CursorResult]:
        """Ask the query; its rows come as they are fetched."""
        with (
            reporting(self._address, AGAIN),
            streamed(self._engine, self._query, AT_ONCE) as result,
        ):
            yield result


def _batch(values: dict[str, Sequence[Any]], first: int, cursor: Any) -> Batch:
    table = pa.table({name: _array(found) for name, found in values.items()})
    return Batch(table, np.arange(first, first + len(table)), len(table), cursor=cursor)


def _array(values: Sequence[Any]) -> pa.Array:
    """Return values in the type of Arrow that holds them all, else as text."""
    try:
        found = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in values], pa.string())
    if pa.types.is_decimal(found.type):  # as the drivers give NUMERIC, exact or not
        return pa.array([None if value is None else float(value) for value in values])
    return found.cast(pa.string()) if pa.types.is_null(found.type) else found
