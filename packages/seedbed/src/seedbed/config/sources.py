"""The kinds of source, as far as a configuration can be judged by them."""

from typing import Any

from seedbed.config.extensions import Registry
from seedbed.errors import did_you_mean

BUILT_IN = ("package", "csv", "parquet")
"""The kinds that seedbed has; :mod:`seedbed.data.sources` reads them."""
SOURCES: Registry[Any] = Registry("source", "sources")
"""The kinds that the project's sources.py adds."""


def why_no_source(kind: str) -> str | None:
    """Return why a name is no kind of source, and which there are; None if it is one."""
    if kind in BUILT_IN or SOURCES.find(kind) is not None:
        return None
    known = [*BUILT_IN, *SOURCES.all()]
    return (
        f"is {kind!r}, and there is no such source{did_you_mean(kind, known)}: choose one of "
        f"{', '.join(known)}, or write one in the project's sources.py"
    )
