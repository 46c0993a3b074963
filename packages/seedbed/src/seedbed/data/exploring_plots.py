"""The pictures of the exploration report."""

from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import Problem
from seedbed.data.roles import Columns, target_column
from seedbed.plotting import PALETTE, new_figure, save_figure

LEAK = PALETTE[1]
MOST_LETTERS = 17
"""Of a category's name below its mark."""


def draw_correlations(path: Path, matrix: pd.DataFrame) -> None:
    """Draw a heat map of rank correlations."""
    side = 2.5 + 0.32 * len(matrix)
    figure, axes = new_figure(width=side + 0.8, height=side)
    image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="PuOr")
    axes.set_xticks(range(len(matrix)), matrix.columns, rotation=90)
    axes.set_yticks(range(len(matrix)), matrix.index)
    axes.grid(visible=False)
    axes.set_title("Rank correlation (Spearman)")
    figure.colorbar(image, ax=axes, shrink=0.7)
    save_figure(figure, path)


def draw_missing(path: Path, frame: pd.DataFrame) -> None:
    """Draw the share of missing values of the columns that have any."""
    share = frame.isna().mean()
    share = share[share > 0].sort_values(kind="stable")
    figure, axes = new_figure(height=1.6 + 0.26 * max(len(share), 2))
    axes.barh(share.index, share * 100, color=PALETTE[0])
    for place, value in enumerate(share * 100):
        axes.text(value + 1, place, f"{value:.1f} %", va="center", fontsize=9)
    axes.set(
        xlim=(0, 115),
        xlabel="missing values (%)",
        title="Missing values" if len(share) else "No missing values",
    )
    axes.spines["bottom"].set_bounds(0, 100)  # beyond is room for the figures
    axes.grid(visible=False, axis="y")
    save_figure(figure, path)


def draw_target(
    path: Path, by_feature: dict[str, pd.DataFrame], columns: Columns, problem: Problem
) -> None:
    """Draw the mean target against each column, with 95 % intervals; columns that leak are in another colour."""
    across = 4
    down = max(1, -(-len(by_feature) // across))
    figure, axes = new_figure(down, across, width=3.3 * across, height=2.3 * down + 0.6)
    cells = list(axes.flat) if hasattr(axes, "flat") else [axes]
    for cell, (name, table) in zip(cells, by_feature.items(), strict=False):
        leaks = columns[name].role == "known_after_outcome"
        _draw_one(cell, table, columns[name].type == "number", LEAK if leaks else PALETTE[0])
        cell.set_title(
            f"{name} (known after outcome)" if leaks else name,
            fontsize=10,
            color=LEAK if leaks else "black",
        )
    for cell in cells[len(by_feature) :]:
        cell.axis("off")
    figure.suptitle(f"{_target_words(columns, problem)} by column: mean and 95 % interval")
    save_figure(figure, path)


def draw_time(path: Path, by_month: pd.DataFrame, columns: Columns, problem: Problem) -> None:
    """Draw the mean target and the number of rows of each month."""
    figure, axes = new_figure(2, 1, width=7.5, height=5.5)
    rate, rows = axes.flat
    rows.sharex(rate)
    rate.errorbar(
        by_month.index,
        by_month["mean"],
        yerr=_reach(by_month),
        color=PALETTE[0],
        marker="o",
        capsize=3,
    )
    rate.set(title=f"{_target_words(columns, problem)} by month", ylabel="mean and 95 % interval")
    rows.bar(by_month.index, by_month["rows"], color=PALETTE[5])
    rows.set(ylabel="rows")
    rate.tick_params(axis="x", labelbottom=False)
    rows.tick_params(axis="x", rotation=60)
    save_figure(figure, path)


def _draw_one(cell: Any, table: pd.DataFrame, is_number: bool, color: str) -> None:
    places = table.index if is_number else range(len(table))
    cell.errorbar(
        places,
        table["mean"],
        yerr=_reach(table),
        color=color,
        marker="o",
        markersize=3.5,
        linestyle="-" if is_number else "none",
        capsize=2,
    )
    if not is_number:
        cell.set_xticks(
            range(len(table)), _short(list(table.index)), rotation=60, ha="right", fontsize=7
        )


def _reach(table: pd.DataFrame) -> Any:
    """Return how far the interval goes below and above the mean, shape (2, n_groups)."""
    return [
        (table["mean"] - table["low"]).clip(lower=0),
        (table["high"] - table["mean"]).clip(lower=0),
    ]


def _short(labels: list[str]) -> list[str]:
    """Return labels without their middle where they are long; whole if two would become one."""
    shorter = [
        label if len(label) <= MOST_LETTERS else f"{label[:8]}…{label[-8:]}" for label in labels
    ]
    return shorter if len(set(shorter)) == len(set(labels)) else labels


def _target_words(columns: Columns, problem: Problem) -> str:
    target, above = target_column(columns), problem.above
    if problem.task == "binary":
        return (
            f"Share of {target} > {above:g}"
            if above is not None
            else f"Share of {target} = {problem.positive}"
        )
    return (
        f"Share of the most frequent {target}" if problem.task == "multiclass" else f"Mean {target}"
    )
