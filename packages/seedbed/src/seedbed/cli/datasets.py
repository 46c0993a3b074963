"""Commands on data of one's own."""

from typing import Annotated

import typer

from seedbed.config.repository import find_root

app = typer.Typer()
dataset = typer.Typer(help="Describe your own data.", no_args_is_help=True)
app.add_typer(dataset, name="dataset")
SHOWN = 60
"""How many columns are shown."""


@dataset.command()
def add(
    path: Annotated[str, typer.Argument(help="A file, a glob in quotes, or a folder.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    time: Annotated[str | None, typer.Option(help="The column that orders the rows.")] = None,
    group: Annotated[
        str | None, typer.Option(help="The column whose rows belong together, such as a person.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the dataset; else the file's name.")] = None,
    positive: Annotated[
        str | None, typer.Option(help="The value of the target that is asked for.")
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option("--table", help="Another table, as NAME=PATH; may be repeated."),
    ] = None,
    joins: Annotated[
        list[str] | None,
        typer.Option("--join", help="How tables join: child.key=parent.key; may be repeated."),
    ] = None,
    use: Annotated[bool, typer.Option(help="Make it the dataset of this project.")] = False,
    force: Annotated[bool, typer.Option(help="Replace files of this dataset.")] = False,
) -> None:
    """Read a table, decide what each column is, and write conf/dataset/NAME.yaml."""
    from rich.console import Console
    from rich.table import Table

    from seedbed.datasets.adding import add_dataset
    from seedbed.datasets.writing import comment

    root = find_root()
    added = add_dataset(
        root,
        path,
        target,
        time=time,
        group=group,
        name=name,
        positive=positive,
        tables=tables or [],
        joins=joins or [],
        use=use,
        force=force,
    )
    found = added.description
    table = Table("column", "used as", "why", box=None, pad_edge=False)
    for column in list(found.guesses)[:SHOWN]:
        table.add_row(column, found.role(column) or "left out", comment(found, column))
    console = Console()
    console.print(table)
    if len(found.guesses) > SHOWN:
        print(f"and {len(found.guesses) - SHOWN:,} more columns")
    print(f"{found.rows:,} rows. The task is {found.problem.task}: {found.problem.reason}")
    print(f"The split is {found.split.kind}: {found.split.reason}")
    for warning in added.warnings:
        print(f"warning: {warning}")
    print(f"written: {', '.join(added.files)}")
    print("next: dvc repro" if use else f"next: dvc exp run -S dataset={found.name}")
