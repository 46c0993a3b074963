"""What `seedbed` starts: all groups of commands as one application."""

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


@app.callback()
def seedbed() -> None:
    """Keep a seedbed repository in order. `dvc repro` and `dvc exp run` do the work itself."""


def main() -> None:
    """Run the command; a person's mistake is one paragraph and exit code 1."""
    serving.run(app)
