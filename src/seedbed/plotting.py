"""How every picture of this project looks, and how it is saved: the same figure gives the same bytes."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
"""Okabe and Ito's colours, which colour-blind readers can tell apart (https://jfly.uni-koeln.de/color/)."""

STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def new_figure(rows: int = 1, columns: int = 1, size: tuple[float, float] = (6.4, 4.8)) -> tuple[Figure, np.ndarray]:
    """Return a figure of `size` inches and its axes, shape (rows, columns)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes: Any = figure.subplots(rows, columns, squeeze=False)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG at 110 dots per inch, without the date and version that matplotlib would put into it."""
    with matplotlib.rc_context(STYLE):
        figure.savefig(path, dpi=110, metadata={"Software": None})
