"""What DVC prints and raises while it moves data, kept to be told in our words."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from seedbed.errors import UserError
from seedbed.remotes.failures import explain, kind_of

OBJECT = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?\b")
"""The name of an object."""


class Log(logging.Handler):
    """Errors, objects that DVC finds nowhere, and revisions that it cannot read.

    Attributes
    ----------
    others : list of exceptions
        What is wrong besides objects that were to be there and were not.
    lost : list of str
        Those objects.
    missing : set of str
        Objects that are neither here nor at the remote.
    unread : set of str
        Revisions whose dvc.yaml, dvc.lock or .dvc files DVC cannot read, and skips; ``workspace`` for the work tree.
    """

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.others: list[BaseException] = []
        self.lost: list[str] = []
        self.missing: set[str] = set()
        self.unread: set[str] = set()

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
        elif str(record.msg).startswith("failed to collect") and isinstance(record.args, tuple):
            self.unread |= set(str(record.args[0]).split(","))

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """Take the place of DVC's own handlers; where there is no terminal, keep its progress bars away too."""
        loggers = [logging.getLogger(name) for name in ("", "dvc", "dvc_data", "dvc_objects")]
        before = [logger.handlers for logger in loggers]
        levels = {
            "dvc.repo.checkout": logging.DEBUG
        }  # where it tells why a file could not be written
        if os.environ.get("CI") or not sys.stderr.isatty():
            levels["dvc.progress"] = logging.CRITICAL
        usual = {name: logging.getLogger(name).level for name in levels}
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for logger in loggers:
            logger.handlers = [self]
        try:
            yield
        finally:
            for name, level in usual.items():
                logging.getLogger(name).setLevel(level)
            for logger, handlers in zip(loggers, before, strict=True):
                logger.handlers = handlers


@contextmanager
def telling(doing: str, place: str, ours: tuple[str, ...], inward: bool) -> Iterator[Log]:
    """Turn what DVC raises and logs when it fails into one paragraph.

    Parameters
    ----------
    doing, place, ours, inward
        As in `seedbed.remotes.failures.explain`.
    """
    from dvc.exceptions import DownloadError, DvcException, UploadError
    from dvc.lock import LockError

    log = Log()
    with log.taking_over():
        try:
            yield log
        except UserError:
            raise
        except LockError as error:
            raise UserError(
                f"another command of DVC is at work in this repository: {doing}. Try again when it has ended; if nothing runs, "
                "`seedbed doctor` says what a killed run left behind."
            ) from error
        except (UploadError, DownloadError) as error:
            failed = f"{doing} ({error.amount} left)"
            raise UserError(
                explain(log.others or [error], place, failed, ours=ours, inward=inward)
            ) from error
        except DvcException as error:
            if error.__cause__ is None and not log.others:
                raise UserError(f"DVC stopped, and {doing}: {error}") from error
            raise UserError(
                explain([*log.others, error], place, doing, ours=ours, inward=inward)
            ) from error
        except Exception as error:
            raise UserError(
                explain([*log.others, error], place, doing, ours=ours, inward=inward)
            ) from error
