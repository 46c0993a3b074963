"""How every picture looks, and how it is saved: the same data give the same bytes."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import matplotlib
from matplotlib.figure import Figure

PALETTE = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"]
"""Okabe and Ito's colours for colour-blind readers (https://jfly.uni-koeln.de/color/)."""
MODEL, BASELINE, OTHER = PALETTE[0], "0.45", PALETTE[1]

STYLE = {
    "font.size": 10,
    "axes.titlesize": 11,
    "figure.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "text.parse_math": False,  # a column may be called "price_$"
}
MOST_LETTERS = 28
"""Of a name in a picture: longer ones lose their middle."""


@contextmanager
def picture(
    path: Path, title: str, width: float = 6.4, height: float = 4.8, names: bool = False
) -> Iterator[Any]:
    """Yield axes to draw on; when that is done, they are saved as a PNG.

    Parameters
    ----------
    names : bool
        Whether ticks are names, which need room. Numbers fit into fixed margins, which saves a
        third of the time.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = new_figure(1, 1, width, height, "constrained" if names else None)
        if names:
            figure.suptitle(title)
        else:
            figure.subplots_adjust(left=0.13, right=0.97, bottom=0.12, top=0.88)
            axes.set_title(title)
        yield axes
        save_figure(figure, path)


def new_figure(
    rows: int = 1,
    columns: int = 1,
    width: float = 6.4,
    height: float = 4.8,
    layout: Literal["constrained"] | None = "constrained",
) -> tuple[Figure, Any]:
    """Return a figure of `width` by `height` inches and its axes: one, or an array (rows, columns).

    It is made without pyplot, which costs half a second to import and keeps every figure alive.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout=layout)
        axes = figure.subplots(rows, columns, squeeze=rows == columns == 1)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Write a PNG at 110 dots per inch, without matplotlib's date and version."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(110)
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        # Letters that the font lacks are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # The same bytes as those of figure.savefig, which draws everything twice.
        quick = {"compress_level": 2}
        FigureCanvasAgg(figure).print_png(path, metadata={"Software": None}, pil_kwargs=quick)


def short(name: object, most: int = MOST_LETTERS) -> str:
    """Return a name on one line, without its middle where it is long.

    Examples
    --------
    >>> short("the average price of a house in the neighbourhood")
    'the average p…e neighbourhood'
    """
    text = " ".join(str(name).split())
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"


def shortened(names: list[Any]) -> list[str]:
    """Return names for the ticks of an axis: short, and numbered where two would look alike."""
    texts = [short(name) for name in names]
    return [
        f"{text} ({texts[: place + 1].count(text)})" if texts.count(text) > 1 else text
        for place, text in enumerate(texts)
    ]
