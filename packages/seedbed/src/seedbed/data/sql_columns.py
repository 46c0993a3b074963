"""A column of a database's table: the values of a batch, put into one type."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from seedbed.data.integers import EXACT, typed_objects
from seedbed.data.parquet_files import arrow_to_pandas
from seedbed.errors import UserError, row_of_source

TYPES = {bool, int, float, str, bytes, datetime, date, time, timedelta, Decimal}
"""The types of values that have a column type; others, such as UUID, are read as their text."""
NESTED = (list, dict, tuple)
"""What arrays, JSON and composite types of PostgreSQL come as."""


def why_nested(where: str, name: str, row: int | None = None) -> str:
    """Return why a column cannot be read that holds arrays or objects."""
    place = "" if row is None else f", {row_of_source(row)}"
    return (
        f"{where}, column {name}{place}: it holds arrays or objects, which are no column of a "
        "table. Take out of them what is needed in source.options.query, cast it to text there, "
        "or take the column out of columns."
    )


def read_column(
    values: Sequence[Any], name: str, is_text: bool, first: int, where: str
) -> pd.Series:
    """Return the values of a batch in one type, or as objects where they are of several.

    Parameters
    ----------
    values : sequence, shape (n_rows,)
        As the database's driver gives them.
    is_text : bool
        Whether numbers are read as text, with every digit.
    first : int
        The number of the first row, for messages.
    where : str
        The table, for messages.

    Raises UserError if one is an array or an object.
    """
    kinds = {type(value) for value in values} - {type(None)}
    if any(issubclass(kind, NESTED) for kind in kinds):
        row = next(place for place, value in enumerate(values) if isinstance(value, NESTED))
        raise UserError(why_nested(where, name, first + row))
    if not kinds <= TYPES:
        values = [
            value if value is None or type(value) in TYPES else str(value) for value in values
        ]
    elif kinds == {Decimal}:
        values = _plain_decimals(values, is_text)
    elif _would_change(values, kinds):
        return typed_objects(pd.Series(list(values), dtype=object))
    try:
        found = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # Of several types, as SQLite may hold them.
        return typed_objects(pd.Series(list(values), dtype=object))
    if pa.types.is_null(found.type):
        found = found.cast(pa.string())
    elif pa.types.is_timestamp(found.type) and found.type.tz:
        found = found.cast(pa.timestamp("us", "UTC"))
    return arrow_to_pandas(pa.table({name: found}), where)[name]


def _would_change(values: Sequence[Any], kinds: set[type]) -> bool:
    """Whether Arrow would put values of several types into one that changes some of them.

    It makes 1.0 of a truth after a float, a float of an integer that it rounds, a date of a time,
    and a time without an offset of one with it.
    """
    if kinds == {int, float}:
        return any(type(value) is int and abs(value) >= EXACT for value in values)
    if kinds == {datetime}:
        return len({value.tzinfo is None for value in values if value is not None}) > 1
    return len(kinds) > 1 and (bool in kinds or {date, datetime} <= kinds)


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
