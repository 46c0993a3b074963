"""Commands on data of one's own."""

import contextlib
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

if TYPE_CHECKING:
    from seedbed.datasets.adding import Added

app = typer.Typer()
dataset = typer.Typer(help="Describe your own data.", no_args_is_help=True)
app.add_typer(dataset, name="dataset")
MOVED = 3
"""The exit code where a source is not as it was."""
SHOWN = 60
"""How many columns are shown."""


@dataset.command()
def add(
    path: Annotated[
        str,
        typer.Argument(
            help="A file, a glob in quotes, or a folder, here or at an address such as s3://; the "
            "address of a JSON API; for a database or a topic of Kafka the name of an environment "
            "variable with its URL, or a URL."
        ),
    ],
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
        typer.Option(
            "--table",
            help="Another table, as NAME=PATH; may be repeated. Of a database, NAME of its table; "
            "of Kafka, of its topic.",
        ),
    ] = None,
    joins: Annotated[
        list[str] | None,
        typer.Option("--join", help="How tables join: child.key=parent.key; may be repeated."),
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="A query of the database PATH, with ORDER BY.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="KEY=VALUE, as under source.options; may be repeated. Others are found."),
    ] = None,
    use: Annotated[bool, typer.Option(help="Make it the dataset of this project.")] = False,
    force: Annotated[bool, typer.Option(help="Replace files of this dataset.")] = False,
) -> None:
    """Read a table, decide what each column is, and write conf/dataset/NAME.yaml."""
    from seedbed.datasets.adding import add_dataset
    from seedbed.serving.scoring.options import parse_options

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
        query=query,
        options=parse_options(option),
        use=use,
        force=force,
    )
    _show(added)
    name = added.description.name
    if added.large:
        print(
            f"before `git add`: dvc add {shlex.quote(added.large)}, since Git gets at most 500 kB"
        )
    print("next: dvc repro" if use else f"next: dvc exp run -S dataset={name}")


@app.command()
def freshness() -> None:
    """Say whether the source has moved since the last ingest, without reading it.

    Exit codes: 0 it is as it was, 3 it has moved, 1 a mistake, or it cannot be told.
    """
    from seedbed.config.params import read_params
    from seedbed.data.freshness import STATE, find_moves, find_unknown, source_state
    from seedbed.files import read_json

    root = find_root()
    with contextlib.chdir(root):
        params = read_params(["source", "dataset", "columns"])
        if not STATE.is_file():
            raise UserError(
                f"{STATE} is missing: nothing was ingested yet. Run `dvc repro ingest`."
            )
        recorded = read_json(STATE)
        state = source_state(params["source"], params["dataset"], params["columns"])
        moved, changed = find_moves(recorded, state), _changed_files(root)
    found = [*moved, *changed]
    if not found and (unknown := find_unknown(state)):
        raise UserError(f"{unknown[0]}. Read it again: dvc repro --force --single-item ingest.")
    for sentence in found or ["the source is as it was at the last ingest"]:
        print(sentence)
    if found:
        force = "dvc repro --force --single-item ingest && " if moved else ""
        print(f"to read it again: {force}dvc repro")
        sys.exit(MOVED)


def _changed_files(root: Path) -> list[str]:
    """Return a sentence for each dependency of stage ingest that DVC sees changed."""
    from seedbed.data.sources import WATCHED
    from seedbed.registry.content import run_dvc

    stages = json.loads(run_dvc(root, "status", "--json", "ingest"))
    changes = [change for change in stages.get("ingest", []) if isinstance(change, dict)]
    changed = [change.get("changed deps", {}).get(str(WATCHED)) for change in changes]
    return [f"{WATCHED}: {what}" for what in changed if what]


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
