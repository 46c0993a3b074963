"""A comparison as one HTML page that needs nothing but itself: what is best and what differs."""

import html
from collections.abc import Sequence
from os.path import commonprefix
from typing import Any

import pandas as pd

from seedbed.comparing.plots import draw
from seedbed.comparing.ranking import Ranking
from seedbed.comparing.revisions import Revision
from seedbed.comparing.show import HIDDEN_PARAMS
from seedbed.errors import UserError, some_of
from seedbed.models.metrics import find_metric

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem;
  color: #222; }
h1 { font-size: 1.4em; } h2 { font-size: 1.15em; margin-top: 2rem; }
h1, p { overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
td, th { border: 1px solid #ccc; padding: 0.25rem 0.6rem; text-align: left; }
th { background: #f4f4f4; overflow-wrap: anywhere; min-width: 7em; }
tbody th { font-weight: normal; min-width: min(19em, 40vw); } td { white-space: nowrap; }
mark { background: #fff0c2; } b { color: #00563f; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; } svg { max-width: 100%; height: auto; }
"""
MOST_REVISIONS = 8
"""As many as there are colours."""
MOST_NAMES = 3
MOST_ROWS = 60
MOST_TEXT = 60
"""Characters of a value."""
CONTEXT = 20
"""Characters that a long value shows before it differs from the others."""


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
    title = html.escape(f"Compared with {ranking.first}: {some_of(order, MOST_NAMES)}")
    parts = [
        f"<h1>{title}</h1>",
        *(f"<p>{html.escape(text)}</p>" for text in [ranking.in_words(), *notes]),
        f"<p><b>Bold</b>: the best of a row. <mark>Marked</mark>: not as in "
        f"{html.escape(ranking.first)}.</p>",
        _section(f"By {ranking.key}", _ranking_table(ranking)),
        _section("Metrics", _table(shown, "metrics", ranking.key)),
        _section("Parameters that differ", _table(shown, "params")),
        _section("Data and models that differ", _table(shown, "data")),
    ]
    pictures = [svg for name, plot in plots if (svg := draw(name, plot, shown))]
    if pictures:
        figures = "".join(f"<figure>{svg}</figure>" for svg in pictures)
        parts.append(f'<h2>Plots</h2><div class="plots">{figures}</div>')
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}</style>'
    )
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
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


def _ranking_table(ranking: Ranking) -> pd.DataFrame:
    columns = [ranking.key, "better by", "95 % interval", "on"]
    rows = {
        place.name: [
            _text(place.value),
            "" if place.gain is None else f"{place.gain:+.4g}",
            "" if place.low is None else f"{place.low:.4g} to {place.high:.4g}",
            place.note,
        ]
        for place in ranking.places
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).map(html.escape)


def _table(revisions: Sequence[Revision], part: str, leading: str = "") -> pd.DataFrame:
    """Return the cells of a part as HTML: all metrics, and what differs of parameters and data."""
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
    names = [revision.name for revision in revisions]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def _cells(texts: list[str], best: str | None = None) -> list[str]:
    """Return values as HTML; long ones are cut, beginning shortly before they differ."""
    start = 0
    if max(map(len, texts)) > MOST_TEXT:
        common = commonprefix([text for text in texts if text])  # noqa: RUF071
        start = max(0, len(common) - CONTEXT)
    end = start + MOST_TEXT
    cells = []
    for text in texts:
        shown = f"{'…' if start and text else ''}{text[start:end]}{'…' if text[end:] else ''}"
        cell = html.escape(shown)
        cell = f"<b>{cell}</b>" if text == best else cell
        cells.append(cell if not cell or text == texts[0] else f"<mark>{cell}</mark>")
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
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _section(title: str, table: pd.DataFrame) -> str:
    head = f"<h2>{html.escape(title)}</h2>"
    if table.empty:
        return f"{head}<p>None.</p>"
    shown = table.head(MOST_ROWS).rename(index=html.escape, columns=html.escape)
    with pd.option_context("display.max_colwidth", None):
        cells = shown.to_html(escape=False, border=0)
    left_out = len(table) - len(shown)
    note = f"<p>{left_out} more rows are left out.</p>" if left_out else ""
    return f'{head}<div class="wide">{cells}</div>{note}'
