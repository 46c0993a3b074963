"""PostgreSQL's rows as Arrow batches by ADBC, where these give the values that SQLAlchemy gives."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from seedbed.data.databases import CONNECT_WITHIN
from seedbed.data.parquet_files import arrow_to_pandas
from seedbed.data.sql_columns import read_column

if TYPE_CHECKING:
    from sqlalchemy import Engine

SAME = {
    *("int2", "int4", "int8", "float8", "numeric", "bool"),
    *("text", "varchar", "bpchar", "date", "timestamp", "timestamptz"),
}
"""The types of PostgreSQL whose values are the same by both ways; another makes none be used.

A float4 is 0.1 by SQLAlchemy, and the nearest 32-bit float by ADBC.
"""
DEFAULTS = {
    "connect_timeout": CONNECT_WITHIN,
    "options": "-c default_transaction_read_only=on",
    "client_encoding": "utf8",
}
"""Options of the connection, unless the URL says otherwise."""
DATES = (pd.Timestamp("0001-01-01"), pd.Timestamp("9999-12-31 23:59:59.999999"))
"""What Python's datetime holds. Infinity is beyond it."""


class NoArrow(Exception):
    """ADBC cannot read these rows, and none was read."""


@contextmanager
def arrow_reader(engine: "Engine", statement: Any) -> Iterator[pa.RecordBatchReader]:
    """Yield what reads a statement without parameters in bounded memory.

    Raises NoArrow if its driver is not installed, the database refuses, or a column is of a type
    that is not in :data:`SAME`.
    """
    from sqlalchemy.dialects import postgresql

    try:
        from adbc_driver_manager import Error
        from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]
        from psycopg import Error as LibpqError
        from psycopg.conninfo import make_conninfo
    except ImportError:
        raise NoArrow from None
    # Of this style, no sign of the statement is doubled.
    query = str(statement.compile(dialect=postgresql.dialect(paramstyle="named")))
    _, arguments = engine.dialect.create_connect_args(engine.url)
    arguments.pop("context", None)  # psycopg's own; the others are libpq's
    try:
        connection = dbapi.connect(make_conninfo(**{**DEFAULTS, **arguments}))
    except (Error, LibpqError):
        raise NoArrow from None
    with connection, connection.cursor() as cursor:
        try:
            types = {
                (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode().strip("'")
                for field in cursor.adbc_execute_schema(query)
            }
            if not types <= SAME:
                raise NoArrow
            cursor.execute(query)
            reader = cursor.fetch_record_batch()
        except Error:
            raise NoArrow from None
        yield reader


def arrow_frame(batch: pa.RecordBatch, texts: Mapping[str, bool], where: str) -> pd.DataFrame:
    """Return a batch in pandas' types.

    Parameters
    ----------
    texts : mapping of str to bool
        Whether the numbers of a column are read as text, with every digit.
    where : str
        The table, for messages.

    Raises OverflowError if a date or time is none of Python's, such as infinity.
    """
    columns: dict[str, pa.Array] = {}
    decimals: dict[str, list[Decimal | None]] = {}
    for name, values in zip(batch.schema.names, batch.columns, strict=True):
        columns[name] = values
        if isinstance(values, pa.ExtensionArray):  # NUMERIC, as text
            columns[name] = values.storage
            if (found := _read_numeric(values.storage, texts[name])) is None:
                given = values.storage.to_pylist()
                decimals[name] = [None if text is None else Decimal(text) for text in given]
            else:
                columns[name] = found
        elif pa.types.is_temporal(values.type):
            _refuse_infinity(values)
        elif pa.types.is_integer(values.type):
            columns[name] = values.cast(pa.int64())
    frame = arrow_to_pandas(pa.table(columns), where)
    for name, numbers in decimals.items():
        frame[name] = read_column(numbers, name, texts[name], 0, where)
    return frame


def _refuse_infinity(values: pa.Array) -> None:
    plain = values.cast(pa.int32() if pa.types.is_date(values.type) else pa.int64())
    unit = "D" if pa.types.is_date(values.type) else "us"
    low, high = (
        int(end.to_datetime64().astype(f"datetime64[{unit}]").astype("int64")) for end in DATES
    )
    found = pc.min_max(plain).as_py()
    if found["min"] is not None and (found["min"] < low or found["max"] > high):
        raise OverflowError("a date or time is infinity, or of a year that is not in 1 to 9999")


def _read_numeric(texts: pa.Array, is_text: bool) -> pa.Array | None:
    """Return NUMERIC as :func:`read_column` reads Decimals, or None where it must do it itself."""
    if pc.any(pc.match_substring_regex(texts, "[^0-9.-]")).as_py():  # NaN and Infinity
        return None
    short = pc.replace_substring_regex(texts, r"\.0*$", "")
    if is_text:
        return pc.replace_substring_regex(short, r"(\.[0-9]*[1-9])0+$", r"\1")
    if pc.any(pc.match_substring(short, ".")).as_py():
        return short.cast(pa.float64())
    try:
        return short.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 2^63
        return None
