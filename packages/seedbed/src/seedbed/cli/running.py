"""Commands that run the graph, and mend what a killed run left."""

import sys
from typing import Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

app = typer.Typer()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def repro(context: typer.Context) -> None:
    """Do what `dvc repro` does, importing packages once and not in each stage."""
    from seedbed.sweeps.repro import reproduce

    sys.exit(reproduce(find_root(), context.args))


@app.command()
def doctor(
    mend: Annotated[bool, typer.Option(help="Mend what is found.")] = False,
    read_all: Annotated[
        bool, typer.Option(help="Read every cached object, also those that look untouched.")
    ] = False,
) -> None:
    """Find what a killed `dvc exp run` left behind, and damaged objects in DVC's cache."""
    from seedbed.doctor import examine_cache, examine_repository

    root = find_root()
    faults = [*examine_repository(root), *examine_cache(root, read_all)]
    for fault in faults:
        print(fault.mend() if mend else fault.description)
    if not faults:
        print("nothing to mend")
    elif not mend:
        sys.exit("Run `seedbed doctor --mend` to mend this.")


@app.command(hidden=True)
def idle() -> None:
    """Stop with an error while a sweep runs: `make gc` would free what its jobs computed."""
    from seedbed.sweeps.slots import held

    if held(find_root()):
        raise UserError(
            "a sweep is running: what its jobs have computed is in no experiment yet, and would be "
            "freed. Wait for its end."
        )
