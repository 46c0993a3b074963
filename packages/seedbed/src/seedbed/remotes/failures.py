"""What DVC reports when a push or a pull fails, in one paragraph with the way out."""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from seedbed.errors import UserError, one_line

REMEDIES = {
    "No space left|quota exceeded|InsufficientStorage|StorageFull|disk is full": "The disk is "
    "full. Make room; on this machine, `make gc` frees cached data that nothing names.",
    "Read-only file system": "It can only be read. Check how it is mounted.",
    "HostKeyNotVerifiable|Host key": "The host key is not in ~/.ssh/known_hosts. Connect once with "
    "`ssh` and compare it.",
    r"AccessDenied|Forbidden|AccessKeyId|SignatureDoesNotMatch|InvalidToken|ExpiredToken|\b40[13]\b"
    "|Credentials|Permission ?(denied|Error)|Unauthorized": "Access is denied. Check the "
    "credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, "
    "the SSH key, or the rights of the folder.",
    "NoSuchBucket|bucket does not exist": "Create the bucket, or correct the address with "
    "`make remote URL=...`.",
    "missing dependencies": "Run `make setup LOCK=requirements-all.lock`.",
    "failed to collect": "Its dvc.yaml, dvc.lock or a .dvc file cannot be read. After a merge, "
    "`seedbed resolve` settles conflicts.",
    "unsaved files": "These changes are in no cache. Keep them (`dvc add` or `dvc commit`, then "
    "`git commit`) or remove them.",
    "acquire.*lock": "Another DVC command is at work here: wait for it. If none is, `seedbed "
    "doctor` finds what a killed one left.",
    r"Connect|Timeout|TimedOut|gaierror|Name or service not known|Errno 11[0-3]\b|IncompleteRead|"
    "ClientPayloadError": "It does not answer. Check that it runs and the network reaches it.",
}
"""A pattern in what DVC, a server or the system reports, and what to do."""
GIVE_UP_AFTER = 10
"""Messages after which a transfer stops: each of thousands of files would wait in vain."""
OBJECT = re.compile(r"\b([0-9a-f]{2})/?([0-9a-f]{30}(?:\.dir)?)\b")


class Log(logging.Handler):
    """Collects what DVC logs in place of raising.

    Attributes
    ----------
    messages : list of str
        What failed.
    objects : set of str
        Objects that are nowhere, or arrived damaged.
    """

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.objects: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Sort a record into the attributes."""
        message, error = record.getMessage(), record.exc_info and record.exc_info[1]
        if type(error).__name__ == "ObjectFormatError":
            message, error = str(error), None
        objects = {"".join(parts) for parts in OBJECT.findall(message)}
        is_debug = record.levelno <= logging.DEBUG
        if objects and (not error or (isinstance(error, FileNotFoundError) and not is_debug)):
            self.objects |= objects
        elif error and not is_debug:
            self.messages += _messages_of(error)
            if len(self.messages) > GIVE_UP_AFTER:
                raise error
        elif message.startswith("failed to collect"):
            self.messages.append(message)


@contextmanager
def explained(place: str, failed: str) -> Iterator[Log]:
    """Turn what DVC raises and logs into one paragraph; objects that are lost raise nothing.

    Parameters
    ----------
    place : str
        The remote, by name and address.
    failed : str
        What failed, as in ``not all data were sent``.
    """
    loggers = [logging.getLogger(name) for name in ("dvc", "dvc_data", "dvc_objects")]
    before = [(logger.handlers, logger.propagate) for logger in loggers]
    log = Log()
    try:
        for logger in loggers:
            logger.handlers, logger.propagate = [log], False
        # These report damage at this level only.
        for name in ("dvc_data.hashfile.db", "dvc_data.index.index"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        yield log
    except Exception as error:
        if log.messages or not log.objects:
            log.messages += _messages_of(error)
    finally:
        for logger, (handlers, propagate) in zip(loggers, before, strict=True):
            logger.handlers, logger.propagate = handlers, propagate
    if log.messages:
        unknown = (log.messages[0], "Nothing is lost.")
        message, remedy = find_remedy(log.messages, REMEDIES) or unknown
        again = "What has arrived stays: run the same command again to finish."
        raise UserError(f"{place}: {failed} ({without_login(message)}). {remedy} {again}")


def find_remedy(messages: Sequence[str], remedies: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the first remedy whose pattern is in a message, and that message."""
    for known, remedy in remedies.items():
        for message in messages:
            if re.search(known, message, re.IGNORECASE):
                return message, remedy
    return None


def without_login(text: str) -> str:
    """Return a message without passwords and tokens of addresses: it may end in a log."""
    text = re.sub(r"(https?://)[^/@\s]+@", r"\1", text)
    return re.sub(r"(://[^/@:\s]+):[^/@\s]+@", r"\1@", text)


def _messages_of(error: BaseException | None) -> list[str]:
    """Return what an error and its causes report, each on one line."""
    found: list[str] = []
    while error is not None and len(found) < GIVE_UP_AFTER:
        found.append(f"{type(error).__name__}: {one_line(error)[:300]}".rstrip("."))
        error = error.__cause__ or error.__context__
    return found
