"""Commands on the Git and DVC remotes: set up, push, pull."""

from typing import Annotated

import typer

from seedbed.config.repository import find_root
from seedbed.errors import UserError

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
def push() -> None:
    """Send branch, tags, experiments, and the data, models and run cache that belong to them."""
    from seedbed.remotes.push import push

    _stop_if(push(find_root()).problems)


@app.command()
def pull() -> None:
    """Fetch what was pushed: branch, tags, experiments, data, models, run cache; then check out."""
    from seedbed.remotes.pull import pull

    _stop_if(pull(find_root()).problems)


def _stop_if(problems: list[str]) -> None:
    if problems:
        raise UserError("\n\n".join(problems))
