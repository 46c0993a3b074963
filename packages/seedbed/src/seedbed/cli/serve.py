"""The command that serves a bundle over HTTP."""

import os
import re
from pathlib import Path
from typing import Annotated

import typer

from seedbed.cli.log_options import LogDays, LogRate, LogWithout
from seedbed.config.repository import find_root
from seedbed.errors import UserError

app = typer.Typer()
VERSION = re.compile(r"(model@)?v\d+\.\d+\.\d+")


@app.command()
def serve(
    bundle: Annotated[
        str | None,
        typer.Argument(
            metavar="[PATH|TAG]",
            help="A folder that holds a bundle, or a registered version such as v0.1.0; without "
            "it, models/champion, or models/bundle if nothing was promoted.",
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 is any free one.", min=0, max=65535)] = 8000,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1)] = 1,
    max_megabytes: Annotated[float, typer.Option(help="Of a request's body.", min=0.001)] = 16,
    max_rows: Annotated[int, typer.Option(help="Of a request.", min=1)] = 100_000,
    seconds: Annotated[float, typer.Option(help="For a request in whole.", min=0.1)] = 30,
    header_seconds: Annotated[
        float, typer.Option(help="For the headers of a request.", min=0.1)
    ] = 10,
    connections: Annotated[
        int, typer.Option(help="Open at a time, in each worker; more get 503.", min=1)
    ] = 256,
    stop_seconds: Annotated[
        int, typer.Option(help="For requests in flight, after SIGTERM.", min=0)
    ] = 30,
    shadow: Annotated[
        Path | None,
        typer.Option(help="A second bundle, which answers silently and is compared."),
    ] = None,
    token_env: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The environment variable with the token requests must bear."
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="A folder to keep requests and answers in, as Parquet by day."),
    ] = None,
    log_rate: LogRate = 1.0,
    log_days: LogDays = None,
    log_without: LogWithout = "",
    watch: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Give drift gauges in /metrics, over the last MINUTES.", min=0.2
        ),
    ] = None,
    allow_other_versions: Annotated[
        bool,
        typer.Option(
            "--allow-other-versions",
            help="Serve also what other versions of scikit-learn, pandas or NumPy made.",
        ),
    ] = False,
) -> None:
    """Serve predictions over HTTP: POST /predict, and GET /openapi.json says how."""
    from seedbed.serving.http.server import serve as run
    from seedbed.serving.http.settings import MEGABYTE, Settings
    from seedbed.serving.log_files import log_settings

    run(
        Settings(
            path=_folder_of(bundle),
            shadow=shadow,
            host=host,
            port=port,
            workers=workers,
            max_bytes=int(max_megabytes * MEGABYTE),
            max_rows=max_rows,
            seconds=seconds,
            header_seconds=header_seconds,
            connections=connections,
            stop_seconds=stop_seconds,
            token=_token_in(token_env),
            log=log_settings(log, log_rate, log_days, log_without),
            watch=watch,
            same_packages=not allow_other_versions,
        )
    )


def _folder_of(bundle: str | None) -> Path:
    if bundle is None:
        from seedbed.serving.loading import default_bundle

        return default_bundle()
    if Path(bundle).is_dir() or not VERSION.fullmatch(bundle):
        return Path(bundle)
    root = find_root()
    try:
        from seedbed.registry.fetching import fetch_version
    except ModuleNotFoundError as error:
        raise UserError(
            f"{bundle}: a bundle's own environment knows no versions. Call the repository's "
            "`.venv/bin/seedbed`, or give the path of a bundle."
        ) from error
    return fetch_version(root, bundle)


def _token_in(name: str | None) -> str | None:
    if name is None:
        return None
    if not os.environ.get(name):
        raise UserError(f"--token-env: the environment variable {name} is not set, or empty.")
    return os.environ[name]
