"""Commands on registered models: promote, roll back, archive, lineage."""

import sys
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
) -> None:
    """Make the packaged bundle the champion, the one in use, and register it as a version: a tag of Git."""
    from seedbed.registry.promoting import promote as run

    print(run(find_root(), bump))


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
def archive(
    tag: Annotated[
        str,
        typer.Argument(help="A tag of the registry, such as model@v1.0.0 or model#production#1."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write the archive in; else it is dist.")
    ] = None,
) -> None:
    """Write the champion of a registered version as one archive, after checking that it loads."""
    from seedbed.registry.archiving import archive as run

    root = find_root()
    print(run(root, tag, Path.cwd() / out if out else root / "dist"))


@app.command()
def lineage(
    bundle: Annotated[Path, typer.Argument(help="A folder that holds a bundle.")] = Path(
        "models/bundle"
    ),
) -> None:
    """Say which commit, data, parameters, code and packages made a bundle; verify all hashes."""
    from seedbed.registry.lineage import trace

    root = find_root()
    facts = trace(root, bundle if bundle.is_absolute() else Path.cwd() / bundle)
    for fact in facts:
        print(f"{'ok   ' if fact.genuine else 'WRONG'}  {fact.name:<11} {fact.said}")
    if not all(fact.genuine for fact in facts):
        sys.exit(1)
