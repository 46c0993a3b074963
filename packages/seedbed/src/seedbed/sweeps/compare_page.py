"""A comparison as one HTML page that needs nothing but itself, and as Markdown for a pull request."""

import html
import io
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from seedbed.plotting import PALETTE, new_figure
from seedbed.sweeps.compare import Revision, differences

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1200px; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.5em; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
td, th { border: 1px solid #ccc; padding: 0.25rem 0.6rem; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.plots { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; } svg { max-width: 100%; height: auto; }
"""
LINES = ["-", "--", "-.", ":"]
MOST_BARS = 15
TITLES = {
    "metrics": "Figures",
    "params": "Parameters that differ",
    "data": "Data and models that differ",
}


def to_html(revisions: Sequence[Revision], plots: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """Return the page: figures, parameters, data, and the plots with all revisions in one picture each."""
    title = html.escape(f"Compared: {', '.join(revision.name for revision in revisions)}")
    parts = [f"<h1>{title}</h1>"]
    for part, title in TITLES.items():
        parts += [f"<h2>{title}</h2>", _html_table(table_of(revisions, part))]
    pictures = [drawn for name, definition in plots if (drawn := draw(name, definition, revisions))]
    if pictures:
        parts += [
            "<h2>Plots</h2>",
            '<div class="plots">',
            *(f"<figure>{svg}</figure>" for svg in pictures),
            "</div>",
        ]
    head = f'<meta charset="utf-8"><link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}</style>'
    return (
        f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'
    )


def to_markdown(revisions: Sequence[Revision]) -> str:
    """Return the tables of the comparison as Markdown."""
    parts = []
    for part, title in TITLES.items():
        table = table_of(revisions, part)
        parts.append(f"### {title}\n")
        if table.empty:
            parts.append("None.\n")
            continue
        header = ["", *table.columns]
        rows = [
            [str(key), *row]
            for key, row in zip(table.index, table.to_numpy().tolist(), strict=True)
        ]
        lines = [header, ["---"] * len(header), *rows]
        parts.append(
            "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines) + "\n"
        )
    return "\n".join(parts)


def table_of(revisions: Sequence[Revision], part: str) -> pd.DataFrame:
    """Return a part as text; of two revisions' figures also the change from the first to the second."""
    table = differences(revisions, part)
    text = table.map(_told)
    if part == "metrics" and len(revisions) == 2:
        first, second = (
            pd.to_numeric(table[revision.name], errors="coerce") for revision in revisions
        )
        change = second - first
        text["change"] = [f"{value:+.4g}" if pd.notna(value) else "" for value in change]
    return text


def draw(title: str, definition: dict[str, Any], revisions: Sequence[Revision]) -> str:
    """Return one plot of dvc.yaml as SVG, every revision in a colour and line of its own; empty if none has its data."""
    if definition.get("template", "").startswith("confusion"):
        return ""
    bars = str(definition.get("template", "")).startswith("bar")
    order = _order_of_bars(definition, revisions) if bars else []
    figure, axes = new_figure(width=5.6, height=4.2)
    drawn = 0
    for path, y in definition["y"].items():
        for number, revision in enumerate(revisions):
            table = revision.plots.get(path)
            # dvc.yaml of today says what to draw; a revision from before may have called it otherwise.
            if table is None or not {definition["x"], y} <= set(table):
                continue
            drawn += 1
            side = f", {PurePosixPath(path).parts[1]}" if len(definition["y"]) > 1 else ""
            look = {"color": PALETTE[number % len(PALETTE)], "label": f"{revision.name}{side}"}
            if bars:
                values = table.set_index(table[y].astype(str))[definition["x"]].reindex(order)
                axes.plot(values, order, "o", alpha=0.8, **look)
            else:
                style = LINES[list(definition["y"]).index(path) % len(LINES)]
                axes.plot(table[definition["x"]], table[y], style, **look)
    if not drawn:
        return ""
    axes.set(title=title, xlabel=definition.get("x_label", definition["x"]))
    axes.set_ylabel(definition.get("y_label", next(iter(definition["y"].values()))))
    axes.tick_params(labelsize=8)
    # Names of experiments are long: beside the curves, not over them.
    figure.set_figheight(4.2 + 0.2 * drawn)
    figure.legend(fontsize=8, loc="outside lower left")
    return _svg(figure)


def _order_of_bars(definition: dict[str, Any], revisions: Sequence[Revision]) -> list[str]:
    """Return the names beside the bars from below, the same for all revisions; where they are sorted, the largest alone."""
    x = definition["x"]
    tables = [
        (revision.plots[path], y)
        for path, y in definition["y"].items()
        for revision in revisions
        if path in revision.plots
    ]
    values = pd.concat(
        [table.set_index(table[y].astype(str))[x] for table, y in tables if {x, y} <= set(table)]
        or [pd.Series()]
    )
    largest = values.groupby(level=0, sort=False).max()
    return list(
        largest.sort_values().index[-MOST_BARS:]
        if "sorted" in definition["template"]
        else largest.index
    )


def _svg(figure: Any) -> str:
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "seedbed", "svg.fonttype": "path"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]


def _html_table(table: pd.DataFrame) -> str:
    if table.empty:
        return "<p>None.</p>"
    head = "".join(f"<th>{html.escape(str(name))}</th>" for name in ["", *table.columns])
    rows = "".join(
        f"<tr><th>{html.escape(str(key))}</th>"
        + "".join(f'<td class="number">{html.escape(cell)}</td>' for cell in row)
        + "</tr>"
        for key, row in zip(table.index, table.to_numpy().tolist(), strict=True)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _told(value: Any) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
