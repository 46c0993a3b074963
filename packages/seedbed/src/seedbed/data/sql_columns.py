"""A column of a database's table: the values of batches, put together in one type."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from seedbed.data.integers import typed_objects
from seedbed.data.parquet_files import arrow_to_pandas
from seedbed.errors import UserError

TYPES = {bool, int, float, str, bytes, datetime, date, time, timedelta, Decimal}
"""The types of values that have a column type; others, such as UUID, are read as their text."""
NESTED = (list, dict, tuple)
"""What arrays, JSON and composite types of PostgreSQL come as."""


def why_nested(where: str, name: str, row: int | None = None) -> str:
    """Return why a column cannot be read that holds arrays or objects."""
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
            raise UserError(why_nested(where, self._name, first + row))
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

    def to_pandas(self, where: str) -> pd.Series:
        """Return all values in one type, whole numbers beside floats as floats, else as objects."""
        arrays = [chunk for chunk in self._chunks if isinstance(chunk, pa.Array)]
        types = {chunk.type for chunk in arrays if not pa.types.is_null(chunk.type)}
        of_one_type = len(types) <= 1 or types == {pa.int64(), pa.float64()}
        if len(arrays) < len(self._chunks) or not of_one_type:
            values: list[Any] = []
            for chunk in self._chunks:
                values += chunk if isinstance(chunk, list) else chunk.to_pylist()
            return typed_objects(pd.Series(values, dtype=object))
        wanted = pa.float64() if len(types) > 1 else next(iter(types), pa.string())
        chunks = [
            chunk if chunk.type == wanted else chunk.cast(wanted, safe=False) for chunk in arrays
        ]
        table = pa.table({self._name: pa.chunked_array(chunks, wanted)})
        return arrow_to_pandas(table, where)[self._name]


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
