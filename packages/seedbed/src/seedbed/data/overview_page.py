"""The overview as HTML: warnings first, then a line for each column, then correlations."""

from html import escape

import pandas as pd

from seedbed.data.overview import Overview, Warned

MOST_WARNINGS = 60
"""Warnings that are written out."""
CUT, MOST_LETTERS = 20, 80
"""Letters of a name from which it may be cut by its cell, and at most there are in the cell."""
KINDS = {
    "leak": "may tell the target",
    "constant": "constant",
    "missing": "much missing",
    "same": "near-duplicate",
    "repeats": "repeated rows",
}
"""What the kinds of warnings are called, the gravest first."""

STYLE = """
table.list { border-collapse: collapse; font-size: .87em; }
table.list th { text-align: left; font-weight: 600; background: #fff; position: sticky; top: 0; }
table.list td, table.list th { padding: .15rem .7rem .15rem 0; border-bottom: 1px solid #eee;
  vertical-align: top; }
table.list td.name { max-width: 20em; overflow: hidden; white-space: nowrap;
  text-overflow: ellipsis; font-weight: 600; }
table.list td.words { color: #555; max-width: 46em; overflow-wrap: anywhere; }
table.list .figure { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.scroll { max-height: 46rem; overflow: auto; border: 1px solid #ddd; border-radius: 4px;
  padding: 0 .6rem; }
.kind { display: inline-block; border-radius: 3px; padding: 0 .4rem; background: #eee;
  white-space: nowrap; }
.kind.leak, .kind.repeats { background: #D55E00; color: #fff; }
.kind.constant, .kind.missing, .kind.same { background: #F5DDB3; }
table.list td.bars { width: 40px; }
.bar { display: inline-block; height: .6em; background: #0072B2; vertical-align: baseline; }
.bar.negative, .bar.missing { background: #D55E00; }
input.filter { font: inherit; padding: .15rem .4rem; margin: 0 0 .4rem; width: 18em; }
"""

FILTER = (
    "const q=this.value.toLowerCase();for(const r of document.querySelectorAll('#columns tr'))"
    "r.hidden=!r.textContent.toLowerCase().includes(q)"
)


def overview_html(overview: Overview, rows: int, left_out: list[str]) -> str:
    """Return the part of the page that stands at its top.

    Parameters
    ----------
    rows : int
        Rows of the table.
    left_out : list of str
        Columns of the table that have no role.
    """
    table = overview.columns
    features = int((table["role"] == "feature").sum())
    return "\n".join(
        [
            f"<p>{rows:,} rows, {len(table):,} columns in use, {features:,} of them features."
            f"{_others(left_out)}</p>",
            "<h2>Warnings</h2>",
            _warnings(overview.warnings),
            "<h2>All columns</h2>",
            _columns(table, {warned.column: warned.kind for warned in reversed(overview.warnings)}),
            *_correlations(overview.correlations),
        ]
    )


def _others(left_out: list[str]) -> str:
    if not left_out:
        return ""
    names = ", ".join(left_out[:12]) + (", …" if len(left_out) > 12 else "")
    return f" {len(left_out):,} more are in no list under columns: {escape(names)}."


def _warnings(warnings: list[Warned]) -> str:
    if not warnings:
        return (
            "<p>None: no feature tells the target by itself, none is constant, half missing or a "
            "near-duplicate of another one, and hardly a row repeats another one.</p>"
        )
    rows = "".join(
        f"<tr><td>{_kind(warned.kind)}</td>{_name(warned.column)}"
        f"<td class='words'>{escape(warned.words)}</td></tr>"
        for warned in warnings[:MOST_WARNINGS]
    )
    more = len(warnings) - MOST_WARNINGS
    rest = f"<p>and {more:,} more, marked in the table below.</p>" if more > 0 else ""
    leak = any(warned.kind == "leak" for warned in warnings)
    advice = (
        "<p>A column that tells the target is either known only after the outcome (put it under "
        "columns.known_after_outcome) or an honest find: nobody but you can say which.</p>"
    )
    return f"<table class='list'>{rows}</table>{rest}{advice if leak else ''}"


def _columns(table: pd.DataFrame, kinds: dict[str, str]) -> str:
    body = "".join(
        f"<tr>{_name(name)}<td>{row.type}</td><td>{row.role.replace('_', ' ')}</td>"
        f"<td class='figure'>{row.distinct:,}</td>{_missing(row.missing)}"
        f"<td class='words'>{escape(row.words)}</td>"
        f"<td>{_kind(kinds[name]) if name in kinds else ''}</td></tr>"
        for name, row in zip(table.index, table.itertuples(), strict=True)
    )
    titles = ("column", "type", "role", "distinct", "missing", "", "values", "")
    head = "".join(
        f"<th class='figure'>{title}</th>"
        if title in ("distinct", "missing")
        else f"<th>{title}</th>"
        for title in titles
    )
    box = f"<input class='filter' placeholder='filter the columns' oninput=\"{FILTER}\">"
    return (
        f"{box if len(table) > 20 else ''}<div class='scroll'><table class='list'>"
        f"<thead><tr>{head}</tr></thead><tbody id='columns'>{body}</tbody></table></div>"
    )


def _correlations(pairs: list[tuple[str, str, float]]) -> list[str]:
    if not pairs:
        return []
    rows = "".join(
        f"<tr>{_name(first)}{_name(second)}<td class='figure'>{strength:.2f}</td>"
        f"<td><span class='bar{' negative' if strength < 0 else ''}' "
        f"style='width:{100 * abs(strength):.0f}px'></span></td></tr>"
        for first, second, strength in pairs
    )
    return [
        "<h2>Strongest correlations of features</h2>",
        "<p>Spearman's rank correlation of numbers, orange where it is negative.</p>",
        f"<table class='list'>{rows}</table>",
    ]


def _kind(kind: str) -> str:
    return f"<span class='kind {kind}'>{KINDS[kind]}</span>"


def _name(name: str) -> str:
    title = f" title='{escape(name, quote=True)}'" if len(name) > CUT else ""
    return f"<td class='name'{title}>{escape(name[:MOST_LETTERS])}</td>"


def _missing(share: float) -> str:
    """Return the cells of a column's missing share: the figure and a bar."""
    if share == 0:
        return "<td></td><td></td>"
    text = "&lt; 0.1" if share < 0.001 else f"{100 * share:.2g}"
    text = "100" if share == 1 else text
    bar = f"<span class='bar missing' style='width:{max(1, round(40 * share))}px'></span>"
    return f"<td class='figure'>{text} %</td><td class='bars'>{bar}</td>"
