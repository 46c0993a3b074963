"""The statement that reads a table of a database, or what a query gives."""

import re
from typing import TYPE_CHECKING, Any

from seedbed.config.schema import Source
from seedbed.config.source_options import SqlOptions
from seedbed.data.csv_files import Needed
from seedbed.data.databases import without_password
from seedbed.data.sql_columns import why_nested
from seedbed.errors import UserError, did_you_mean, some_of

if TYPE_CHECKING:
    import sqlalchemy as sa

QUOTED = re.compile(r"""'[^']*'|`[^`]*`|\[[^\]]*\]|--.*|/\*[\s\S]*?\*/|"((?:[^"`]|"")*)\"""")
"""Texts, names and comments of SQL; the group holds a name in double quotes."""


def bind_parameters(options: SqlOptions) -> "sa.TextClause":
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


def refuse_quoted_text(engine: "sa.Engine", options: SqlOptions) -> None:
    """Let SQLite refuse a query in which a name in double quotes is no column.

    It would take such a name for a text, https://sqlite.org/quirks.html#dblquote; in backticks,
    names are names only.
    """
    query = str(options.query)
    if engine.dialect.name != "sqlite" or '"' not in query:
        return

    def in_backticks(found: re.Match[str]) -> str:
        return "`{}`".format(found[1].replace('""', '"')) if found[1] else found[0]

    names = QUOTED.sub(in_backticks, query)
    explained = options.model_copy(update={"query": f"EXPLAIN {names}"})
    with engine.connect() as connection:
        connection.execute(bind_parameters(explained))


def look_up_table(
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
            f"{without_password(str(source.path))}: there is no table {name}"
            f"{did_you_mean(plain, known)}. Correct dataset.tables or source.options.table."
        )
    key = inspector.get_pk_constraint(plain, schema=space).get("constrained_columns") or []
    types = {column["name"]: column["type"] for column in columns}
    return types, list(key), sa.table(plain, schema=space)


def select_columns(
    engine: "sa.Engine", name: str, source: Source, needed: Needed
) -> tuple["sa.Select", list[str]]:
    """Return the statement that reads the needed columns of a table, in an order of its own."""
    import sqlalchemy as sa

    types, key, table = look_up_table(engine, name, source)
    names = needed(list(types))
    for column in names:
        if isinstance(types[column], sa.ARRAY | sa.JSON):
            raise UserError(
                why_nested(f"{without_password(str(source.path))}, table {name}", column)
            )
    # Without types, drivers give what stands there, and SQLite's text of a time stays as it is.
    order = [sa.column(column) for column in key]
    if not key or engine.dialect.name == "duckdb":  # whose keys are unique by their bytes
        order = [_by_bytes(sa.column(column), types[column], engine) for column in key or names]
    return sa.select(*map(sa.column, names)).select_from(table).order_by(*order), names


def _by_bytes(column: "sa.ColumnClause", kind: Any, engine: "sa.Engine") -> "sa.ColumnElement":
    """Return a column to sort by, of which no texts tie that its collation takes for equal."""
    import sqlalchemy as sa

    name = engine.dialect.name
    if name == "sqlite":  # of which a column of any type holds texts
        return sa.collate(column, "BINARY")
    if not isinstance(kind, sa.String):
        return column
    if name in ("mysql", "mariadb"):
        return sa.cast(column, sa.LargeBinary)
    if name == "postgresql" and not isinstance(kind, sa.Enum):
        return sa.collate(sa.cast(column, sa.Text), "C")
    return sa.collate(column, "C") if name == "duckdb" else column
