"""What `seedbed` starts: all groups of commands as one application."""

from importlib.metadata import version
from typing import Annotated

import typer

from seedbed.cli import (
    board,
    comparing,
    configuration,
    datasets,
    monitoring,
    registry,
    remotes,
    retraining,
    running,
    serving,
)

GROUPS = (
    configuration,
    datasets,
    running,
    comparing,
    registry,
    remotes,
    *serving.GROUPS,
    monitoring,
    retraining,
    board,
)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
for group in GROUPS:
    app.add_typer(group.app)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(version("seedbed"))
        raise typer.Exit


@app.callback()
def seedbed(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, help="Print it.", is_eager=True)
    ] = False,
) -> None:
    """Keep a seedbed repository in order. `dvc repro` and `dvc exp run` do the work itself."""


def main() -> None:
    """Run the command; a person's mistake is one paragraph and exit code 1."""
    serving.run(app)
