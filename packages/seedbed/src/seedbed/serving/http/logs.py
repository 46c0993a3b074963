"""Logs: one JSON object a line on standard error, in which no value of a row stands."""

import logging
import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

STANDARD_ERROR = 2


def log_event(event: str, level: str = "info", **fields: Any) -> None:
    """Write one line."""
    line = {"time": datetime.now(UTC), "level": level, "event": event, **fields}
    _write(orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE))


class JsonHandler(logging.Handler):
    """Writes what uvicorn and other libraries log in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, with its traceback."""
        fields: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[0]:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        log_event("log", record.levelname.lower(), **fields)


def log_as_json() -> None:
    """Let all loggers of this process write JSON."""
    logging.basicConfig(handlers=[JsonHandler()], level=logging.INFO, force=True)
    logging.captureWarnings(True)


def _write(line: bytes) -> None:
    with suppress(OSError):  # nobody reads it any more: an answer is worth more than its line
        os.write(STANDARD_ERROR, line)
