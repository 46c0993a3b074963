"""The exploration page: an overview, the target against each column, and skrub's report."""

import re
import warnings
from collections.abc import Mapping
from html import escape

import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.data.exploring import target_range
from seedbed.data.overview import make_overview
from seedbed.data.overview_page import STYLE as OVERVIEW_STYLE
from seedbed.data.overview_page import overview_html
from seedbed.data.roles import Columns, target_column, time_column

MOST_COLUMNS = 40
"""Columns drawn: those that move the target most. summary.json has all."""
MOST_REPORTED = 28
"""Columns in skrub's report, whose pictures are most of the page's 3 MB at most."""
MOST_ROWS = 50_000
"""Rows that skrub's report is made of, evenly spaced; summary.json counts all."""
WIDTH = 150
"""Of the drawing of a group's mean and interval, in pixels."""

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; }
.cards { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
.card { border: 1px solid #ddd; border-radius: 4px; padding: .6rem; }
.card h3 { font-size: 1em; margin: 0 0 .3rem; }
.card h3, .card td:first-child { max-width: 22em; overflow: hidden; white-space: nowrap;
  text-overflow: ellipsis; }
.card td { font-size: .8em; padding: 0 .3rem; line-height: 1.2; }
.card td:first-child { max-width: 12em; }
.card td:nth-child(n+3) { text-align: right; font-variant-numeric: tabular-nums; color: #666; }
.leak h3 { color: #D55E00; }
svg { display: block; color: #0072B2; } .leak svg { color: #D55E00; }
"""


def exploration_page(
    frame: pd.DataFrame,
    columns: Columns,
    problem: Problem,
    target: pd.Series,
    by_column: Mapping[str, pd.DataFrame],
    by_period: pd.DataFrame | None,
) -> str:
    """Return one self-contained HTML page, the same for the same rows.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Raw rows.
    target : Series, shape (n_rows,)
        As :func:`~seedbed.data.exploring.target_values` returns it.
    by_column, by_period
        As :mod:`seedbed.data.exploring` returns them.
    """
    known = [name for name, table in by_column.items() if len(table)]
    ranked = sorted(known, key=lambda name: -(target_range(by_column[name]) or 0.0))
    drawn = ranked[:MOST_COLUMNS]
    first = [target_column(columns), *([time] if (time := time_column(columns)) else [])]
    others = [*drawn, *(name for name in frame.columns if name not in {*drawn, *first})]
    shown = {*first, *others[: MOST_REPORTED - len(first)]}
    kind, words = target_words(target_column(columns), problem)
    tables = {name: by_column[name] for name in drawn}
    if by_period is not None and time is not None:
        tables = {time: by_period, **tables}
    after = {name for name in drawn if columns[name].role == "known_after_outcome"}
    left_out = [name for name in frame.columns if name not in columns]
    step = max(1, -(-len(frame) // MOST_ROWS))
    report = frame.loc[::step, [name for name in frame.columns if name in shown]]
    if problem.task == "binary":
        report = report.assign(**{words: target.map({0.0: "no", 1.0: "yes"}).astype("str")})
    return "\n".join(
        [
            f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Raw rows</title>"
            f"<style>{STYLE}{OVERVIEW_STYLE}</style></head><body>",
            f"<h1>{escape(problem.question)}</h1>",
            overview_html(make_overview(frame, columns, problem), len(frame), left_out),
            f"<h2>{escape(kind)} {escape(words)}, by column: 95 % interval, rows</h2>",
            _left_out(len(drawn), len(known), "Drawn"),
            "<p>The dotted line is the mean of all rows; a column in orange is known only after "
            "the outcome, and no model may see it.</p>",
            _cards(tables, after, float(target.mean())),
            "<h2>The columns</h2>",
            _left_out(len(shown), frame.shape[1], "Reported"),
            f"<p>Of {len(report):,} rows, evenly spaced among {len(frame):,}.</p>"
            if step > 1
            else "",
            profile(report),
            "</body></html>\n",
        ]
    )


def target_words(column: str, problem: Problem) -> tuple[str, str]:
    """Return what is drawn: a mean or a share, and of what."""
    above = problem.above
    if problem.task == "regression":
        return "Mean", column
    if problem.task == "multiclass":
        return "Share of the most frequent", column
    return (
        "Share of",
        f"{column} > {above:g}" if above is not None else f"{column} = {problem.positive}",
    )


def profile(frame: pd.DataFrame) -> str:
    """Return skrub's report of a table as HTML, the same for the same rows.

    skrub gives the page's elements random ids, which are numbered anew here; matplotlib gives those
    of its pictures random ids too, unless it is handed a salt, and the time, which is left out.
    """
    from matplotlib import rc_context
    from skrub import TableReport

    frame = frame.apply(_drawable)
    style = {"svg.hashsalt": "profile", "text.parse_math": False}
    with rc_context(style), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of letters that a font lacks, of values that overflow
        report = TableReport(
            frame, verbose=0, plot_distributions=True, compute_associations=True
        ).html_snippet()
    report = re.sub(r"<dc:date>[^<]*</dc:date>", "", report)
    random_ids = dict.fromkeys(re.findall(r'(?:id="|report_)([0-9a-f]{8})\b', report))
    numbers = {random_id: f"{number:08x}" for number, random_id in enumerate(random_ids)}
    word = r"(?<![0-9a-f])[0-9a-f]{8}(?![0-9a-f])"
    return re.sub(word, lambda found: numbers.get(found[0], found[0]), report)


def _drawable(values: pd.Series) -> pd.Series:
    """Return times as text where the axis of a plot would leave the years 1 to 9999."""
    if values.dtype.kind != "M" or values.isna().all():
        return values
    first, last = (moment.year for moment in (values.min(), values.max()))
    margin = (last - first) // 10 + 1
    return values if first - margin > 1 and last + margin < 9999 else values.astype("str")


def _left_out(shown: int, count: int, verb: str) -> str:
    if shown >= count:
        return ""
    return (
        f"<p>{verb} are {shown} of {count:,} columns, those that move the target most; "
        "summary.json has all.</p>"
    )


def _cards(tables: Mapping[str, pd.DataFrame], after: set[str], mean: float) -> str:
    """Return a card for each column, all on one scale: that of the columns a model may see."""
    scaled = [table["mean"] for name, table in tables.items() if name not in after]
    means = pd.concat([pd.Series([mean]), *scaled])
    least, most = means.min(), means.max()
    padding = (most - least or 1.0) * 0.1

    def place(value: float) -> float:
        share = (value - least + padding) / (most - least + 2 * padding)
        return round(3 + min(max(share, 0.0), 1.0) * (WIDTH - 6), 1)

    def row(label: object, group: pd.Series) -> str:
        text = f"{label:.4g}" if isinstance(label, float) else str(label)
        low = group["mean"] if pd.isna(group["low"]) else group["low"]
        high = group["mean"] if pd.isna(group["high"]) else group["high"]
        drawing = (
            f"<svg width='{WIDTH}' height='14' stroke='currentColor' fill='currentColor'>"
            f"<path d='M{place(mean)} 0V14' stroke='#999' stroke-dasharray='1 2'/>"
            f"<path d='M{place(low)} 7H{place(high)}' stroke-width='2'/>"
            f"<circle cx='{place(group['mean'])}' cy='7' r='3'/></svg>"
        )
        cells = (escape(text), drawing, f"{group['mean']:.3g}", f"{group['rows']:,.0f}")
        first, *rest = cells
        title = escape(text[:200], quote=True)
        return f"<tr><td title='{title}'>{first}</td><td>{'</td><td>'.join(rest)}</td></tr>"

    def card(name: str, table: pd.DataFrame) -> str:
        note = " (known after outcome)" if name in after else ""
        rows = "".join(row(label, group) for label, group in table.iterrows())
        kind = "card leak" if name in after else "card"
        title = escape(name, quote=True)
        return (
            f"<div class='{kind}'><h3 title='{title}'>{escape(name)}{note}</h3>"
            f"<table>{rows}</table></div>"
        )

    cards = (card(name, table) for name, table in tables.items())
    return f"<div class='cards'>{''.join(cards)}</div>"
