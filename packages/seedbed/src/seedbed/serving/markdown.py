"""Figures, lists and tables as Markdown for people."""

from collections.abc import Iterable, Mapping


def figure(value: float | None) -> str:
    """Return a figure for people: three decimals below ten, fewer above; None is "not defined"."""
    if value is None:
        return "not defined"
    if value and abs(value) < 0.01:
        return f"{value:.2g}"
    decimals = 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
    return f"{value or 0.0:,.{decimals}f}"


def with_interval(found: Mapping[str, float | None]) -> str:
    """Return a value and its interval for people: `0.688 (0.681 to 0.695)`."""
    if found["low"] is None or found["value"] is None:
        return figure(found["value"])
    return f"{figure(found['value'])} ({figure(found['low'])} to {figure(found['high'])})"


def count(number: int) -> str:
    """Return a whole number with thousands set apart."""
    return f"{number:,}"


def cell(text: str) -> str:
    """Return text that ends neither a cell nor a line of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def sentence(text: str) -> str:
    """Return text on one line that another sentence may follow."""
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."


def bullets(lines: Iterable[str]) -> str:
    """Return a list."""
    return "\n".join(f"- {line}" for line in lines)


def table(heads: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
