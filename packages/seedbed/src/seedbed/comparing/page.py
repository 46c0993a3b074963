"""A comparison as one HTML page that needs nothing but itself: what is best and what differs."""

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import commonprefix
from pathlib import Path
from typing import Any

from seedbed.comparing.plots import draw
from seedbed.comparing.ranking import Ranking
from seedbed.comparing.revisions import Revision
from seedbed.comparing.show import HIDDEN_PARAMS
from seedbed.errors import UserError, some_of
from seedbed.models.intervals import as_number
from seedbed.models.metrics import find_metric
from seedbed.pages import STYLE
from seedbed.templates import render

TEMPLATE = Path(__file__).with_name("page.html.jinja")
MOST_REVISIONS = 8
"""As many as there are colours."""
MOST_NAMES = 3
MOST_ROWS = 60
MOST_TEXT = 60
"""Characters of a value."""
CONTEXT = 20
"""Characters that a long value shows before it differs from the others."""


@dataclass(frozen=True)
class Cell:
    """A value, whether it is the best of its row, and whether the first revision has another."""

    text: str
    best: bool = False
    differs: bool = False


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and the cells of each row by its name."""

    title: str
    columns: list[str]
    rows: dict[str, list[Cell]]


def to_html(
    revisions: Sequence[Revision], ranking: Ranking, plots: Sequence[tuple[str, dict[str, Any]]]
) -> str:
    """Return the page: which is better, the tables, and all revisions in one picture a plot.

    Parameters
    ----------
    revisions : sequence of Revision
        The first is the one to compare with. Of more than 8, it and the best others are shown.
    ranking : Ranking
        Of the same revisions.
    plots : sequence of (str, dict)
        Titles and definitions as dvc.yaml has them.
    """
    order = [place.name for place in ranking.places if place.name != ranking.first]
    kept = {ranking.first, *order[: MOST_REVISIONS - 1]}
    shown = [revision for revision in revisions if revision.name in kept]
    notes = lacking(shown)
    if len(shown) < len(revisions):
        rest = some_of([name for name in order if name not in kept], MOST_NAMES)
        notes.append(f"Tables and plots show it and the best {len(shown) - 1}, without {rest}.")
    pictures = [svg for name, plot in plots if (svg := draw(name, plot, shown))]
    return render(
        TEMPLATE,
        {},
        style=STYLE + TEMPLATE.with_name("page.css").read_text("utf-8"),
        title=f"Compared with {ranking.first}: {some_of(order, MOST_NAMES)}",
        sentences=[ranking.in_words(), *notes],
        first=ranking.first,
        tables=[
            _ranking_table(ranking),
            _table("Metrics", shown, "metrics", ranking.key),
            _table("Parameters that differ", shown, "params"),
            _table("Data and models that differ", shown, "data"),
        ],
        most_rows=MOST_ROWS,
        pictures=pictures,
    )


def lacking(revisions: Sequence[Revision]) -> list[str]:
    """Return a sentence for each revision of which plots or predictions cannot be had."""
    return [
        f"{revision.name} is left out of what needs {', '.join(revision.missing)}: neither DVC's "
        "cache nor its remote has them. `make push` where it was run sends them; else check it "
        "out and run `dvc repro`."
        for revision in revisions
        if revision.missing
    ]


def _ranking_table(ranking: Ranking) -> Table:
    rows = {
        place.name: [
            _text(place.value),
            "" if place.gain is None else f"{'+' if place.gain > 0 else ''}{as_number(place.gain)}",
            "" if place.low is None else f"{_text(place.low)} to {_text(place.high)}",
            place.note,
        ]
        for place in ranking.places
    }
    columns = [ranking.key, "better by", "95 % interval", "on"]
    cells = {name: [Cell(text) for text in texts] for name, texts in rows.items()}
    return Table(f"By {ranking.key}", columns, cells)


def _table(title: str, revisions: Sequence[Revision], part: str, leading: str = "") -> Table:
    """Return all metrics, or what differs of parameters or data."""
    found = [getattr(revision, part) for revision in revisions]
    keys = sorted(dict.fromkeys(key for values in found for key in values), key=leading.__ne__)
    task = revisions[0].params.get("problem.task")
    rows = {}
    for key in keys:
        row = [values.get(key) for values in found]
        if part == "metrics":
            rows[key] = _cells([_text(value) for value in row], _best(row, key, task))
        elif len(set(map(str, row))) > 1 and not (key in HIDDEN_PARAMS or key.endswith("_target_")):
            rows[key] = _cells(["" if value is None else str(value) for value in row])
    return Table(title, [revision.name for revision in revisions], rows)


def _cells(texts: list[str], best: str | None = None) -> list[Cell]:
    """Return values as they are shown; long ones are cut, beginning shortly before they differ."""
    start = 0
    if max(map(len, texts)) > MOST_TEXT:
        common = commonprefix([text for text in texts if text])  # noqa: RUF071
        start = max(0, len(common) - CONTEXT)
    end = start + MOST_TEXT
    cells = []
    for text in texts:
        shown = f"{'…' if start and text else ''}{text[start:end]}{'…' if text[end:] else ''}"
        cells.append(Cell(shown, text == best, bool(text) and text != texts[0]))
    return cells


def _best(row: Sequence[Any], key: str, task: Any) -> str | None:
    """Return the best of a metric's values; None where all are equal or neither way is better."""
    numbers = [value for value in row if isinstance(value, int | float)]
    try:
        sign = find_metric(key.rpartition(".")[2], task).sign
    except UserError:
        return None
    differ = len(set(map(_text, numbers))) > 1
    return _text(max(numbers, key=lambda value: sign * value)) if differ else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    return as_number(value) if isinstance(value, float) else str(value)
