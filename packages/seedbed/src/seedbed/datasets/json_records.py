"""Where in a JSON file the records stand: one a line, or in a list."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seedbed.data.json_files import load_document
from seedbed.data.text_files import opened
from seedbed.errors import UserError, some_of


def sniff_json(path: Path) -> tuple[dict[str, Any], list[str]]:
    with opened(path) as file:
        content = file.read()
    text = content.decode(json.detect_encoding(content), errors="replace").strip()
    first, _, rest = text.partition("\n")
    try:
        is_lines = isinstance(json.loads(first), dict) and bool(rest)
    except ValueError:
        is_lines = False
    if is_lines or path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
        return {"lines": True}, []
    if text.startswith("["):
        return {}, []
    return choose_records(load_document(path), str(path))


def choose_records(document: Any, where: str) -> tuple[dict[str, Any], list[str]]:
    """Return where in a JSON document the longest list of objects is, as an option; and a note.

    Raises UserError if there is none.
    """
    if isinstance(document, list):
        return {}, []
    lists = dict(_find_lists(document))
    if not lists:
        raise UserError(
            f"{where}: there is no list of records (objects with names and values) in it. Write "
            "the table as a list of objects, as by pandas.DataFrame.to_json(orient='records')."
        )
    longest = max(lists, key=lambda key: len(lists[key]))
    others = [key for key in lists if key != longest]
    also = f"; there are {some_of(others, 5)} too" if others else ""
    return {"records": longest}, [f"the records are the list at {longest}{also}"]


def _find_lists(value: Any, key: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Yield each list of objects below a value, after its dotted key."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _find_lists(part, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        yield key, value
