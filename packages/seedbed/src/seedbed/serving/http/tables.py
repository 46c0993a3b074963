"""Tables as the body of a request and of its answer: CSV, Parquet, Arrow."""

import io
from collections.abc import Callable
from csv import Error as CsvError
from csv import reader
from typing import TYPE_CHECKING

import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.data.csv_files import NOT_KNOWN
from seedbed.data.texts import is_text
from seedbed.errors import one_line
from seedbed.serving.http.arrow_sizes import unpacked_size
from seedbed.serving.http.refusals import Refusal
from seedbed.serving.http.sent import Sent
from seedbed.serving.http.table_limits import (
    refuse_large,
    refuse_many_columns,
    refuse_many_rows,
    refuse_other_columns,
    refuse_repeated,
    row_size,
)
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
    kind : str
        `CSV`, `PARQUET` or `ARROW`.
    signature : Signature
        Gives the types of CSV's columns.
    max_rows, max_bytes : int
        A table with more rows, or `EXPANDED` times as many bytes in memory, is not read.

    Raises Refusal if it is damaged or too large, two columns have one name, or one is of another
    type.
    """
    import pyarrow as pa

    try:
        if kind == CSV:
            _refuse_other_separator(_header(body), signature)
        table = READERS[kind](body, max_rows, EXPANDED * max_bytes).replace_schema_metadata(None)
        table.validate(full=True)
        refuse_many_rows(table.num_rows, max_rows)
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


def _refuse_other_separator(names: list[str], signature: Signature) -> None:
    if len(names) != 1 or names[0] in [column.name for column in signature.columns]:
        return
    if separator := next((sign for sign in ";\t|" if sign in names[0]), None):
        what = f"The columns are separated by {separator!r}: {names[0][:100]}"
        raise Refusal(400, "body", what, "CSV with commas between columns")


def write_table(frame: pd.DataFrame, kind: str) -> bytes:
    """Return a table as the body of an answer, of `CSV`, `PARQUET` or `ARROW`."""
    import pyarrow as pa
    from pyarrow import csv, parquet

    table = pa.table({str(name): _as_arrow(frame[name], kind) for name in frame})
    sink = io.BytesIO()
    if kind == CSV:
        csv.write_csv(table, sink, csv.WriteOptions(quoting_style="needed"))
    elif kind == PARQUET:
        parquet.write_table(table, sink)
    else:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    return sink.getvalue()


def _as_arrow(values: pd.Series, kind: str) -> "pa.Array":
    """Return a column as Arrow's; one of values of several types, or of lists, as texts."""
    import pyarrow as pa

    try:
        found = pa.array(values, from_pandas=True)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        if not pa.types.is_nested(found.type):
            return found.cast(pa.string()) if kind == CSV and _has_parts(found.type) else found
    except (pa.ArrowException, TypeError, OverflowError):
        pass
    texts = [None if pd.api.types.is_scalar(v) and pd.isna(v) else str(v) for v in values]
    return pa.array(texts, pa.string())


def _has_parts(kind: "pa.DataType") -> bool:
    """Whether CSV has no notation of its own for values of a type, as for times."""
    from pyarrow import types as are

    is_plain = are.is_primitive(kind) or is_text(kind)
    return not is_plain or are.is_temporal(kind) or are.is_float16(kind)


def _header(body: bytes) -> list[str]:
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    return next(reader(lines), [])


def _read_csv(body: bytes, _max_rows: int, _max_bytes: int) -> "pa.Table":
    """Return all columns as text, in which only the empty field is missing."""
    import pyarrow as pa
    from pyarrow import csv

    first = _header(body)
    refuse_many_columns(len(first))
    generated = [f"f{place}" for place, _ in enumerate(first)]
    table = csv.read_csv(
        io.BytesIO(body),
        read_options=csv.ReadOptions(
            use_threads=False, block_size=len(body) + 1, autogenerate_column_names=True
        ),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(generated, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    if table.column_names != generated:
        raise ValueError("it is not clear how many columns the first line names")
    names = [value or "" for value in table.slice(0, 1).to_pylist()[0].values()]
    refuse_repeated(names)
    table = table.slice(1).rename_columns(names)
    if body.count(b'"') % 2 and table.num_rows:
        last = table.slice(table.num_rows - 1).to_pylist()[0].values()
        if any(value is not None and "\n" in value for value in last):
            raise ValueError("a quote is opened and never closed")
    return table


def _read_parquet(body: bytes, max_rows: int, max_bytes: int) -> "pa.Table":
    from pyarrow import parquet

    schema = parquet.read_schema(io.BytesIO(body))
    refuse_other_columns(schema)
    texts = [field.name for field in schema if is_text(field.type)]
    # A text that many rows share takes its place once, until it is known what all of them take.
    file = parquet.ParquetFile(io.BytesIO(body), read_dictionary=texts)
    groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    refuse_many_rows(rows, max_rows)
    # So does a number, whereas in memory each row has its own.
    size = max(sum(group.total_byte_size for group in groups), rows * row_size(schema))
    refuse_large(size, max_bytes)
    return file.read(use_threads=False)


def _read_arrow(body: bytes, max_rows: int, max_bytes: int) -> "pa.Table":
    import pyarrow as pa

    with pa.ipc.open_stream(body) as stream:
        refuse_other_columns(stream.schema)
        refuse_large(unpacked_size(body), max_bytes)
        batches, rows = [], 0
        for batch in stream:
            rows += batch.num_rows
            refuse_many_rows(rows, max_rows)
            batches.append(batch)
        return pa.Table.from_batches(batches, stream.schema)


READERS: dict[str, Callable[[bytes, int, int], "pa.Table"]] = {
    CSV: _read_csv,
    PARQUET: _read_parquet,
    ARROW: _read_arrow,
}


def _decoded(table: "pa.Table", most: int) -> "pa.Table":
    """Return a table in which each row holds its own text, if that is not too large."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types as are

    for place, field in enumerate(table.schema):
        if not are.is_dictionary(field.type):
            continue
        if is_text(field.type.value_type):
            size = sum(
                pc.sum(pc.binary_length(chunk.dictionary).take(chunk.indices)).as_py() or 0
                for chunk in table[place].chunks
            )
            refuse_large(size, most)
            table = table.set_column(place, field.name, table[place].cast(pa.large_string()))
        else:
            table = table.set_column(place, field.name, table[place].cast(field.type.value_type))
    return table


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
