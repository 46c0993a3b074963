"""The commands on bundles: all that `seedbed` knows where only a bundle's wheel is installed."""

import re
import sys

import typer

from seedbed.cli import bundle, score, serve
from seedbed.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS = (serve, score, bundle)
WITH_OPTIONS = ("dataset", "score", "monitor")
"""The commands that take as --option what stands under source.options in conf/."""
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


def name_flags(message: str) -> str:
    """Return a message that names the flags of a command where it names keys of conf/.

    Examples
    --------
    >>> name_flags("Set source.options.separator to ';', or correct source.options.query.")
    "Give --option separator=';', or correct --query."
    """
    message = re.sub(r" Edit the conf/[^.]* file\.", "", message)
    message = re.sub(r"source\.options\.(query|table)\b", r"--\1", message)
    message = re.sub(
        r"\b([Ss])et source\.options\.(\w+) to (\w+|'.*?')",
        lambda found: f"{'Give' if found[1] == 'S' else 'give'} --option {found[2]}={found[3]}",
        message,
    )
    message = re.sub(r"source\.options\.(\w+)(?![\w.=])", r"--option \1=...", message)
    return message.replace("source.options.", "--option ").replace("source.options", "--option")


def main() -> None:
    """Run a command on bundles."""
    run(app)
