"""The one exception that a person's own mistake raises: shown as a paragraph, never as a traceback."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in a configuration, a data file or a command, told in one paragraph.

    The message names the file, the key or column, the value that was found and what to do about it.
    Whatever reports to a person (stages, the command line) prints it alone and exits with code 1.
    """


def one_line(error: object) -> str:
    """Return what another library said, on one line, to stand in a paragraph."""
    return " ".join(str(error).split()) or type(error).__name__


def did_you_mean(name: object, known: Iterable[object]) -> str:
    """Return the known name that is most like the one found, as a question to stand after it; an empty string if none is."""
    near = get_close_matches(str(name), [str(other) for other in known], n=1)
    return f" (did you mean {near[0]}?)" if near else ""
