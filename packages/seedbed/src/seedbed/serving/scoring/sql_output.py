"""A table of a database: each batch and its progress are one transaction.

Rows are collected in a table beside the one that is asked for, and that is renamed at the end.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from seedbed.data.databases import connect, reporting, without_password
from seedbed.errors import UserError
from seedbed.serving.scoring.batches import AGAIN, ROW_NUMBER
from seedbed.serving.scoring.outputs import Part, Totals, refuse_other_run

TYPES: tuple[tuple[Callable[[pa.DataType], bool], Callable[[], Any]], ...] = (
    (pa.types.is_boolean, sa.Boolean),
    (pa.types.is_integer, sa.BigInteger),
    (pa.types.is_floating, sa.Double),
    (pa.types.is_date, sa.Date),
    (pa.types.is_string, sa.Text),
    (pa.types.is_large_string, sa.Text),
)
"""Types of Arrow, and of a database's columns."""


class SqlOutput:
    """A table that is made anew: see :class:`outputs.Output`.

    Parameters
    ----------
    address : str
        See :func:`databases.connect`.
    table : str
        Its name, with its schema before a dot where it has one.
    identity, force, restart
        See :class:`file_output.FileOutput`.

    Raises
    ------
    UserError
        If the table exists or cannot be made, or a run that was stopped had another input, bundle
        or options.
    """

    def __init__(
        self,
        address: str,
        table: str,
        identity: Mapping[str, Any],
        *,
        force: bool = False,
        restart: bool = False,
    ) -> None:
        self._address, self._engine = address, connect(address)
        schema, _, self._name = table.rpartition(".")
        self._space = schema or None
        self._where = f"{without_password(address)}, table {table}"
        self._columns = sa.MetaData(schema=self._space)
        self._progress = sa.Table(
            f"{self._name}__progress",
            self._columns,
            sa.Column("run", sa.Text),
            sa.Column("totals", sa.Text),
        )
        self._rejected = sa.Table(
            f"{self._name}__rejected",
            self._columns,
            sa.Column("row", sa.BigInteger),
            *(sa.Column(name, sa.Text) for name in ("column", "value", "reason")),
        )
        self._rows: sa.Table | None = None
        self.schema: pa.Schema | None = None
        self.totals = Totals()
        self.finished = False
        with reporting(address, AGAIN):
            self._begin(identity, force, restart)

    def _begin(self, identity: Mapping[str, Any], force: bool, restart: bool) -> None:
        with self._engine.begin() as connection:
            if restart:
                for name in ("progress", "rejected", "rows"):
                    self._drop(connection, f"{self._name}__{name}")
            there = self._exists(connection, f"{self._name}__progress")
            state = connection.execute(sa.select(self._progress)).one() if there else None
            in_place = self._exists(connection, self._name)
            has_rows = self._exists(connection, f"{self._name}__rows")
        if state is None:
            if in_place and not force:
                raise UserError(
                    f"{self._where} exists already. Give another name, or replace with --force."
                )
            with self._engine.begin() as connection:
                # What a run that was killed in its first moment has left is of no use.
                self._drop(connection, f"{self._name}__rows")
                self._drop(connection, f"{self._name}__rejected")
                self._rejected.create(connection)
                self._progress.create(connection)
                connection.execute(
                    self._progress.insert().values(run=json.dumps(identity), totals="{}")
                )
            return
        refuse_other_run(json.loads(state.run), identity, self._where)
        self.totals = Totals.model_validate_json(state.totals)
        self.finished = self.totals.batches > 0 and not has_rows
        if self.totals.batches and not self.finished:
            self._rows = sa.Table(f"{self._name}__rows", self._columns, autoload_with=self._engine)

    def write(self, part: Part) -> None:
        """Keep a part, whole or not at all."""
        totals = self.totals + part.counts
        with reporting(self._address, AGAIN), self._engine.begin() as connection:
            if self._rows is None:
                self.schema = part.rows.schema
                self._rows = self._table(part.rows.schema)
                self._rows.drop(connection, checkfirst=True)
                self._rows.create(connection)
            if len(part.rows):
                _insert(connection, self._rows, part.rows)
            if part.rejected:
                found = [row.model_dump() for row in part.rejected]
                connection.execute(self._rejected.insert(), found)
            connection.execute(self._progress.update().values(totals=totals.model_dump_json()))
        self.totals = totals

    def finish(self) -> None:
        """Rename the tables into place; each step may be done twice."""
        with reporting(self._address, AGAIN), self._engine.begin() as connection:
            rows, rejected = f"{self._name}__rows", f"{self._name}__rejected"
            if self._exists(connection, rows):
                self._drop(connection, self._name)
                self._rename(connection, rows, self._name)
            if self._exists(connection, rejected):
                self._drop(connection, f"{self._name}_rejected")
                if self.totals.rejected:
                    self._rename(connection, rejected, f"{self._name}_rejected")
                else:
                    self._drop(connection, rejected)
            self._drop(connection, f"{self._name}__progress")

    def close(self) -> None:
        """Free the connections; the tables stay, unless there is nothing in them."""
        if not self.totals.batches and not self.finished:
            with reporting(self._address, AGAIN), self._engine.begin() as connection:
                for name in ("progress", "rejected", "rows"):
                    self._drop(connection, f"{self._name}__{name}")
        self._engine.dispose()

    def _table(self, schema: pa.Schema) -> sa.Table:
        columns = [
            sa.Column(
                field.name,
                _type_of(field),
                primary_key=field.name == ROW_NUMBER,
                autoincrement=False,
            )
            for field in schema
        ]
        return sa.Table(f"{self._name}__rows", self._columns, *columns)

    def _exists(self, connection: sa.Connection, name: str) -> bool:
        return sa.inspect(connection).has_table(name, schema=self._space)

    def _drop(self, connection: sa.Connection, name: str) -> None:
        sa.Table(name, sa.MetaData(schema=self._space)).drop(connection, checkfirst=True)

    def _rename(self, connection: sa.Connection, old: str, new: str) -> None:
        quote = self._engine.dialect.identifier_preparer.quote
        space = f"{quote(self._space)}." if self._space else ""
        connection.execute(sa.text(f"ALTER TABLE {space}{quote(old)} RENAME TO {quote(new)}"))


def _insert(connection: sa.Connection, table: sa.Table, rows: pa.Table) -> None:
    """Insert rows; PostgreSQL takes them as CSV, which is many times as fast."""
    if connection.dialect.driver != "psycopg":
        connection.execute(table.insert(), rows.to_pylist())
        return
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(rows, sink, csv.WriteOptions(include_header=False))
    prepare = connection.dialect.identifier_preparer
    names = ", ".join(prepare.quote(name) for name in rows.column_names)
    cursor = connection.connection.cursor()
    into = f"COPY {prepare.format_table(table)} ({names}) FROM STDIN WITH (FORMAT csv)"
    with cursor.copy(into) as copy:
        copy.write(sink.getvalue())


def _type_of(field: pa.Field) -> Any:
    kind = field.type
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    for holds, column in TYPES:
        if holds(kind):
            return column()
    raise UserError(
        f"column {field.name} is of type {kind}, which no column of a database holds. Leave it out "
        "with --keep."
    )
