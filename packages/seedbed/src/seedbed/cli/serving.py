"""The commands on bundles: all that `seedbed` knows where only a bundle's wheel is installed."""

import atexit
import gc
import re
import sys

import typer

from seedbed.cli import bundle, score, serve
from seedbed.errors import UserError, disk_problem

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS = (serve, score, bundle)
OWN_FLAGS: dict[str, tuple[str, ...]] = {
    "dataset": ("query", "table"),
    "score": ("query", "table"),
    "monitor": (),
    "outcomes": (),
}
"""The commands that take as --option what stands under source.options in conf/, and which of these
options are flags of their own there."""
for group in GROUPS:
    app.add_typer(group.app)


@app.callback()
def seedbed() -> None:
    """Serve a bundle, score tables with it, verify it."""


def run(application: typer.Typer) -> None:
    """Run the command; a person's mistake is one paragraph and exit code 1."""
    # At its end, Python looks for cycles among all there is, for up to a second: it goes anyway.
    atexit.register(gc.freeze)
    try:
        application()
    except UserError as error:
        sys.exit(f"seedbed: {name_flags(str(error), *sys.argv[1:2])}")
    except OSError as error:
        sys.exit(f"seedbed: {disk_problem(error)}")


def name_flags(message: str, command: str = "") -> str:
    """Return a message and, after it, a command's flags for the keys of conf/ that it names.

    Examples
    --------
    >>> name_flags("Set source.options.separator to ';'.", "score")
    "Set source.options.separator to ';'. Here that is --option separator=..."
    """
    if command not in OWN_FLAGS:
        return message
    names = dict.fromkeys(re.findall(r"source\.options\.(\w+)", message))
    own = OWN_FLAGS[command]
    flags = [f"--{name}" if name in own else f"--option {name}=..." for name in names]
    return f"{message} Here that is {', '.join(flags)}" if flags else message


def main() -> None:
    """Run a command on bundles."""
    run(app)
