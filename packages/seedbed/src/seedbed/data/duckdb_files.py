"""DuckDB files for SQLAlchemy: what reading a table needs (duckdb-engine knows no DuckDB 2)."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import ReflectedColumn, ReflectedPrimaryKeyConstraint
from sqlalchemy.sql.compiler import IdentifierPreparer

NESTED = re.compile(r"JSON|(STRUCT|MAP|UNION)\(.*|.*\]")
"""The types whose values are arrays or objects."""
OF_SCHEMA = "database_name = current_database() AND schema_name = coalesce(?, current_schema())"


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
