"""The commands on bundles: all that `seedbed` knows where only a bundle's wheel is installed."""

import re
import sys

import typer

from seedbed.cli import bundle, score, serve
from seedbed.errors import UserError, disk_problem

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS = (serve, score, bundle)
WITH_OPTIONS = ("dataset", "score", "monitor", "outcomes")
"""The commands that take as --option what stands under source.options in conf/."""
OWN_FLAGS = ("query", "table")
"""Those of them that have a flag of their own."""
for group in GROUPS:
    app.add_typer(group.app)


@app.callback()
def seedbed() -> None:
    """Serve a bundle, score tables with it, verify it."""


def run(application: typer.Typer) -> None:
    """Run the command; a person's mistake is one paragraph and exit code 1."""
    try:
        application()
    except UserError as error:
        has_options = sys.argv[1:2] and sys.argv[1] in WITH_OPTIONS
        sys.exit(f"seedbed: {name_flags(str(error)) if has_options else error}")
    except OSError as error:
        sys.exit(f"seedbed: {disk_problem(error)}")


def name_flags(message: str) -> str:
    """Return a message and, after it, the flags for the keys of conf/ that it names.

    Examples
    --------
    >>> name_flags("Set source.options.separator to ';'.")
    "Set source.options.separator to ';'. Here that is --option separator=..."
    """
    names = dict.fromkeys(re.findall(r"source\.options\.(\w+)", message))
    flags = [f"--{name}" if name in OWN_FLAGS else f"--option {name}=..." for name in names]
    return f"{message} Here that is {', '.join(flags)}" if flags else message


def main() -> None:
    """Run a command on bundles."""
    run(app)
