"""Everything on one HTML page that needs nothing but itself."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from seedbed.board.drift import Day, LogDrift
from seedbed.board.experiments import Cell, Experiments, read_experiments
from seedbed.board.reports import MonitorReport, list_files, monitor_reports
from seedbed.config.params import read_params
from seedbed.config.repository import git
from seedbed.errors import UserError, one_line
from seedbed.models.intervals import with_interval
from seedbed.pages import STYLE, allow
from seedbed.registry.versions import Registry, read_registry
from seedbed.templates import render

TEMPLATE = Path(__file__).with_name("page.html.jinja")
CARD = "models/champion/MODEL_CARD.md"
T = TypeVar("T")


@dataclass(frozen=True)
class Use:
    """A time in which a version was in use, or none; `until` is empty for the present."""

    version: str | None
    since: str
    until: str
    commit: str
    figure: Cell


def make_page(root: Path, drift: LogDrift | None, way: str) -> str:
    """Return the page of what the repository holds now.

    What cannot be read is named where it would stand; the rest of the page is there.

    Parameters
    ----------
    drift : LogDrift or None
        Days of a prediction log.
    way : str
        From the page to root; "" where a server gives both.
    """
    problems: dict[str, str] = {}

    def tried(part: str, read: Callable[[], T], instead: T) -> T:
        try:
            return read()
        except (UserError, OSError, ValueError) as error:
            problems[part] = one_line(error)
            return instead

    problem = tried("project", lambda: read_params(["problem"], root)["problem"], None)
    metric = problem.metric if problem else ""
    registry = tried("champion", lambda: read_registry(root), Registry([], [], [], [], {}))
    experiments = tried(
        "experiments", lambda: read_experiments(root, registry, metric), Experiments([], [])
    )
    days = tried("drift", drift.days, list[Day]()) if drift else []
    files = list_files(root)
    style = STYLE + TEMPLATE.with_name("board.css").read_text("utf-8")
    script = "".join(
        TEMPLATE.with_name(f"{name}.js").read_text("utf-8") for name in ("table", "plot")
    )
    policy = f"default-src 'none'; style-src {allow(style)}; script-src {allow(script)}; "
    return render(
        TEMPLATE,
        {"interval": with_interval, "link": lambda path: quote(f"{way}/{path}")},
        style=style,
        script=script,
        policy=f"{policy} img-src data:; base-uri 'none'; form-action 'none'",
        question=problem.question if problem else root.name,
        commit=git(root, "log", "-1", "--format=%h %cs %s"),
        metric=f"test.{metric}",
        uses=_uses(registry, experiments, f"test.{metric}"),
        in_use=registry.in_use,
        unused=[name for name in registry.versions if name not in registry.uses],
        card=CARD if any(path == CARD for path, _ in files) else None,
        experiments=experiments,
        drift=drift,
        days=days,
        columns=drift.worst_columns(days) if drift else [],
        monitor_reports=tried("monitor", lambda: monitor_reports(root), list[MonitorReport]()),
        files=files,
        problems=problems,
    )


def _uses(registry: Registry, experiments: Experiments, metric: str) -> list[Use]:
    """Return which version was in use when, the latest first."""
    times = zip_longest(registry.since, registry.since[1:], fillvalue="")
    uses = []
    for version, (since, until) in zip(registry.uses, times, strict=True):
        commit = registry.commits.get(version or "", "")
        uses.append(Use(version, since, until, commit, experiments.value(commit, metric)))
    return uses[::-1]
