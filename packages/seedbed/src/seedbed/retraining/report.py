"""The report of a retraining, in Markdown, without a date: the same model has the same report."""

from collections.abc import Mapping
from typing import Any

from seedbed.config.schema import Window
from seedbed.models.intervals import as_text, with_interval
from seedbed.retraining.challenger import Challenger

NEWEST = (
    "The test rows are the newest of the window. The challenger was neither trained nor chosen on "
    "them."
)
SPREAD = (
    "The split is not by time, so the test rows are spread over the window and are not the newest. "
    "The challenger was neither trained nor chosen on them."
)
NOT_SEEN = "Nor was the champion: the gate looks for rows that it has seen, and found none."


def write_report(
    experiment: str,
    before: Window,
    after: Window,
    challenger: Challenger,
    in_use: str | None,
    promoted: str | None = None,
) -> str:
    """Return the report.

    Parameters
    ----------
    experiment : str
        Its name.
    before, after : Window
        Of the last training, and of this one.
    challenger : Challenger
    in_use : str or None
        The version in use before a promotion.
    promoted : str, optional
        What was done, if the challenger was promoted.
    """
    verdict = challenger.verdict
    paragraphs = [
        f"# Retraining {experiment}: {'accepted' if verdict.passed else 'refused'}",
        verdict.reason,
        f"Window: {_window(after)}; before: {_window(before)}.",
        "## Rows",
        _rows(challenger),
        _scored_on(challenger),
        "## Champion against challenger, on the test rows",
        _comparison(challenger, in_use),
        "## What to do",
        _next_steps(experiment, challenger, in_use, promoted),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _window(window: Window) -> str:
    return f"[{window.start or 'the beginning'}, {window.end or 'the end'})"


def _rows(challenger: Challenger) -> str:
    lines = ["| part | rows | of them new | from | to |", "| --- | ---: | ---: | --- | --- |"]
    for name, part in challenger.parts.items():
        lines.append(f"| {name} | {part.rows:,} | {part.new:,} | {part.first} | {part.last} |")
    return "\n".join(lines)


def _scored_on(challenger: Challenger) -> str:
    sentence = NEWEST if challenger.split.kind == "time" else SPREAD
    return f"{sentence} {NOT_SEEN}" if challenger.champion["compared"] else sentence


def _comparison(challenger: Challenger, in_use: str | None) -> str:
    champion = challenger.champion
    if champion.get("identical"):
        return "Both predict the same for every row."
    if champion["compared"]:
        head = ["metric", f"champion {in_use or ''}".strip(), "challenger", "better by"]
        figures = [champion["champion"], champion["challenger"], champion["difference"]]
        return _table(head, figures, challenger.metric)
    table = _table(["metric", "challenger"], [challenger.test], challenger.metric)
    return f"{_why_not_compared(challenger, in_use)}\n\n{table}"


def _why_not_compared(challenger: Challenger, in_use: str | None) -> str:
    if in_use is None:
        return "There is no champion yet: thresholds and baseline alone decided (conf/gate)."
    if not challenger.gate.champion.compare:
        return f"conf/gate does not ask for a comparison with the champion, {in_use}."
    return f"They were not compared: {challenger.champion['why']}."


def _table(head: list[str], figures: list[Mapping[str, Any]], first: str) -> str:
    """Return figures with their 95 % intervals, the deciding metric in bold and first."""
    names = [first, *(name for name in figures[0] if name != first)]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * len(figures)}"]
    for name in names:
        cells = [_cell(found[name]) if name in found else "" for found in figures]
        shown = f"**{name}**" if name == first else name
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, "", "In brackets: 95 % intervals; those of the difference are paired."]
    )


def _cell(found: Mapping[str, float | None]) -> str:
    return with_interval(found) if "low" in found else as_text(found["value"])


def _next_steps(
    experiment: str, challenger: Challenger, in_use: str | None, promoted: str | None
) -> str:
    back = (
        f"`seedbed rollback {in_use}` brings {in_use} back again."
        if in_use
        else "There is no earlier champion to roll back to."
    )
    if promoted:
        return f"{promoted}\n\n{back}"
    if challenger.verdict.passed:
        return (
            f"`seedbed promote --experiment {experiment}` makes it the champion, as long as "
            f"nothing else is committed.\n\n{back}"
        )
    return (
        "The champion stays. More rows decide more: the same command later takes them in. "
        f"`dvc exp show` lists {experiment} with its figures; what a model must reach is in "
        "conf/gate.\n\nIf the champion has seen test rows: wait until there are newer ones, or let "
        "the thresholds alone decide (`gate.champion.compare: false` in conf/gate)."
    )
