"""Commands on conf/, and on what follows from it: params.yaml, code.yaml and the locks."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from seedbed.config.repository import find_root

app = typer.Typer()


@app.command()
def compose(
    reset: Annotated[
        bool, typer.Option(help="Start from conf/ alone, dropping all overrides.")
    ] = False,
) -> None:
    """Bring params.yaml in step with conf/."""
    from seedbed.config.compose import compose_anew, update_params
    from seedbed.config.overrides import read_overrides

    root = find_root()
    if reset:
        dropped = read_overrides(root)
        print(compose_anew(root))
        if dropped:
            print(f"dropped: {dropped}")
    else:
        print(update_params(root))


@app.command()
def adopt(
    name: Annotated[str, typer.Argument(help="Of the overlay, such as wide_forest.")],
) -> None:
    """Write what an applied experiment changed as an overlay, conf/experiment/NAME.yaml."""
    from seedbed.config.adopt import adopt_overrides

    for line in adopt_overrides(find_root(), name):
        print(line)


@app.command()
def resolve() -> None:
    """After a merge that conflicts, settle computed files, and say what is left to you."""
    from seedbed.config.resolve import resolve as settle

    for line in settle(find_root()):
        print(line)


@app.command()
def status() -> None:
    """Name the files and packages that made a stage stale, then run `dvc status`."""
    from seedbed.consistency import changed_code

    root = find_root()
    for line in changed_code(root) or ["every stage runs the code that code.yaml records"]:
        print(line, flush=True)
    dvc = Path(sys.executable).with_name("dvc")
    sys.exit(subprocess.run([dvc, "status"], cwd=root, check=False).returncode)


@app.command()
def check() -> None:
    """Say what is out of step: params.yaml, code.yaml, dvc.lock, requirements.lock."""
    from seedbed.consistency import find_disagreements

    found = find_disagreements(find_root())
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        sys.exit(1)
    print("params.yaml, code.yaml, dvc.lock and requirements.lock are in step")
