"""Commands on bundles, wherever they lie."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()
bundle = typer.Typer(no_args_is_help=True)
app.add_typer(bundle, name="bundle")


@bundle.callback()
def group() -> None:
    """Look after a bundle, wherever it lies."""


@bundle.command()
def verify(
    path: Annotated[Path, typer.Argument(help="A folder that holds a bundle.")] = Path(
        "models/bundle"
    ),
) -> None:
    """Compare a bundle's files and packages with its hashes and lock, its answers with training's.

    Exit code 1 if anything is wrong.
    """
    from seedbed.serving.facts import print_facts
    from seedbed.serving.verifying import verify_bundle

    print_facts(verify_bundle(path))
