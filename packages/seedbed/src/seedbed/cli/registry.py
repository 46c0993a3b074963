"""Commands on registered models: promote, roll back, lineage."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from seedbed.config.repository import find_root

app = typer.Typer()


@app.command()
def promote(
    bump: Annotated[
        Literal["major", "minor", "patch"], typer.Option(help="Which part of the version to raise.")
    ] = "minor",
    experiment: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Promote an experiment of HEAD; the work tree need not hold it."
        ),
    ] = None,
) -> None:
    """Make the packaged bundle the champion, and register it as a version, a tag of Git."""
    from seedbed.config.params import read_params
    from seedbed.registry.promoting import promote as run
    from seedbed.retraining.retrain import promote_by_name

    root = find_root()
    if experiment:
        print(promote_by_name(root, experiment, bump))
        return
    print(run(root, bump))
    if rows := read_params(["dataset"], root)["dataset"].sample:
        print(f"It has learned from a sample of {rows:,} rows (dataset.sample).")


@app.command()
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="Such as v0.1.0; without it, the version that was in use before."),
    ] = None,
) -> None:
    """Bring an earlier champion back into use."""
    from seedbed.registry.promoting import roll_back

    print(roll_back(find_root(), version))


@app.command()
def lineage(
    bundle: Annotated[Path, typer.Argument(help="A folder that holds a bundle.")] = Path(
        "models/bundle"
    ),
) -> None:
    """Say which commit, data, parameters and code made a bundle; compare them with all hashes."""
    from seedbed.registry.lineage import trace
    from seedbed.serving.facts import print_facts

    print_facts(trace(find_root(), bundle if bundle.is_absolute() else Path.cwd() / bundle))
