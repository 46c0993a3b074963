"""seedbed: real data in, a served model out. `seedbed.load("clean")` gives a stage's data."""

from importlib import import_module
from typing import Any

_HOMES = {"load": "workbench"}


def __getattr__(name: str) -> Any:
    # Looked up late: importing seedbed costs nothing and makes no stage depend on the workbench.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
