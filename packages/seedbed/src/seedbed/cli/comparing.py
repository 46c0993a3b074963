"""Commands that compare experiments and revisions."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

app = typer.Typer()


@app.command()
def show() -> None:
    """List the experiments: only the columns that differ, the best by the metric first."""
    from seedbed.comparing.show import show_command
    from seedbed.config.params import read_params

    root = find_root()
    dvc = Path(sys.executable).with_name("dvc")
    words = show_command(root, **read_params(["problem"], root))
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
    """Say which revision or experiment is better; write a page of what differs, with plots."""
    from seedbed.comparing.page import lacking, to_html
    from seedbed.comparing.pull_request import to_markdown
    from seedbed.comparing.ranking import rank
    from seedbed.comparing.revisions import plot_definitions, read_revision
    from seedbed.config.yaml_files import load_yaml
    from seedbed.files import write_text

    root, names = find_root(), list(dict.fromkeys(revisions))
    if len(names) == 1:
        raise UserError(
            f"{names[0]} alone cannot be compared. Name another revision or experiment beside it, "
            f"such as `seedbed compare {'HEAD~1' if names[0] == 'main' else 'main'} {names[0]}`."
        )
    found = [read_revision(root, name) for name in names]
    ranking = rank(found)
    print("\n".join([ranking.in_words(), *lacking(found)]))
    if markdown:
        for other in found[1:]:
            print(f"\n## {other.name}\n\n{to_markdown(root, found[0].name, other.name)}")
        return
    page = Path.cwd() / out if out else root / "reports/compare.html"
    write_text(page, to_html(found, ranking, plot_definitions(load_yaml(root / "dvc.yaml"))))
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
    """Write what the work tree changes against a branch, for a pull request."""
    from seedbed.comparing.pull_request import write_report

    root = find_root()
    folder = Path.cwd() / out if out else root / "reports/ci"
    write_report(root, target, folder, link)
    print(os.path.relpath(folder / "report.md"))
