"""The `seedbed` command."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from seedbed.errors import UserError
from seedbed.quick import QuickCommand, QuickGroup

app = typer.Typer(
    cls=QuickGroup, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)
command = partial(app.command, cls=QuickCommand)


@app.callback()
def seedbed() -> None:
    """Keep a seedbed repository in order. The work itself is done by `dvc repro` and `dvc exp run`."""


@command()
def compose(
    reset: Annotated[
        bool, typer.Option(help="Start from conf/ alone, dropping all overrides.")
    ] = False,
) -> None:
    """Bring params.yaml in step with conf/."""
    from seedbed.config.compose import compose_anew, read_overrides, update_params

    root = _root()
    if reset:
        dropped = read_overrides(root)
        print(compose_anew(root))
        if dropped:
            print(f"dropped: {dropped.in_words()}")
    else:
        print(update_params(root))


@command()
def adopt() -> None:
    """Write what an applied experiment changed into conf/, so that later edits of conf/ build on it."""
    from seedbed.config.adopt import adopt_overrides

    for line in adopt_overrides(_root()):
        print(line)


@command()
def resolve() -> None:
    """After a merge that conflicts: settle the files that follow from others, and say what is left to you."""
    from seedbed.config.resolve import resolve as settle

    for line in settle(_root()):
        print(line)


@command()
def doctor(
    mend: Annotated[bool, typer.Option(help="Mend what is found.")] = False,
    read_all: Annotated[
        bool, typer.Option(help="Read every cached object, also those that look untouched.")
    ] = False,
) -> None:
    """Find what a killed `dvc exp run` left behind (a detached HEAD, stale locks), and damaged objects in DVC's cache."""
    from seedbed.remotes.objects import examine_cache
    from seedbed.sweeps.doctor import examine

    findings = [*examine(_root()), *examine_cache(_root(), read_all)]
    for finding in findings:
        print(finding.description if not mend else finding.mend())
    if not findings:
        print("nothing to mend")
    elif not mend:
        sys.exit("Run `seedbed doctor --mend` to mend this.")


@command(hidden=True)
def idle() -> None:
    """Stop with an error while a sweep runs, as `make gc` asks: what its jobs have computed is in no experiment yet."""
    from seedbed.sweeps.slots import held

    if held(_root()):
        raise UserError(
            "a sweep is running: what its jobs have computed is in no experiment yet, and would be freed. Wait for its end."
        )


@command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def repro(context: typer.Context) -> None:
    """Do what `dvc repro` does, with its arguments; packages are imported once, and not by each stage."""
    from seedbed.sweeps.repro import reproduce

    sys.exit(reproduce(_root(), context.args))


@command()
def status() -> None:
    """Say what is out of step, in words: for each stage whose code changed, the files and packages."""
    from seedbed.config.fingerprints import CODE, compute_fingerprints

    root = _root()
    changes = compute_fingerprints(root).changes(root / CODE)
    for name, changed in changes.items():
        print(f"{name} runs other code than in {CODE}: {', '.join(changed)}")
    if not changes:
        print(f"every stage runs the code that {CODE} has")
    sys.exit(
        subprocess.run(
            [Path(sys.executable).with_name("dvc"), "status"], cwd=root, check=False
        ).returncode
    )


@command()
def check() -> None:
    """Say what is out of step: params.yaml, code.yaml, dvc.lock and requirements.lock against their sources."""
    from seedbed.consistency import find_disagreements

    found = find_disagreements(_root())
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        sys.exit(1)
    print("params.yaml, code.yaml, dvc.lock and requirements.lock are in step")


@command()
def show() -> None:
    """List the experiments with `dvc exp show`: only the columns that differ, the best by the deciding metric first."""
    from seedbed.config.params import read_params
    from seedbed.comparing.show import show_command

    root = _root()
    dvc = Path(sys.executable).with_name("dvc")
    words = show_command(root, **read_params(["problem"], root))
    sys.exit(subprocess.run([dvc, *words], cwd=root, check=False).returncode)


@command()
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
    """Say which revision or experiment is better; write a page of what differs and of the plots."""
    from seedbed.comparing.page import lacking, to_html
    from seedbed.comparing.pull_request import to_markdown
    from seedbed.comparing.ranking import rank
    from seedbed.comparing.revisions import plot_definitions, read_revision
    from seedbed.config.yaml_files import load_yaml
    from seedbed.files import write_text

    root = _root()
    found = [read_revision(root, name) for name in dict.fromkeys(revisions)]
    ranking = rank(found)
    print("\n".join([ranking.in_words(), *lacking(found)]))
    if markdown:
        for other in found[1:]:
            print(f"\n## {other.name}\n\n{to_markdown(root, found[0].name, other.name)}")
        return
    page = _place(root, out, "reports/compare.html")
    write_text(page, to_html(found, ranking, plot_definitions(load_yaml(root / "dvc.yaml"))))
    print(os.path.relpath(page))


@command()
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
    from seedbed.comparing.pull_request import write_report

    root = _root()
    folder = _place(root, out, "reports/ci")
    write_report(root, target, folder, link)
    print(os.path.relpath(folder / "report.md"))


@command()
def promote(
    bump: Annotated[
        Literal["major", "minor", "patch"], typer.Option(help="Which part of the version to raise.")
    ] = "minor",
) -> None:
    """Make the packaged bundle the champion, the one in use, and register it as a version: a tag of Git."""
    from seedbed.registry.promoting import promote as run

    print(run(_root(), bump))


@command()
def rollback(
    version: Annotated[
        str | None,
        typer.Argument(help="Such as v0.1.0; without it, the version that was in use before."),
    ] = None,
) -> None:
    """Bring an earlier champion back into use."""
    from seedbed.registry.promoting import roll_back

    print(roll_back(_root(), version))


@command()
def lineage(
    bundle: Annotated[Path, typer.Argument(help="A folder that holds a bundle.")] = Path(
        "models/bundle"
    ),
) -> None:
    """Say which commit, data, parameters and code made a bundle; compare them with all hashes."""
    from seedbed.registry.lineage import trace

    root = _root()
    facts = trace(root, bundle if bundle.is_absolute() else Path.cwd() / bundle)
    for fact in facts:
        print(f"{'ok   ' if fact.genuine else 'WRONG'}  {fact.name:<11} {fact.text}")
    if not all(fact.genuine for fact in facts):
        sys.exit(1)


@command()
def remote(
    url: Annotated[str, typer.Argument(help="A directory, ssh://, s3:// or gs://.")],
    endpoint_url: Annotated[
        str | None, typer.Option(help="Of an S3 server that is not Amazon's.")
    ] = None,
) -> None:
    """Set up the place where data and models are kept: try it, then write it to .dvc/config."""
    from seedbed.remotes.remote import set_up

    for line in set_up(_root(), url, endpoint_url):
        print(line)


@command()
def push() -> None:
    """Send branch, tags, experiments, and the data, models and run cache that belong to them."""
    from seedbed.remotes.push import push

    _stop_if(push(_root()).problems)


@command()
def pull() -> None:
    """Fetch what was pushed: branch, tags, experiments, data, models, run cache; then check out."""
    from seedbed.remotes.pull import pull

    _stop_if(pull(_root()).problems)


def _stop_if(problems: list[str]) -> None:
    if problems:
        raise UserError("\n\n".join(problems))


def _root() -> Path:
    from seedbed.config.repository import find_root

    return find_root()


def _place(root: Path, typed: Path | None, usual: str) -> Path:
    """Return where to write: what was typed, as seen from where it was typed, else the usual place in the repository."""
    return Path.cwd() / typed if typed else root / usual


def main() -> None:
    """Run the command; a person's mistake is told in one paragraph."""
    try:
        app()
    except UserError as error:
        sys.exit(f"seedbed: {error}")


if __name__ == "__main__":
    main()
