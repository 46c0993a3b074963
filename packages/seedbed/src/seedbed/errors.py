"""The one exception for a person's own mistake, shown without a traceback; words for messages."""

import errno
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

MAKE_ROOM = (errno.ENOSPC, errno.EDQUOT)
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENOTDIR, errno.EEXIST)


class UserError(Exception):
    """A mistake in a configuration, a data file or a command, in one paragraph.

    The message names the file, the key or column, the value that was found and what to do about it.
    Whatever reports to a person (stages, the command line) prints it alone and exits with code 1.
    """


class CodeError(UserError):
    """A mistake in what the project's own code returns; rows and configuration are not to blame."""


class InputError(UserError):
    """Rows to predict for that do not fit a signature.

    Parameters
    ----------
    column : str
        Where the first mistake is.
    row : int or None
        The same, counted from 0; None if it is in all rows.
    allowed : str
        What may stand there.
    """

    def __init__(self, message: str, column: str, row: int | None, allowed: str) -> None:
        super().__init__(message)
        self.column, self.row, self.allowed = column, row, allowed


def one_line(error: object) -> str:
    """Return the message of another library on one line, to stand in a paragraph."""
    return " ".join(str(error).split()) or type(error).__name__


def disk_problem(error: OSError) -> str:
    """Return a paragraph on a disk that is full or a file that is out of bounds.

    Raises the same OSError if it is another one.
    """
    if error.errno not in (*MAKE_ROOM, *FORBIDDEN):
        raise error
    remedy = "Make room" if error.errno in MAKE_ROOM else "Name another place, or correct that"
    return f"{error.filename or 'a file'}: {one_line(error.strerror)}. {remedy}, and try again."


def row_of_source(place: int) -> str:
    """Return how a message names a row of a source, given its place from 0.

    Rows are counted from 1, without the header: as a person counts who opens the file.
    """
    return f"row {place + 1}"


def some_of(names: Sequence[str], most: int) -> str:
    """Return names, one after the other, and how many there are besides the first `most`."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return the known name that is most like the one found, as a question to stand after it.

    Case does not count. The string is empty if no other name is alike.
    """
    others = {str(other).casefold(): str(other) for other in known if str(other) != str(name)}
    near = get_close_matches(str(name).casefold(), others, n=1)
    return f" (did you mean {others[near[0]]}?)" if near else ""
