"""Tables as the body of a request and of its answer: CSV, Parquet, Arrow."""

import io
from collections.abc import Callable
from csv import Error as CsvError
from csv import reader
from typing import TYPE_CHECKING

import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.data.csv_files import NOT_KNOWN
from seedbed.errors import one_line
from seedbed.serving.http.refusals import Refusal
from seedbed.serving.http.sent import Sent
from seedbed.serving.signature import Signature

if TYPE_CHECKING:
    import pyarrow as pa

CSV = "text/csv"
PARQUET = "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"
EXPANDED = 8
"""How many times as large as a body may be, a table may be when it is in memory."""


def read_table_rows(
    body: bytes, kind: str, signature: Signature, max_rows: int, max_bytes: int
) -> Sent:
    """Return the rows of a table.

    Parameters
    ----------
    body : bytes
    kind : str
        `CSV`, `PARQUET` or `ARROW`.
    signature : Signature
        Gives the types of CSV's columns.
    max_rows, max_bytes : int
        A table with more rows, or `EXPANDED` times as many bytes in memory, is not read.

    Raises
    ------
    Refusal
        If it is damaged or too large, or two columns have one name.
    """
    import pyarrow as pa

    try:
        table = READERS[kind](body, max_rows, EXPANDED * max_bytes).replace_schema_metadata(None)
        table.validate(full=True)
        refuse_many_rows(table.num_rows, max_rows)
        _refuse_repeated_and_nested(table)
        table = _decoded(table, EXPANDED * max_bytes)
        frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError, CsvError) as error:
        what = f"The body cannot be read as {kind}: {one_line(error)[:300]}"
        raise Refusal(400, "body", what, kind) from None
    if kind == CSV:
        for column in signature.columns:
            if column.name in frame and column.type in ("number", "boolean", "time"):
                frame[column.name] = _read_texts(frame[column.name], column.type)
    return Sent(frame, len(frame))


def refuse_many_rows(count: int, most: int) -> None:
    """Refuse more rows than a request may have."""
    if count > most:
        what = f"There are {count:,} rows. Send them in parts, or use `seedbed score`."
        raise Refusal(413, "rows", what, f"at most {most:,} rows")


def write_table(frame: pd.DataFrame, kind: str) -> bytes:
    """Return a table as the body of an answer, of `CSV`, `PARQUET` or `ARROW`."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError):  # JSON may hold values of many types in one column
        texts = {
            name: frame[name].map(str, na_action="ignore").astype("str")
            for name in frame
            if frame[name].dtype == object
        }
        table = pa.Table.from_pandas(frame.assign(**texts), preserve_index=False)
    table = table.replace_schema_metadata(None)
    sink = io.BytesIO()
    if kind == CSV:
        csv.write_csv(table, sink, csv.WriteOptions(quoting_style="needed"))
    elif kind == PARQUET:
        parquet.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _read_csv(body: bytes, _max_rows: int, _max_bytes: int) -> "pa.Table":
    """Return all columns as text, in which only the empty field is missing."""
    import pyarrow as pa
    from pyarrow import csv

    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    names = next(reader(lines), [])
    table = csv.read_csv(
        io.BytesIO(body),
        read_options=csv.ReadOptions(use_threads=False, block_size=len(body) + 1),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if body.count(b'"') % 2 and table.num_rows:
        last = table.slice(table.num_rows - 1).to_pylist()[0].values()
        if any(value is not None and "\n" in value for value in last):
            raise ValueError("a quote is opened and never closed")
    return table


def _read_parquet(body: bytes, max_rows: int, max_bytes: int) -> "pa.Table":
    from pyarrow import parquet
    from pyarrow import types as are

    schema = parquet.read_schema(io.BytesIO(body))
    texts = [field.name for field in schema if are.is_string(field.type)]
    # A text that many rows share takes its place once, until it is known what all of them take.
    file = parquet.ParquetFile(io.BytesIO(body), read_dictionary=texts)
    about = file.metadata
    refuse_many_rows(about.num_rows, max_rows)
    groups = range(about.num_row_groups)
    size = sum(about.row_group(group).total_byte_size for group in groups)
    if size > max_bytes:
        raise _too_large(size, max_bytes)
    return file.read(use_threads=False)


def _read_arrow(body: bytes, max_rows: int, max_bytes: int) -> "pa.Table":
    import pyarrow as pa

    batches, rows, size = [], 0, 0
    with pa.ipc.open_stream(body) as stream:
        for batch in stream:
            rows, size = rows + batch.num_rows, size + batch.nbytes
            refuse_many_rows(rows, max_rows)
            if size > max_bytes:
                raise _too_large(size, max_bytes)
            batches.append(batch)
        return pa.Table.from_batches(batches, stream.schema)


READERS: dict[str, Callable[[bytes, int, int], "pa.Table"]] = {
    CSV: _read_csv,
    PARQUET: _read_parquet,
    ARROW: _read_arrow,
}


def _too_large(size: int, most: int) -> Refusal:
    what = f"The table takes {size:,} bytes in memory. Send it in parts, or use `seedbed score`."
    return Refusal(413, "body", what, f"at most {most:,} bytes in memory")


def _decoded(table: "pa.Table", most: int) -> "pa.Table":
    """Return a table in which each row holds its own text, if that is not too large."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types as are

    for place, field in enumerate(table.schema):
        if not are.is_dictionary(field.type):
            continue
        if are.is_string(field.type.value_type) or are.is_large_string(field.type.value_type):
            size = sum(
                pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
                for chunk in table[place].chunks
            )
            if size > most:
                raise _too_large(size, most)
            table = table.set_column(place, field.name, table[place].cast(pa.large_string()))
        else:
            table = table.set_column(place, field.name, table[place].cast(field.type.value_type))
    return table


def _refuse_repeated_and_nested(table: "pa.Table") -> None:
    from pyarrow import types as are

    names = table.column_names
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise Refusal(422, f"columns.{twice}", "Two columns have this name.", "each column once")
    plain = (
        *(are.is_integer, are.is_floating, are.is_boolean, are.is_decimal, are.is_null),
        *(are.is_string, are.is_large_string, are.is_string_view, are.is_timestamp, are.is_date),
    )
    for field in table.schema:
        kind = field.type.value_type if are.is_dictionary(field.type) else field.type
        if not any(is_kind(kind) for is_kind in plain):
            what = f"The column is of Arrow's type {one_line(field.type)[:80]}."
            raise Refusal(
                422, f"columns.{field.name}", what, "numbers, texts, truth values, dates, times"
            )


def _read_texts(texts: pd.Series, kind: ColumnType) -> pd.Series:
    """Return CSV's texts as the numbers, truth values or times that they write.

    One that writes none stays a text, for the signature to refuse it with its row.
    """
    import pyarrow as pa

    texts = texts.mask(texts.isin(NOT_KNOWN))
    if kind == "time":
        return texts
    values = pa.array(texts.array)
    try:
        found = values.cast(pa.float64() if kind == "number" else pa.bool_())
        return pd.Series(found.to_pandas(types_mapper=pd.ArrowDtype), index=texts.index)
    except pa.ArrowInvalid:
        return texts.astype(object).map(_number if kind == "number" else _truth, na_action="ignore")


def _number(text: str) -> float | str:
    try:
        return text if "_" in text else float(text)
    except ValueError:
        return text


def _truth(text: str) -> bool | str:
    return {"true": True, "false": False, "1": True, "0": False}.get(text.strip().lower(), text)
