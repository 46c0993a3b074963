"""What DVC would print while it moves data, kept to be told in our words."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from seedbed.sharing.failures import kind_of

OBJECT = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?\b")
"""The name of an object."""


class Log(logging.Handler):
    """Errors, and objects that DVC finds nowhere.

    Attributes
    ----------
    others : list of exceptions
        What is wrong besides objects that were to be there and were not.
    lost : list of str
        Those objects.
    missing : set of str
        Objects that are neither here nor at the remote.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.others: list[BaseException] = []
        self.lost: list[str] = []
        self.missing: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a record, or the names that it lists."""
        error = record.exc_info[1] if record.exc_info else None
        names = OBJECT.findall(record.getMessage())
        if isinstance(error, FileNotFoundError) and names and not kind_of(error):
            self.lost.append(names[-1])
        elif error:
            self.others.append(error)
        elif "Missing cache files" in str(record.msg):
            self.missing |= set(names)

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """Take the place of DVC's own handlers; where there is no terminal, keep its progress bars away too."""
        loggers = [logging.getLogger(name) for name in ("", "dvc", "dvc_data", "dvc_objects")]
        before = [logger.handlers for logger in loggers]
        bars = logging.getLogger("dvc.progress")
        level = bars.level
        if os.environ.get("CI") or not sys.stderr.isatty():
            bars.setLevel(logging.CRITICAL)
        for logger in loggers:
            logger.handlers = [self]
        try:
            yield
        finally:
            bars.setLevel(level)
            for logger, handlers in zip(loggers, before, strict=True):
                logger.handlers = handlers
