"""Files of JSON lines in batches: read by Arrow where values are of their types, else singly."""

import io
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import json as arrow_json

from seedbed.config.source_options import Options
from seedbed.data.one_value import value_text
from seedbed.data.text_files import opened, refusing_damage
from seedbed.errors import UserError
from seedbed.serving.scoring.batches import Batch, Done, Rejected
from seedbed.serving.scoring.inputs import Wanted, identity_of, wording_of

FIRST = 1000
"""Of so many lines the names and types of columns are taken."""
PLAIN = (pa.int64(), pa.float64(), pa.bool_())


class JsonInput:
    """Files of one object a line, one after the other: see :class:`inputs.Input`."""

    rows: int | None = None

    def __init__(self, name: str, paths: Sequence[Path], options: Options) -> None:
        self.name, self._paths = name, paths
        records = [_load(line) for line in islice(self._lines(), FIRST)]
        if records and not any(isinstance(record, dict) for record in records):
            raise UserError(
                f"{name}: the first lines are no JSON objects. Give JSON lines, one object a line; "
                "`jq -c '.[]' OLD > NEW.jsonl` makes them of a list."
            )
        self._records = [record for record in records if isinstance(record, dict)]
        self.columns = tuple(dict.fromkeys(key for record in self._records for key in record))
        self.identity = identity_of(paths, options)
        self.wording = wording_of(options)

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done."""
        schema = self._schema(wanted)
        lines, first = islice(self._lines(), done.rows, None), done.rows + 1
        while block := list(islice(lines, wanted.size)):
            yield _read(block, schema, first)
            first += len(block)

    def _lines(self) -> Iterator[bytes]:
        for path in self._paths:
            with refusing_damage(path), opened(path) as file:
                for line in file:
                    if line.strip():
                        yield line if line.endswith(b"\n") else line + b"\n"

    def _schema(self, wanted: Wanted) -> pa.Schema:
        """Return numbers for the model as such; of what is kept, whole numbers stay whole."""

        def kind(name: str) -> pa.DataType:
            if name in wanted.numbers:
                return pa.float64()
            try:
                found = pa.array([record.get(name) for record in self._records]).type
            except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
                return pa.string()
            return found if found in PLAIN else pa.string()

        return pa.schema([(name, kind(name)) for name in wanted.columns])


def _read(lines: list[bytes], schema: pa.Schema, first: int) -> Batch:
    numbers = np.arange(first, first + len(lines))
    parsing = arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    content = b"".join(lines)
    whole = arrow_json.ReadOptions(use_threads=False, block_size=len(content) + 1)
    try:
        table = arrow_json.read_json(io.BytesIO(content), whole, parsing)
        if len(table) == len(lines):
            return Batch(table, numbers, len(lines))
    except pa.ArrowInvalid:
        pass  # values are of other types, or lines are no JSON: they are read one by one
    found = [(number, line, _load(line)) for number, line in zip(numbers, lines, strict=True)]
    rejected = [
        Rejected(
            row=int(number),
            column="",
            value=line[:60].decode(errors="replace").strip(),
            reason="this is no JSON object",
        )
        for number, line, record in found
        if not isinstance(record, dict)
    ]
    good = [(number, record) for number, _, record in found if isinstance(record, dict)]
    texts = {
        name: pa.array([_text(record.get(name)) for _, record in good], pa.string())
        for name in schema.names
    }
    rows = np.array([number for number, _ in good], dtype=np.int64)
    return Batch(pa.table(texts), rows, len(lines), rejected)


def _load(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | dict | bool) else value_text(value)
