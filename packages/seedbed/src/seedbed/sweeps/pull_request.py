"""What a pull request is told: how the figures, parameters, data and plots of a work tree differ from a target's."""

import html
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.repository import git, git_or_stop
from seedbed.files import write_text
from seedbed.plotting import PALETTE
from seedbed.sweeps.compare import Revision, plot_definitions, read_revision
from seedbed.sweeps.compare_page import table_of, to_html, to_markdown
from seedbed.sweeps.dvc_calls import split_lock

MARK = "<!-- seedbed: report on a pull request -->"
"""By which the comment of an earlier run is found again; it opens every report."""
COLOURS = ("blue", "orange")
POINTS = 21
"""Of a curve in a chart: Mermaid draws one label a point."""
BARS = 15
REPORT, PAGE, STOPPED, UNCOMPARED = "report.md", "compare.html", "stopped.txt", "uncompared.txt"


def write_report(root: Path, target: str, folder: Path, link: str = "") -> list[str]:
    """Write what the work tree differs in from `target`: report.md for a comment, compare.html with all plots.

    Parameters
    ----------
    root : Path
        Of the repository. What the graph wrote since the last commit counts, committed or not.
    target : str
        A branch, tag or commit.
    folder : Path
        Where to write; if it holds stopped.txt, the last lines of a pipeline that stopped, they are told, and with
        uncompared.txt that the champion was not to be had.
    link : str
        Address of the page, where it will be kept.

    Returns
    -------
    list of str
        The stages whose entry in dvc.lock is not the committed one.
    """
    plots = plot_definitions(root)
    tables = [path for _, definition in plots for path in definition["y"]]
    # A snapshot of what Git tracks; it says nothing where nothing changed.
    commit = git_or_stop(root, "stash", "create") or "HEAD"
    sides = [
        replace(read_revision(root, target, tables), name=target.removeprefix("origin/")),
        replace(read_revision(root, commit, tables), name="this branch"),
    ]
    stale = _stale_stages(root)
    stopped = (folder / STOPPED).read_text(encoding="utf-8") if (folder / STOPPED).exists() else ""
    uncompared = (folder / UNCOMPARED).exists()
    write_text(
        folder / REPORT,
        to_comment(sides, plots, stale, stopped=stopped, uncompared=uncompared, link=link),
    )
    write_text(folder / PAGE, to_html(sides, plots))
    return stale


def to_comment(
    sides: Sequence[Revision],
    plots: Sequence[tuple[str, dict[str, Any]]],
    stale: Sequence[str] = (),
    *,
    stopped: str = "",
    uncompared: bool = False,
    link: str = "",
) -> str:
    """Return the report on two sides as Markdown that GitHub and GitLab draw: they show no picture that lies nowhere."""
    parts = [MARK, f"## What this branch changes against {sides[0].name}", _in_short(sides)]
    if stopped:
        parts.append(f"**The pipeline stopped:**\n\n<pre>{html.escape(stopped.strip())}</pre>")
    if uncompared:
        parts.append(
            "**Not compared: no access to the champion.** The stages up to evaluate ran; gate and package did not, and what is "
            "told of the gate is what the branch has committed."
        )
    if stale:
        parts.append(
            f"**dvc.lock of this branch is not in step:** {', '.join(stale)} ran here, and the figures below are of that run. "
            "Run `dvc repro`, and commit what it writes."
        )
    parts.append(_folded("Figures, parameters and data", to_markdown(sides)))
    drawn = [told for title, definition in plots if (told := _plot(title, definition, sides))]
    if drawn:
        parts.append(_folded("Plots", "\n\n".join(drawn)))
    if link:
        parts.append(f"All plots in one page: {PAGE} among the [artifacts of this run]({link}).")
    return "\n\n".join(parts) + "\n"


def _in_short(sides: Sequence[Revision]) -> str:
    figures = table_of(sides, "metrics")
    moved = figures[figures["change"].ne("") & ~figures["change"].isin(["+0", "-0"])]
    metric = str(sides[1].params.get("problem.metric"))
    lines = [f"{len(moved)} of {len(figures)} figures moved." if len(moved) else "No figure moved."]
    for key in figures.index:
        if str(key).split(".")[-1] == metric or str(key).startswith("gate."):
            before, after = figures.loc[key, [side.name for side in sides]]
            change = figures.loc[key, "change"]
            lines.append(
                f"- {key}: {before or 'none'} → **{after or 'none'}**{f' ({change})' if change else ''}"
            )
    return "\n".join(lines)


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{text.strip()}\n\n</details>"


def _plot(title: str, definition: dict[str, Any], sides: Sequence[Revision]) -> str:
    """Return one plot of dvc.yaml: a curve as a Mermaid chart, bars as a table. Of several files, the last one's."""
    template = str(definition.get("template", ""))
    for path, column in reversed(definition["y"].items()):
        found = {side.name: side.plots[path] for side in sides if path in side.plots}
        if not found or template.startswith("confusion"):
            continue
        told = f"{title} (`{path}`)"
        if template.startswith("bar"):
            return f"**{told}**\n\n{_bars(found, definition['x'], column)}"
        return f"**{told}**: {_legend(list(found), sides)}\n\n{_chart(found, definition, column, sides)}"
    return ""


def _bars(found: dict[str, pd.DataFrame], value: str, label: str) -> str:
    columns = {
        name: table.set_index(table[label].astype(str))[value] for name, table in found.items()
    }
    joined = pd.DataFrame(columns).sort_values(list(columns)[-1], ascending=False).head(BARS)
    lines = [["", *joined.columns], ["---"] * (len(joined.columns) + 1)]
    lines += [
        [str(key), *("" if pd.isna(cell) else f"{cell:.4g}" for cell in row)]
        for key, row in zip(joined.index, joined.to_numpy(), strict=True)
    ]
    return "\n".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines
    )


def _legend(names: Sequence[str], sides: Sequence[Revision]) -> str:
    return ", ".join(
        f"{colour} is {side.name}"
        for colour, side in zip(COLOURS, sides, strict=True)
        if side.name in names
    )


def _chart(
    found: dict[str, pd.DataFrame],
    definition: dict[str, Any],
    column: str,
    sides: Sequence[Revision],
) -> str:
    """Return a Mermaid chart. It knows no points, only values at equal steps, so curves are read off at those."""
    x = definition["x"]
    start, end = (f(f(table[x]) for table in found.values()) for f in (min, max))
    steps = np.linspace(start, end, POINTS)
    colours = [colour for colour, side in zip(PALETTE, sides, strict=False) if side.name in found]
    lines = []
    for table in found.values():
        curve = table.sort_values(x, kind="stable")
        values = map(_plain, np.interp(steps, curve[x], curve[column]))
        lines.append(f"    line [{', '.join(values)}]")
    palette = f'  themeVariables:\n    xyChart:\n      plotColorPalette: "{", ".join(colours)}"'
    return "\n".join(
        [
            f"```mermaid\n---\nconfig:\n{palette}\n---\nxychart-beta",
            f'    x-axis "{definition.get("x_label", x)}" {_plain(start)} --> {_plain(end)}',
            f'    y-axis "{definition.get("y_label", column)}"',
            *lines,
            "```",
        ]
    )


def _plain(value: float) -> str:
    """Return a number of four digits without an exponent, which Mermaid takes for a mistake."""
    return np.format_float_positional(value, precision=4, fractional=False, trim="-")


def _stale_stages(root: Path) -> list[str]:
    committed = split_lock(f"{git(root, 'show', 'HEAD:./dvc.lock') or ''}\n")[1]
    now = split_lock((root / "dvc.lock").read_text(encoding="utf-8"))[1]
    return [
        stage for stage, entry in now.items() if entry.strip() != committed.get(stage, "").strip()
    ]
