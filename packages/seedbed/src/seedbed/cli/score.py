"""The command that predicts in bulk."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seedbed.cli.log_options import LogDays, LogRate, LogWithout
from seedbed.errors import UserError

if TYPE_CHECKING:
    from seedbed.serving.scoring.inputs import Input

app = typer.Typer()
DATABASE = "for a database the name of an environment variable with its URL, or a URL"


@app.command()
def score(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help=f"A CSV, Parquet or JSON lines file, a folder of Parquet, a glob; {DATABASE}.",
        ),
    ],
    target: Annotated[
        str, typer.Argument(metavar="OUTPUT", help=f"A .csv or .parquet file; {DATABASE}.")
    ],
    bundle: Annotated[
        Path | None, typer.Option(help="Default: models/champion if there is one, else the bundle.")
    ] = None,
    table: Annotated[str | None, typer.Option(help="The table of INPUT, a database.")] = None,
    query: Annotated[str | None, typer.Option(help="A query of INPUT, with ORDER BY.")] = None,
    to_table: Annotated[str | None, typer.Option(help="The table of OUTPUT, a database.")] = None,
    keep: Annotated[
        str, typer.Option(help="Columns of the input to write: keys, all, or names between commas.")
    ] = "keys",
    on_error: Annotated[
        Literal["reject", "stop"],
        typer.Option(help="Rows that cannot be read: to OUTPUT.rejected.csv, or stop."),
    ] = "reject",
    option: Annotated[
        list[str] | None,
        typer.Option(help="How the file is written, as KEY=VALUE of source.options; repeatable."),
    ] = None,
    processes: Annotated[int, typer.Option(min=1, help="How many predict at a time.")] = 1,
    batch_rows: Annotated[
        int, typer.Option(min=1, help="Rows predicted at once: fewer for wide tables.")
    ] = 65_536,
    log: Annotated[
        Path | None,
        typer.Option(help="A folder to keep inputs and answers in, as `seedbed serve --log` does."),
    ] = None,
    log_rate: LogRate = 1.0,
    log_days: LogDays = None,
    log_without: LogWithout = "",
    force: Annotated[bool, typer.Option(help="Replace an output that exists.")] = False,
    restart: Annotated[
        bool, typer.Option(help="Forget what a run that was stopped has answered.")
    ] = False,
) -> None:
    """Predict all rows of INPUT into OUTPUT; typed again after a kill, it goes on where it was."""
    # Threads of OpenMP that wait by spinning would take the core of those that read and write.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from seedbed.serving.loading import default_bundle, load_bundle
    from seedbed.serving.log_files import log_settings, make_folder
    from seedbed.serving.scoring.logging import ScoreLog
    from seedbed.serving.scoring.running import describe, plan_run, run

    begun = time.monotonic()
    path = bundle or default_bundle()
    model = load_bundle(path)
    opened = _open_input(source, table, query, option, model.recipe.dataset)
    plan = plan_run(
        opened, model, path, keep, on_error, numbered=to_table is not None, size=batch_rows
    )
    kept = log_settings(log, log_rate, log_days, log_without)
    if kept:
        make_folder(kept.folder)
    logged = [str(kept.folder.absolute()), kept.rate, list(kept.without)] if kept else None
    identity = {"the input": opened.identity, **plan.identity, "the prediction log": logged}
    output = _open_output(target, to_table, identity, force=force, restart=restart)
    before = output.totals.taken
    record = None
    if kept:
        written = {"output": f"{Path(target).absolute()}, table {to_table}", **identity}
        record = ScoreLog(kept, model, written, new=not before and not output.finished)
    totals = run(plan, opened, output, processes, record)
    took = time.monotonic() - begun
    where = f"{target}, table {to_table}" if to_table else target
    rate = f"{(totals.taken - before) / took:,.0f} rows/s"
    print(
        f"{totals.answered:,} rows answered in {took:,.1f} s ({rate}), bundle "
        f"{plan.bundle.version}: {where}"
    )
    if record:
        print(f"kept in {log} under the request's id {record.request}")
    if totals.rejected:
        side = f"table {to_table}_rejected" if to_table else f"{target}.rejected.csv"
        print(f"{totals.rejected:,} rows cannot be read and have no answer: {side}")
    for warning in describe(plan, totals):
        print(f"warning: {warning}")


def _open_input(
    source: str, table: str | None, query: str | None, options: list[str] | None, dataset: str
) -> "Input":
    if table and query:
        raise UserError("--table and --query are both given. Give one of them.")
    if table or query:
        from seedbed.serving.scoring.sql_input import QueryInput, TableInput

        if options:
            raise UserError("--option says how a file is written, and INPUT is a database.")
        return TableInput(source, table) if table else QueryInput(source, str(query))
    from seedbed.serving.scoring.inputs import open_files
    from seedbed.serving.scoring.options import parse_options, project_source

    return open_files(source, parse_options(options), project_source(dataset))


def _open_output(
    target: str, table: str | None, identity: dict[str, Any], *, force: bool, restart: bool
) -> Any:
    if table:
        from seedbed.serving.scoring.sql_output import SqlOutput

        return SqlOutput(target, table, identity, force=force, restart=restart)
    from seedbed.serving.scoring.file_output import KINDS, FileOutput

    path = Path(target).expanduser()
    if path.suffix not in KINDS:
        raise UserError(
            f"{target}: the output's name must end in {' or '.join(KINDS)}; for a table of a "
            "database add --to-table NAME."
        )
    return FileOutput(path, identity, force=force, restart=restart)
