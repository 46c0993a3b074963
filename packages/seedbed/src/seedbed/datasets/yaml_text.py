"""YAML as a person writes it: values on one line, long lists in several, comments behind them."""

import json
import re
from typing import Any

WIDTH = 100
PLAIN = re.compile(r"[^\W\d_][\w/.()-]*( [\w/.()-]+)*")
NOT_TEXT = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan"}
"""What YAML reads as something else, unless it stands in quotes."""


def commented(text: str, comment: str | None = None) -> str:
    """Return a line with a comment behind it."""
    return f"{text:<34} {comment_line(comment)}" if comment else text


def comment_line(text: str) -> str:
    """Return a comment of one line: names and values of a table may hold any sign."""
    return "# " + " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def wrapped(start: str, entries: list[str], signs: str = "[]") -> str:
    """Return a flow list or mapping, broken into lines."""
    indent = " " * (len(start) - len(start.lstrip()) + 2)
    lines, line = [], start + signs[0]
    for place, entry in enumerate(entries):
        part = entry + (", " if place < len(entries) - 1 else signs[1])
        if len(line) + len(part) > WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += part
    return "\n".join([*lines, line])


def inline(value: Any) -> str:
    """Return a value on one line, as Hydra reads it back."""
    if isinstance(value, dict):
        entries = (f"{inline_key(key)}: {inline(part)}" for key, part in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(inline, value))}]"
    # In a value, a reference to another key is escaped.
    return re.sub(r"((?:\\\\)*)\$\{", lambda found: found[1] * 2 + r"\\${", inline_key(value))


def inline_key(value: Any) -> str:
    """Return what has no parts on one line, as YAML reads it: a key holds no reference."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in NOT_TEXT:
        return value
    # JSON is YAML, but for signs that YAML does not print.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08X}" for sign in text)
