"""The story as a table, a picture and a text; the same story gives the same bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from seedbed.files import write_text
from seedbed.models.intervals import with_interval
from seedbed.plotting import PALETTE, STYLE, save_figure

NEVER, CALENDAR, WATCHED = "never retrain", "retrain every month", "retrain when monitor says so"
LOOKS = {NEVER: ("0.45", "v"), CALENDAR: (PALETTE[1], "s"), WATCHED: (PALETTE[0], "o")}
"""Colour and marker of each policy."""
SHOWN = 3
"""Reasons of a decision that the text gives; the page of the month has all."""


@dataclass(frozen=True)
class Turn:
    """What became of a policy in a month.

    Attributes
    ----------
    month, policy : str
    trained_until : str
        Where the window of the model ends that answered.
    metric : str
        The deciding one.
    rows : int
        That were answered.
    value, low, high : float or None
        The metric and its 95 % interval, once all outcomes had come.
    decision : str
        What `seedbed monitor` decides on that model and month.
    reasons : list of str
        Why.
    retraining : {"", "promoted", "refused"}
        What came of a retraining after the month.
    gate : str
        Why.
    """

    month: str
    policy: str
    trained_until: str
    metric: str
    rows: int
    value: float | None
    low: float | None
    high: float | None
    decision: str
    reasons: list[str]
    retraining: str = ""
    gate: str = ""

    @classmethod
    def of(cls, policy: str, month: str, trained_until: str, found: Mapping[str, Any]) -> Self:
        """Return the turn that a report of the monitor tells of."""
        return cls(
            month=month,
            policy=policy,
            trained_until=trained_until,
            metric=found["metric"],
            rows=found["rows"],
            **found["performance"][0]["current"],
            decision=found["state"],
            reasons=found["reasons"],
        )

    @property
    def figure(self) -> str:
        """The metric and its interval."""
        return with_interval({"value": self.value, "low": self.low, "high": self.high})

    def in_words(self) -> str:
        """Return it as one line."""
        retraining = f"; retrained and {self.retraining}: {self.gate}" if self.retraining else ""
        decision = self.decision.replace("_", " ")
        return f"{self.month}: {self.metric} {self.figure}, {decision}{retraining}"


def write_story(folder: Path, turns: Sequence[Turn]) -> None:
    """Write story.csv, story.png and README.md."""
    table = pd.DataFrame([asdict(turn) for turn in turns])
    kept = table.drop(columns=["reasons", "gate"])
    write_text(folder / "story.csv", kept.to_csv(index=False, lineterminator="\n"))
    draw(folder / "story.png", table)
    write_text(folder / "README.md", in_words(turns))


def draw(path: Path, table: pd.DataFrame) -> None:
    """Draw the metric by month with intervals, and below it when each policy retrained."""
    months = sorted(table["month"].unique())

    def places(names: pd.Series) -> NDArray:
        return np.array([months.index(name) for name in names], float)

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(9, 5.6), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
        for row, (policy, (colour, marker)) in enumerate(LOOKS.items()):
            turns = table[table["policy"] == policy]
            x = places(turns["month"]) + 0.12 * (row - 1)
            value, low, high = (turns[name].astype(float) for name in ("value", "low", "high"))
            above.errorbar(
                x, value, [value - low, high - value], color=colour, marker=marker, markersize=5,
                linewidth=1.2, elinewidth=0.8, capsize=2, label=_label(policy, turns),
            )  # fmt: skip
            for outcome, filled in (("promoted", colour), ("refused", "white")):
                at = places(turns.loc[turns["retraining"] == outcome, "month"]) + 0.5
                below.scatter(at, [-row] * len(at), 45, filled, marker, edgecolors=colour, zorder=3)
        above.set_ylabel(f"{table['metric'].iloc[0]}, 95 % interval")
        above.set_title("One model in use, three policies")
        above.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02), ncols=3)
        below.set_yticks([0, -1, -2], list(LOOKS))
        below.set_ylim(-2.6, 0.6)
        below.set_xticks(range(len(months)), months)
        below.set_xlabel("retrained after the month; filled: promoted, hollow: refused")
        save_figure(figure, path)


def _label(policy: str, turns: pd.DataFrame) -> str:
    retrained = turns["retraining"] != ""
    promoted = turns["retraining"] == "promoted"
    return f"{policy}\n{retrained.sum()} retrained, {promoted.sum()} promoted"


def in_words(turns: Sequence[Turn]) -> str:
    """Return the text."""
    by = {(turn.month, turn.policy): turn for turn in turns}
    months = sorted({turn.month for turn in turns})
    metric = turns[0].metric
    lines = [
        "# A year of a model in use",
        "",
        f"A model of January to March answers April, and then one of three policies says which "
        f"model answers each month. {metric} with its 95 % interval is measured once all outcomes "
        "have come; [story.csv](story.csv) has all figures.",
        "",
        f"- {NEVER}: the first model stays.",
        f"- {CALENDAR}: after each month a new model takes over, and no gate asks whether it is "
        "better.",
        f"- {WATCHED}: only after drift or lost performance; the gate compares the new model with "
        "the one in use, and decides.",
        "",
        "![The metric by month for the three policies](story.png)",
        "",
        f"| month | {' | '.join(LOOKS)} |",
        f"| --- |{' ---: |' * len(LOOKS)}",
        *(
            f"| [{month}]({month}.html) | "
            + " | ".join(by[month, policy].figure for policy in LOOKS)
            + " |"
            for month in months
        ),
        f"| mean | {' | '.join(_mean(turns, policy) for policy in LOOKS)} |",
        "",
        f"## What happened where one would {WATCHED}",
    ]
    for month in months:
        lines += ["", f"### {month}", "", *_month(by[month, WATCHED])]
    return "\n".join(lines) + "\n"


def _mean(turns: Sequence[Turn], policy: str) -> str:
    values = [turn.value for turn in turns if turn.policy == policy and turn.value is not None]
    return f"{sum(values) / len(values):.4g}" if values else ""


def _month(turn: Turn) -> list[str]:
    """Return the lines on a month of the watched model."""
    more = len(turn.reasons) - SHOWN
    lines = [
        f"The model of the rows before {turn.trained_until} answered {turn.rows:,} rows with a "
        f"{turn.metric} of {turn.figure}. The [monitor]({turn.month}.html) decided: "
        f"{turn.decision.replace('_', ' ')}.",
        "",
        *(f"- {reason}" for reason in turn.reasons[:SHOWN]),
    ]
    if more > 0:
        lines.append(f"- and {more} more")
    if turn.retraining:
        page = f"{turn.month}-retrained.md"
        lines += ["", f"[Retrained]({page}), and {turn.retraining}. {turn.gate}"]
    return lines
