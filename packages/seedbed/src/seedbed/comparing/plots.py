"""A plot of dvc.yaml with several revisions in it, as SVG."""

import io
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import pandas as pd

from seedbed.comparing.revisions import Revision
from seedbed.plotting import PALETTE, new_figure, short

LINES = ["-", "--", "-.", ":"]
MOST_BARS = 15
MOST_NAME = 40
"""Characters of a revision's name, or a bar's."""


def draw(title: str, definition: dict[str, Any], revisions: Sequence[Revision]) -> str:
    """Return the plot, each revision in its own colour; empty if none has the data.

    Two matrices cannot be drawn one over the other, so there is none of the confusion.
    """
    template = str(definition.get("template", ""))
    x = definition["x"]
    # dvc.yaml is today's; a revision of before may have other columns.
    curves = [
        (number, path, table[[x, y]])
        for path, y in definition["y"].items()
        for number, revision in enumerate(revisions)
        if {x, y} <= set(table := revision.plots.get(path, pd.DataFrame()))
    ]
    if not curves or template.startswith("confusion"):
        return ""
    order = _order_of_bars([table for _, _, table in curves], template.endswith("sorted"))
    figure, axes = new_figure(width=5.6, height=4.2 + 0.2 * len(curves))
    for number, path, table in curves:
        values, marks = table.iloc[:, 0], table.iloc[:, 1]
        part = f", {PurePosixPath(path).parts[1]}" if len(definition["y"]) > 1 else ""
        look = {
            "color": PALETTE[number % len(PALETTE)],
            "label": f"{short(revisions[number].name, MOST_NAME)}{part}",
        }
        if template.startswith("bar"):
            values = pd.Series(values.to_numpy(), marks.astype(str)).reindex(order)
            axes.plot(values, [short(name, MOST_NAME) for name in order], "o", alpha=0.8, **look)
        else:
            style = LINES[list(definition["y"]).index(path) % len(LINES)]
            axes.plot(values, marks, style, **look)
    axes.set(title=title, xlabel=definition.get("x_label", x))
    axes.set_ylabel(definition.get("y_label", next(iter(definition["y"].values()))))
    axes.title.set_wrap(True)
    axes.tick_params(labelsize=8)
    figure.legend(fontsize=8, loc="outside lower left")
    return _svg(figure)


def _order_of_bars(tables: Sequence[pd.DataFrame], largest_only: bool) -> list[str]:
    """Return the names beside the bars from below, at most 15; the largest, where that is asked."""
    pairs = [
        pd.Series(table.iloc[:, 0].to_numpy(), table.iloc[:, 1].astype(str)) for table in tables
    ]
    largest = pd.concat(pairs).groupby(level=0, sort=False).max()
    return list((largest.sort_values() if largest_only else largest).index[-MOST_BARS:])


def _svg(figure: Any) -> str:
    import matplotlib

    written = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "seedbed", "svg.fonttype": "path"}):
        figure.savefig(written, format="svg", metadata={"Date": None, "Creator": None})
    text = written.getvalue()
    return text[text.index("<svg") :]
