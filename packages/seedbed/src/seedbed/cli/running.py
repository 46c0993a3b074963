"""Commands that run the graph, and mend what a killed run left."""

import sys
from typing import Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

app = typer.Typer()


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def repro(context: typer.Context) -> None:
    """Do what `dvc repro` does, with its arguments; packages are imported once, and not by each stage."""
    from seedbed.sweeps.repro import reproduce

    sys.exit(reproduce(find_root(), context.args))


@app.command()
def doctor(
    mend: Annotated[bool, typer.Option(help="Mend what is found.")] = False,
    read_all: Annotated[
        bool, typer.Option(help="Read every cached object, also those that look untouched.")
    ] = False,
) -> None:
    """Find what a killed `dvc exp run` left behind (a detached HEAD, stale locks), and damaged objects in DVC's cache."""
    from seedbed.remotes.objects import examine_cache
    from seedbed.sweeps.doctor import examine

    findings = [*examine(find_root()), *examine_cache(find_root(), read_all)]
    for finding in findings:
        print(finding.description if not mend else finding.mend())
    if not findings:
        print("nothing to mend")
    elif not mend:
        sys.exit("Run `seedbed doctor --mend` to mend this.")


@app.command(hidden=True)
def idle() -> None:
    """Stop with an error while a sweep runs, as `make gc` asks: what its jobs have computed is in no experiment yet."""
    from seedbed.sweeps.slots import held

    if held(find_root()):
        raise UserError(
            "a sweep is running: what its jobs have computed is in no experiment yet, and would be freed. Wait for its end."
        )
