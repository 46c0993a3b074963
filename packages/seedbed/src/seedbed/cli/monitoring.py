"""Commands that watch a model in use."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seedbed.errors import UserError

if TYPE_CHECKING:
    from seedbed.config.monitor import Monitor

app = typer.Typer()
outcomes = typer.Typer(no_args_is_help=True, help="Outcomes that came after predictions.")
app.add_typer(outcomes, name="outcomes")
Options = Annotated[
    list[str] | None,
    typer.Option(help="How files are written, as KEY=VALUE of source.options; repeatable."),
]
Day = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])]


@app.command()
def monitor(
    current: Annotated[
        str,
        typer.Option(help="Rows to look at: a file, a glob in quotes, or a prediction log."),
    ],
    reference: Annotated[
        str | None,
        typer.Option(help="Rows to compare with; else the bundle's profile of its train rows."),
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="Default: models/champion if there is one, else the bundle.")
    ] = None,
    option: Options = None,
    limits: Annotated[
        str, typer.Option(help="Which file of conf/monitor says what is tolerated.")
    ] = "default",
    since: Day = None,
    until: Day = None,
    all_year: Annotated[
        bool, typer.Option(help="Compare with all months of the profile, not with the same ones.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="The page; the same figures go to a .json file beside it.")
    ] = Path("reports/monitor.html"),
) -> None:
    """Say whether rows, scores and performance are as they were; write a page of it.

    Exit codes: 0 calm, 3 drift, 4 performance lost, 5 too few rows to decide, 1 a mistake.
    """
    from seedbed.files import write_json, write_text
    from seedbed.monitoring.checking import check_rows
    from seedbed.monitoring.notes import LogNotes
    from seedbed.monitoring.page import WORDS, to_html
    from seedbed.monitoring.reading import read_rows
    from seedbed.monitoring.watching import watch
    from seedbed.serving.loading import default_bundle, load_bundle
    from seedbed.serving.reference import Reference
    from seedbed.serving.scoring.options import parse_options, project_source

    if out.suffix == ".json":
        raise UserError(f"--out {out}: the figures go there. Name the page, such as monitor.html.")
    tolerated = read_limits(limits)
    model = load_bundle(bundle or default_bundle())
    defaults, options = project_source(model.recipe.dataset), parse_options(option)
    notes = LogNotes()
    before = None
    if reference is not None:
        rows = read_rows(model, reference, notes, options, defaults)
        before = watch(model, rows, None)
    first, last = (moment.date() if moment else None for moment in (since, until))
    rows = read_rows(model, current, notes, options, defaults, first, last)
    try:
        now = watch(
            model, rows, Reference(before.inputs, before.scores) if before else model.profile
        )
    except UserError as error:
        raise UserError(" ".join([str(error), *notes.in_words()])) from None
    report = check_rows(model, now, tolerated, before, not all_year, notes.in_words())
    write_text(out, to_html(report))
    write_json(out.with_suffix(".json"), report.to_dict())
    print(f"{WORDS[report.state]}. {report.rows:,} rows, model {report.model}")
    for line in [*report.reasons, *report.performance_in_words(), *report.notes]:
        print(f"  {line}")
    print(os.path.relpath(out))
    sys.exit(report.state)


@outcomes.command()
def add(
    file: Annotated[str, typer.Argument(help="A CSV, Parquet or JSON lines file of outcomes.")],
    log: Annotated[Path, typer.Option(help="The folder of the prediction log.")],
    on: Annotated[
        str, typer.Option(help="Columns between commas by which a row of the log is found.")
    ] = "request_id",
    bundle: Annotated[
        Path | None, typer.Option(help="Default: models/champion if there is one, else the bundle.")
    ] = None,
    option: Options = None,
    replace: Annotated[
        bool, typer.Option(help="Let outcomes take the place of others of the same key.")
    ] = False,
) -> None:
    """Add outcomes to a prediction log; the same ones once more change nothing."""
    from seedbed.data.roles import target_column
    from seedbed.monitoring.outcomes import add_outcomes
    from seedbed.monitoring.reading import read_outcomes
    from seedbed.serving.loading import default_bundle, load_bundle
    from seedbed.serving.scoring.options import parse_options, project_source

    model = load_bundle(bundle or default_bundle())
    defaults, options = project_source(model.recipe.dataset), parse_options(option)
    keys = [name.strip() for name in on.split(",")]
    rows = read_outcomes(model, file, keys, options, defaults)
    added = add_outcomes(log, rows, target_column(model.recipe.columns), keys, replace)
    print(
        f"{added.new:,} outcomes added, {added.same:,} were there already, {added.replaced:,} "
        f"replaced; {added.unknown:,} have a key that is not in the log"
    )


def read_limits(name: str) -> "Monitor":
    """Return what conf/monitor/NAME.yaml says; the defaults where there is no such folder."""
    from pydantic import ValidationError

    from seedbed.config.monitor import Monitor
    from seedbed.config.section import first_mistake
    from seedbed.config.yaml_files import load_yaml

    folder = Path("conf/monitor")
    if not folder.is_dir() and name == "default":
        return Monitor()
    file = folder / f"{name}.yaml"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml"))) or "none"
        raise UserError(f"--limits {name}: there is no {file}. Choose one of {known}.")
    try:
        return Monitor.model_validate(load_yaml(file) or {})
    except ValidationError as error:
        raise UserError(f"{file}: {first_mistake(error)}. Edit that line.") from None
