"""Messages of a stream: each decoded into records, and records put into a table."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from io import BytesIO
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import TEXT_TYPES
from seedbed.config.source_options import KafkaOptions
from seedbed.data.csv_files import Types
from seedbed.data.sql_columns import read_column
from seedbed.errors import UserError, one_line

Record = dict[str, Any]
Decoder = Callable[[bytes], list[Record]]
CONTAINER = b"Obj\x01"
"""How an Avro object container begins, which holds its schema."""
CONFLUENT = b"\x00"
"""How a message in Confluent's wire format begins, which holds the number of its schema."""


class PoisonError(Exception):
    """A message cannot be decoded; the text says why."""


def decoder_of(options: KafkaOptions) -> Decoder:
    """Return the function that decodes one message into its records.

    JSON and bytes give one record; an Avro container may hold several, or none. Objects within one
    another become columns with dots, and lists their JSON text. The function raises
    :class:`PoisonError`.

    Raises UserError if what reads Avro is not installed, or the schema's file is missing or no
    schema.
    """
    if options.format == "bytes":
        return lambda value: [{"value": text_of(value)}]
    if options.format == "json":
        return _decode_json
    try:
        import fastavro
    except ImportError:
        raise UserError(
            "Messages in Avro need the extra kafka, which is not installed: add seedbed[kafka] to "
            "the dependencies, then `make lock setup`."
        ) from None
    if options.schema_file is None:
        return _decode_container
    path = Path(options.schema_file).expanduser()
    try:
        schema = fastavro.parse_schema(json.loads(path.read_text(encoding="utf-8")))
    except OSError:
        raise UserError(
            f"source.options.schema_file: there is no file {path}. Correct the path, or take it "
            "out where each message holds its schema."
        ) from None
    except (ValueError, KeyError, TypeError, fastavro.schema.SchemaParseException) as error:
        raise UserError(
            f"{path} (source.options.schema_file): this is no schema of Avro ({one_line(error)}). "
            "Write it in JSON, as {type: record, name: ..., fields: [...]}."
        ) from None
    return lambda value: [_decode_bare(value, schema)]


def text_of(value: bytes) -> str:
    """Return bytes as the text that they are.

    Raises PoisonError if they are not UTF-8.
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PoisonError(f"it is not UTF-8 (byte {error.start})") from None


def to_frame(records: Sequence[Record], names: Iterable[str], types: Types, first: int) -> Any:
    """Return the columns of records, each in one type; what a record does not have is missing.

    Parameters
    ----------
    records : sequence of dict
    names : iterable of str
        The columns.
    types : mapping of str to {"number", "category", "boolean", "time", ...}
        Of the columns that are configured: decimals are text where it says so.
    first : int
        The number of the first row, for messages.

    Returns
    -------
    DataFrame, shape (n_records, n_names)
        Whole numbers are Int64, truths boolean, so that they stay so where batches lack them.
    """
    columns = {}
    for name in names:
        try:
            values = list(map(itemgetter(name), records))
        except KeyError:
            values = [record.get(name) for record in records]
        columns[name] = read_column(values, name, types.get(name) in TEXT_TYPES, first, name)
    return pd.DataFrame(columns, index=range(len(records)), copy=False)


def _decode_json(value: bytes) -> list[Record]:
    from pydantic_core import from_json

    try:
        found = from_json(value)
    except ValueError as error:
        raise PoisonError(f"it is not JSON ({error})") from None
    return [_flat(found, "an object")]


def _decode_container(value: bytes) -> list[Record]:
    import fastavro

    if not value.startswith(CONTAINER):
        raise PoisonError(
            "it is no Avro container with its schema; Confluent's wire format, which needs a "
            "schema registry, is not read"
            if value.startswith(CONFLUENT)
            else "it is no Avro container with its schema: name the schema's file in "
            "source.options.schema_file"
        )
    with_schema = BytesIO(value)
    try:
        return [_flat(record, "a record") for record in fastavro.reader(with_schema)]
    except PoisonError:
        raise
    except Exception as error:  # fastavro raises whatever comes out of bytes that are no Avro
        raise PoisonError(f"its Avro cannot be read ({one_line(error)[:100]})") from None


def _decode_bare(value: bytes, schema: Any) -> Record:
    import fastavro

    file = BytesIO(value)
    try:
        found = fastavro.schemaless_reader(file, schema, None)
    except Exception as error:  # as above
        raise PoisonError(
            f"it does not fit the schema ({one_line(error)[:100]}){_hint(value)}"
        ) from None
    if left := len(value) - file.tell():
        raise PoisonError(f"it does not fit the schema ({left} bytes are left over){_hint(value)}")
    return _flat(found, "a record")


def _hint(value: bytes) -> str:
    if value.startswith(CONTAINER):
        return "; it holds a schema of its own: take source.options.schema_file out"
    if value.startswith(CONFLUENT):
        return "; Confluent's wire format, which needs a schema registry, is not read"
    return ""


def _flat(value: Any, what: str) -> Record:
    if not isinstance(value, dict):
        raise PoisonError(f"it is not {what} with names and values, but {repr(value)[:60]}")
    # Most have nothing in them that must be made flat.
    is_nested = not {dict, list}.isdisjoint(map(type, value.values()))
    if not is_nested:
        return value
    parts = list(_parts(value, ""))
    found = dict(parts)
    if len(found) < len(parts):
        twice = Counter(name for name, _ in parts).most_common(1)[0][0]
        raise PoisonError(f"it has two fields that would be the column {twice}")
    return found


def _parts(value: Record, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        if isinstance(part, dict):
            yield from _parts(part, f"{prefix}{name}.")
        elif isinstance(part, list):
            yield f"{prefix}{name}", json.dumps(part, ensure_ascii=False, default=str)
        else:
            yield f"{prefix}{name}", part
