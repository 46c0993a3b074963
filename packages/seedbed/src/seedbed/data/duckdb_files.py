"""DuckDB files for SQLAlchemy: what reading a table needs (duckdb-engine knows no DuckDB 2)."""

import re
from collections.abc import Container
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.sql.compiler import IdentifierPreparer

from seedbed.errors import UserError

NESTED = re.compile(r"JSON|(STRUCT|MAP|UNION)\(.*|.*\]")
"""The types whose values are arrays or objects."""
OF_SCHEMA = "database_name = current_database() AND schema_name = coalesce(?, current_schema())"


def refuse_infinity(
    engine: sa.Engine, statement: Any, result: sa.CursorResult, names: Container[str], where: str
) -> None:
    """Refuse dates and times that are infinity: Python gets the last or first moment it knows.

    Parameters
    ----------
    result : CursorResult
        Of the statement.
    names : container of str
        The columns that are read.
    where : str
        The table, for messages.

    Raises UserError if a column holds one.
    """
    times = [
        name
        for name, kind, *_ in result.cursor.description
        if name in names and str(kind).startswith(("DATE", "TIMESTAMP"))
    ]
    if not times:
        return
    rows = statement.columns() if isinstance(statement, sa.TextClause) else statement
    asked = [sa.func.bool_or(sa.func.isinf(sa.column(name))) for name in times]
    with engine.connect() as connection:
        found = connection.execute(sa.select(*asked).select_from(rows.subquery())).one()
    for name, is_infinite in zip(times, found, strict=True):
        if is_infinite:
            raise UserError(
                f"{where}, column {name}: it holds infinity, which is no date or time. Make it "
                "missing, or cast its column to text, in source.options.query."
            )


class _QuotesAll(IdentifierPreparer):  # type: ignore[misc]
    legal_characters = re.compile("(?!)")  # DuckDB has reserved words of its own


def _type_of(kind: str) -> Any:
    if NESTED.fullmatch(kind):
        return sa.JSON()
    return sa.String() if kind == "VARCHAR" else sa.types.NullType()


class DuckDB(DefaultDialect):  # type: ignore[misc]
    """A dialect for ``duckdb:///FILE``, which is opened for reading only.

    Values come as DuckDB gives them: of columns it tells only which are text, and which nested.
    """

    name = driver = "duckdb"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    preparer = _QuotesAll

    @classmethod
    def import_dbapi(cls) -> Any:
        """Return DuckDB's own module."""
        import duckdb

        return duckdb

    def create_connect_args(self, url: sa.URL) -> Any:
        """Return what ``duckdb.connect`` is given."""
        return [url.database or ":memory:"], {"read_only": True}

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Do nothing: there is no transaction, and DuckDB refuses to roll back none."""

    do_commit = do_rollback

    def get_columns(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> list[ReflectedColumn]:
        """Return the columns of a table or view; none if there is no such table."""
        query = (
            f"SELECT column_name, data_type FROM duckdb_columns() WHERE {OF_SCHEMA} "
            "AND table_name = ? ORDER BY column_index"
        )
        return [
            {
                "name": name,
                "type": _type_of(kind),
                "nullable": True,
                "default": None,
            }
            for name, kind in connection.exec_driver_sql(query, (schema, table_name))
        ]

    def get_pk_constraint(
        self, connection: sa.Connection, table_name: str, schema: str | None = None, **_: Any
    ) -> ReflectedPrimaryKeyConstraint:
        """Return the columns of the primary key."""
        query = (
            f"SELECT constraint_column_names FROM duckdb_constraints() WHERE {OF_SCHEMA} "
            "AND table_name = ? AND constraint_type = 'PRIMARY KEY'"
        )
        found = connection.exec_driver_sql(query, (schema, table_name)).scalar()
        return {"name": None, "constrained_columns": list(found or [])}

    def get_table_names(
        self, connection: sa.Connection, schema: str | None = None, **_: Any
    ) -> list[str]:
        """Return the names of the tables, for messages."""
        query = f"SELECT table_name FROM duckdb_tables() WHERE {OF_SCHEMA}"
        return list(connection.exec_driver_sql(query, (schema,)).scalars())

    def get_view_names(
        self, connection: sa.Connection, schema: str | None = None, **_: Any
    ) -> list[str]:
        """Return the names of the views, for messages."""
        query = f"SELECT view_name FROM duckdb_views() WHERE NOT internal AND {OF_SCHEMA}"
        return list(connection.exec_driver_sql(query, (schema,)).scalars())
