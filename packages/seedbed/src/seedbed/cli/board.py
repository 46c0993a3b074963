"""The command that shows all at a glance."""

import contextlib
import os
from pathlib import Path
from typing import Annotated

import typer

from seedbed.config.repository import find_root

app = typer.Typer()


@app.command()
def board(
    port: Annotated[int, typer.Option(help="0 is any free one.", min=0, max=65535)] = 8001,
    out: Annotated[
        Path | None, typer.Option(help="Write the page to this file instead of serving it.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="A prediction log, to show the drift of each day.")
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Whose log; default: models/champion if there is one, else the bundle."),
    ] = None,
) -> None:
    """Show champion, experiments, drift and reports on a page for this machine alone."""
    from seedbed.board.drift import LogDrift
    from seedbed.board.page import make_page
    from seedbed.board.server import BoardServer
    from seedbed.cli.monitoring import read_limits
    from seedbed.files import write_text
    from seedbed.serving.loading import default_bundle, load_bundle

    root, here = find_root(), Path.cwd()
    drift = None
    with contextlib.chdir(root):
        if log:
            model = load_bundle(here / bundle if bundle else default_bundle())
            drift = LogDrift(model, here / log, read_limits("default"))
    if out:
        file = here / out
        write_text(
            file, make_page(root, drift, Path(os.path.relpath(root, file.parent)).as_posix())
        )
        print(os.path.relpath(file))
        return
    with (
        contextlib.suppress(KeyboardInterrupt),
        BoardServer(root, lambda: make_page(root, drift, ""), port) as server,
    ):
        print("Reading Git, DVC and logs: DVC is slow to read an experiment for the first time.")
        server.page()
        print(f"{server.address} (Ctrl-C ends it)", flush=True)
        server.serve_forever()
