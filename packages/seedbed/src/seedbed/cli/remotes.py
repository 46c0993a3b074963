"""Commands on the Git and DVC remotes: set up, push, pull."""

from typing import Annotated

import typer

from seedbed.config.repository import find_root

app = typer.Typer()


@app.command()
def remote(
    url: Annotated[str, typer.Argument(help="A directory, ssh://, s3:// or gs://.")],
    endpoint_url: Annotated[
        str | None, typer.Option(help="Of an S3 server that is not Amazon's.")
    ] = None,
) -> None:
    """Set up the place where data and models are kept: try it, then write it to .dvc/config."""
    from seedbed.remotes.remote import set_up

    for line in set_up(find_root(), url, endpoint_url):
        print(line)


@app.command()
def push(
    everything: Annotated[
        bool, typer.Option("--all", help="Look also at data of what the Git remote has already.")
    ] = False,
) -> None:
    """Send branch, tags, experiments, and the data, models and run cache that belong to them."""
    from seedbed.remotes.sync import push

    push(find_root(), everything)


@app.command()
def pull(
    everything: Annotated[
        bool, typer.Option("--all", help="Fetch also data of tags and experiments that are here.")
    ] = False,
) -> None:
    """Fetch what was pushed: branch, tags, experiments, data, models, run cache; then check out."""
    from seedbed.remotes.sync import pull

    pull(find_root(), everything)
