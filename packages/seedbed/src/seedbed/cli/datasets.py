"""Commands on data of one's own."""

from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.config.repository import find_root

if TYPE_CHECKING:
    from seedbed.datasets.adding import Added

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
    from seedbed.datasets.adding import add_dataset

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
    _show(added)
    name = added.description.name
    print("next: dvc repro" if use else f"next: dvc exp run -S dataset={name}")


def _show(added: "Added") -> None:
    """Print what was found: a table of the columns, then the question, the split, warnings."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from seedbed.datasets.writing import comment

    found, problem, split = added.description, added.description.problem, added.description.split
    console = Console(highlight=False)
    columns = Table("column", "used as", "why", box=None, pad_edge=False)
    columns.columns[0].max_width = console.width // 3
    for column in list(found.guesses)[:SHOWN]:
        shown = column if column.isprintable() and column.strip() == column else repr(column)
        role = found.role(column) or "left out"
        # Text, since a name such as [a] would be taken for a style.
        columns.add_row(*(Text(part) for part in (shown, role, comment(found, column))))
    console.print(columns)
    if len(found.guesses) > SHOWN:
        console.print(f"and {len(found.guesses) - SHOWN:,} more columns, see {added.files[0]}")
    facts = Table(box=None, pad_edge=False, show_header=False)
    entries = [
        ("rows", f"{found.rows:,}"),
        ("task", f"{problem.task}: {problem.reason}"),
        ("split", f"{split.kind}: {split.reason}"),
        *(("warning", warning) for warning in added.warnings),
        *(("written", file) for file in added.files),
    ]
    if problem.task == "binary":
        entries.insert(2, ("positive", f"{problem.positive}: {problem.positive_reason}"))
    for label, text in entries:
        facts.add_row(Text(label), Text(text))
    console.print()
    console.print(facts)
