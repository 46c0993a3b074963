"""The commands on bundles: all that `seedbed` knows where only a bundle's wheel is installed."""

import sys

import typer

from seedbed.cli import bundle, score, serve
from seedbed.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
GROUPS = (serve, score, bundle)
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
        sys.exit(f"seedbed: {error}")


def main() -> None:
    """Run a command on bundles."""
    run(app)
