"""How every picture of this project looks, and how it is saved: the same figure gives the same bytes."""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
"""Okabe and Ito's colours, which colour-blind readers can tell apart (https://jfly.uni-koeln.de/color/)."""
MODEL, BASELINE, OTHER = PALETTE[0], "0.45", PALETTE[1]

STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}


def new_figure(
    rows: int = 1, columns: int = 1, width: float = 6.4, height: float = 4.8
) -> tuple[Figure, Any]:
    """Return a figure of `width` by `height` inches and its axes: one, or an array of shape (rows, columns).

    The figure is made without pyplot, which costs half a second to import and keeps every figure alive.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=rows == columns == 1)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG at 110 dots per inch, without the date and version that matplotlib would put into it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(110)
    with matplotlib.rc_context(STYLE):
        # The same bytes as those of figure.savefig, which draws everything twice.
        FigureCanvasAgg(figure).print_png(path, metadata={"Software": None})
