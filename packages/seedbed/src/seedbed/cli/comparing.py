"""Commands that compare experiments and revisions."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from seedbed.config.repository import find_root

app = typer.Typer()


@app.command()
def show() -> None:
    """List the experiments with `dvc exp show`: only the columns that differ, the best by the deciding metric first."""
    from seedbed.config.params import read_params
    from seedbed.sweeps.show import baselines, show_command

    root = find_root()
    dvc = Path(sys.executable).with_name("dvc")
    words = show_command(**read_params(["problem"], root), commits=baselines(root))
    sys.exit(subprocess.run([dvc, *words], cwd=root, check=False).returncode)


@app.command()
def compare(
    revisions: Annotated[
        list[str],
        typer.Argument(help="Branches, tags, commits or experiments, the first to compare with."),
    ],
    markdown: Annotated[
        bool, typer.Option(help="Print Markdown instead, as for a pull request.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Where to write the page; else it is reports/compare.html.")
    ] = None,
) -> None:
    """Write a page of what differs between revisions or experiments: figures, parameters, data, plots."""
    from seedbed.files import write_text
    from seedbed.sweeps.compare import plot_definitions, read_revision
    from seedbed.sweeps.compare_page import to_html, to_markdown

    root = find_root()
    plots = plot_definitions(root)
    tables = [] if markdown else [path for _, definition in plots for path in definition["y"]]
    sides = [read_revision(root, name, tables) for name in revisions]
    if markdown:
        print(to_markdown(sides))
    else:
        page = Path.cwd() / out if out else root / "reports/compare.html"
        write_text(page, to_html(sides, plots))
        print(os.path.relpath(page))


@app.command()
def report(
    target: Annotated[str, typer.Argument(help="The branch that a pull request would go into.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder to write report.md and compare.html in; else it is reports/ci."
        ),
    ] = None,
    link: Annotated[str, typer.Option(help="Address of the page, where it will be kept.")] = "",
) -> None:
    """Write what the work tree changes against a branch, as a comment on a pull request shows it."""
    from seedbed.sweeps.pull_request import write_report

    root = find_root()
    folder = Path.cwd() / out if out else root / "reports/ci"
    write_report(root, target, folder, link)
    print(os.path.relpath(folder / "report.md"))
