"""The command that retrains the model on the newest rows."""

from typing import Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

app = typer.Typer()


@app.command()
def retrain(
    end: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT",
            help="Take rows before this moment, such as 2013-04-01; else all that are there.",
        ),
    ] = None,
    sliding: Annotated[
        bool,
        typer.Option(
            "--sliding/--expanding", help="Keep the length of the window, or (default) its start."
        ),
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Promote it if the gate agrees.")
    ] = False,
) -> None:
    """Move dataset.window to the newest rows, run the graph aside, and let the gate decide.

    Exit codes: 0 accepted, 3 refused, 4 nothing new, 5 another one is running, 1 an error.
    """
    from seedbed.retraining.retrain import retrain as run

    try:
        result = run(find_root(), end=end, sliding=sliding, promote=promote)
    except OSError as error:
        raise UserError(f"nothing was changed: {error}") from error
    print(result.message)
    raise typer.Exit(result.code)
