"""What `seedbed` starts: all groups of commands as one application."""

import sys

import typer

from seedbed.cli import (
    comparing,
    configuration,
    datasets,
    registry,
    remotes,
    retraining,
    running,
)
from seedbed.errors import UserError

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for group in (configuration, datasets, running, comparing, registry, retraining, remotes):
    app.add_typer(group.app)


@app.callback()
def seedbed() -> None:
    """Keep a seedbed repository in order. `dvc repro` and `dvc exp run` do the work itself."""


def main() -> None:
    """Run the command; a person's mistake is one paragraph and exit code 1."""
    try:
        app()
    except UserError as error:
        sys.exit(f"seedbed: {error}")
