"""Rows of a request as JSON, by rows or by columns, and what is refused of it."""

import json
from collections.abc import Mapping
from typing import Any

import orjson
import pandas as pd

from seedbed.errors import one_line
from seedbed.serving.http.refusals import Refusal
from seedbed.serving.http.sent import FEW, Sent

SHAPES = 'JSON, {"rows": [{column: value, ...}, ...]} or {"columns": {column: [value, ...], ...}}'


def read_json_rows(body: bytes) -> Sent:
    """Return the rows of a JSON body.

    Raises Refusal if it is no JSON, has a key twice, or is of another shape.
    """
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refusal(400, "body", f"The body is not JSON: {one_line(error)}.", SHAPES) from None
    rows, columns = None, None
    if isinstance(found, dict) and len(found) == 1:
        rows, columns = found.get("rows"), found.get("columns")
    if isinstance(rows, list):
        sent = Sent(rows, len(rows))
        for place, row in enumerate(rows):
            if not isinstance(row, dict):
                what = f"This row is a {_name_of(row)}."
                raise Refusal(422, f"rows[{place}]", what, "an object, {column: value, ...}")
        keys = 1 + sum(map(len, rows))
    elif isinstance(columns, dict):
        sent = _by_columns(columns)
        keys = 1 + len(columns)
    else:
        raise Refusal(422, "body", _other_shape(found), SHAPES)
    _refuse_repeated_keys(body, keys)
    return sent


def _by_columns(columns: Mapping[str, Any]) -> Sent:
    lengths = {}
    for name, values in columns.items():
        if not isinstance(values, list):
            what = f"The values of this column are a {_name_of(values)}."
            raise Refusal(422, f"columns.{name}", what, "a list of values, one for each row")
        lengths[name] = len(values)
    count = next(iter(lengths.values()), 0)
    for name, length in lengths.items():
        if length != count:
            first = next(iter(lengths))
            what = f"This column has {length} values, and {first} has {count}."
            raise Refusal(422, f"columns.{name}", what, "as many values in each column")
    if count <= FEW:
        values = zip(*columns.values(), strict=True)
        rows: Any = [dict(zip(columns, row, strict=True)) for row in values]
    else:
        rows = pd.DataFrame(
            {name: pd.Series(values, dtype=object) for name, values in columns.items()}
        )
    return Sent(rows, count, by_columns=True)


def _refuse_repeated_keys(body: bytes, keys: int) -> None:
    """Refuse a key that stands twice in one object: orjson takes the last without a word.

    Where no colon follows white space, `":` stands once for each key, and besides only in texts
    with an escaped quote. So if it stands as often as there are keys in what was parsed, no key was
    lost. Only if not, Python's own parser, ten times slower, looks at each key.

    Parameters
    ----------
    keys : int
        How many there are in what was parsed, those of nested values left out.
    """
    spaced = b" :" in body or b"\n:" in body or b"\t:" in body or b"\r:" in body
    if not spaced and body.count(b'":') == keys:
        return

    def refuse(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            what = f"The key {twice!r} stands twice in one object."
            raise Refusal(400, "body", what, "each key once")
        return found

    try:
        json.loads(body, object_pairs_hook=refuse)
    except RecursionError:
        what = "The body is nested too deeply."
        raise Refusal(400, "body", what, "values that are no objects or lists") from None


def _other_shape(found: Any) -> str:
    if not isinstance(found, dict):
        return f"The body is a {_name_of(found)}."
    for name, wanted in (("rows", "list"), ("columns", "object")):
        if name in found and len(found) == 1:
            return f"{name} is a {_name_of(found[name])}, and not a {wanted}."
    keys = ", ".join(map(repr, list(found)[:5])) or "none"
    return f"The body is an object with other keys than one of rows and columns: {keys}."


def _name_of(value: Any) -> str:
    names = {dict: "object", list: "list", str: "text", bool: "truth value", type(None): "null"}
    return names.get(type(value), "number")
