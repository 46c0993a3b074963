"""The one exception that a person's own mistake raises: shown as a paragraph, never as a traceback."""


class UserError(Exception):
    """A mistake in a configuration, a data file or a command, told in one paragraph.

    The message names the file, the key or column, the value that was found and what to do about it.
    Whatever reports to a person (stages, the command line) prints it alone and exits with code 1.
    """


def one_line(error: object) -> str:
    """Return what another library said, on one line, to stand in a paragraph."""
    return " ".join(str(error).split()) or type(error).__name__
