"""JSON files: a list of records, or one a line; nested objects become columns with dots."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.source_options import JsonOptions
from seedbed.data.headers import refuse_repeated
from seedbed.data.integers import typed_objects
from seedbed.data.text_files import opened, refusing_damage
from seedbed.errors import UserError, some_of

SAFE_DIGITS = 15
"""Whole numbers of so many digits are exact as a float."""


def read_json(path: Path, options: JsonOptions) -> pd.DataFrame:
    """Read records; ``{"a": {"b": 1}}`` becomes a column ``a.b``, and a list its JSON text.

    Whole numbers keep every digit, also where some are missing.

    Raises
    ------
    UserError
        If the file is not JSON, or the records are not where the options say.
    """
    records = (
        read_lines(path)
        if options.lines
        else find_records(load_document(path), options.records, str(path))
    )
    refuse_no_objects(records, str(path))
    return records_frame(records, str(path))


def refuse_no_objects(records: Sequence[Any], where: str) -> None:
    """Refuse records of which one is no object.

    Raises UserError if there is one; it names the first.
    """
    for place, record in enumerate(records, 1):
        if not isinstance(record, dict):
            raise UserError(
                f"{where}, record {place}: {_short(record)} is no object with names and values. "
                "Give a list of objects; where it lies deeper, name it in source.options.records."
            )


def records_frame(records: Sequence[dict[str, Any]], where: str) -> pd.DataFrame:
    """Return objects as rows: see :func:`read_json`.

    Raises UserError if two columns get one name.
    """
    for name in sorted({name for record in records for name in record if "." in name}):
        if any(name in record and _is_there(record, name) for record in records):
            refuse_repeated([name, name], where)  # pandas would keep one of them
    frame = pd.json_normalize(list(records))
    refuse_repeated(map(str, frame.columns), where)
    objects = [name for name in frame.columns if frame[name].dtype == object]
    for name in objects:
        frame[name] = typed_objects(frame[name].map(_as_json, na_action="ignore"))
    return frame


def _is_there(record: dict[str, Any], path: str) -> bool:
    found: Any = record
    for key in path.split("."):
        if not isinstance(found, dict) or key not in found:
            return False
        found = found[key]
    return True


def read_lines(path: Path) -> list[Any]:
    """Return the value in each line that is not empty.

    Raises UserError if a line is not JSON.
    """
    found = []
    for number, line in enumerate(_text(path).split("\n"), 1):
        if line.strip():
            found.append(_load(line, f"{path}, line {number}"))
    return found


def find_records(found: Any, records: str | None, where: str) -> list[Any]:
    """Return the list at a dotted path in what JSON holds.

    Raises UserError if there is none.
    """
    for key in records.split(".") if records else []:
        if not isinstance(found, dict) or key not in found:
            known = f"; there are {some_of(list(found), 10)}" if isinstance(found, dict) else ""
            raise UserError(
                f"{where}: source.options.records is {records!r}, and there is no {key!r}{known}. "
                "Edit it."
            )
        found = found[key]
    if not isinstance(found, list):
        at = f" at {records}" if records else ""
        raise UserError(
            f"{where}: a list of records is expected{at}, and there is {_short(found)}. Name the "
            "dotted path to the list in source.options.records."
        )
    return found


def load_document(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises UserError if the file is missing, empty or not JSON.
    """
    return _load(_text(path), str(path))


def _text(path: Path) -> str:
    if not path.is_file():
        raise UserError(f"{path}: there is no such file. Edit source.path.")
    with refusing_damage(path), opened(path) as file:
        content = file.read()
    if not content.strip():
        raise UserError(f"{path}: the file is empty. Give a file with records.")
    try:
        return content.decode(json.detect_encoding(content))
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: byte {error.start} is not {error.encoding.upper()}, and JSON is Unicode. "
            "Write the file anew."
        ) from None


def _load(text: str, where: str) -> Any:
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, " if "line" not in where else ""
        raise UserError(
            f"{where}: this is not JSON ({place}column {error.colno}: {error.msg}). Where each "
            "line is an object of its own, set source.options.lines to true; else correct the file."
        ) from None
    except RecursionError:
        raise UserError(f"{where}: objects lie in one another too deep to be a table.") from None


def parse_json(content: str | bytes) -> Any:
    """Return what JSON holds, with every digit of whole numbers.

    Raises
    ------
    ValueError
        If it is not JSON, or not in Unicode.
    RecursionError
        If it lies too deep.
    """
    return json.loads(content, parse_int=_whole)


def _whole(digits: str) -> int | Decimal:
    """Return a whole number such that pandas does not make a float of it, which would round."""
    return int(digits) if len(digits) <= SAFE_DIGITS else Decimal(digits)


def _as_json(value: Any) -> Any:
    if not isinstance(value, (list, dict)):
        return value
    to_plain: Callable[[Any], Any] = int
    return json.dumps(value, ensure_ascii=False, default=to_plain)


def _short(value: Any) -> str:
    text = _as_json(value) if isinstance(value, (list, dict)) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
