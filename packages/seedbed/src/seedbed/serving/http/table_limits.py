"""What a table may not be, to be refused before it is unpacked: too large, or of other types."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from seedbed.errors import one_line
from seedbed.serving.http.refusals import Refusal

if TYPE_CHECKING:
    import pyarrow as pa

MOST_COLUMNS = 20_000
"""Each takes time and memory, however few rows there are."""


def refuse_many_rows(count: int, most: int) -> None:
    """Refuse more rows than a request may have."""
    if count > most:
        what = f"There are {count:,} rows. Send them in parts, or use `seedbed score`."
        raise Refusal(413, "rows", what, f"at most {most:,} rows")


def refuse_many_columns(count: int) -> None:
    """Refuse more columns than a table may have."""
    if count > MOST_COLUMNS:
        what = f"There are {count:,} columns. Leave out those that the model does not need."
        raise Refusal(413, "columns", what, f"at most {MOST_COLUMNS:,} columns")


def refuse_repeated(names: Sequence[str]) -> None:
    """Refuse two columns of one name."""
    name, times = Counter(names).most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise Refusal(422, f"columns.{name}", "Two columns have this name.", "each column once")


def refuse_other_columns(schema: "pa.Schema") -> None:
    """Refuse columns that are too many, have one name, or are of a type that no column has here."""
    from pyarrow import types as are

    refuse_many_columns(len(schema))
    refuse_repeated(schema.names)
    plain = (
        *(are.is_integer, are.is_floating, are.is_boolean, are.is_decimal, are.is_null),
        *(are.is_string, are.is_large_string, are.is_string_view, are.is_timestamp, are.is_date),
    )
    for field in schema:
        kind = field.type.value_type if are.is_dictionary(field.type) else field.type
        if not any(is_kind(kind) for is_kind in plain):
            what = f"The column is of Arrow's type {one_line(field.type)[:80]}."
            raise Refusal(
                422, f"columns.{field.name}", what, "numbers, texts, truth values, dates, times"
            )


def row_size(schema: "pa.Schema") -> int:
    """Return how many bytes a row takes at least: of a text its code."""
    bits = 0
    for field in schema:
        try:
            bits += field.type.bit_width
        except ValueError:
            bits += 32
    return bits // 8


def refuse_large(size: int, most: int) -> None:
    """Refuse a table that takes more memory than it may."""
    if size > most:
        what = (
            f"The table takes {size:,} bytes in memory. Send it in parts, or use `seedbed score`."
        )
        raise Refusal(413, "body", what, f"at most {most:,} bytes in memory")
