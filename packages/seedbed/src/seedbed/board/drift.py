"""Drift by day: each day of a prediction log beside the reference of the bundle."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from seedbed.config.monitor import Monitor
from seedbed.data.roles import target_column
from seedbed.errors import UserError
from seedbed.monitoring.checking import Report, check_rows
from seedbed.monitoring.logs import OUTCOMES, is_log, read_log
from seedbed.monitoring.notes import LogNotes
from seedbed.monitoring.watching import watch
from seedbed.serving.bundle import Bundle
from seedbed.serving.log_files import day_of

MOST_DAYS = 31
"""Days that are looked at, the newest."""
MOST_COLUMNS = 8
"""Columns that are shown, those that were furthest from the reference on a day."""
LEVELS = 4
"""Shades of a population stability index: the last from the limit on."""


@dataclass(frozen=True)
class Day:
    """What was asked on a day; without a report, nothing that this bundle answered."""

    day: date
    report: Report | None
    notes: list[str]  # what was passed over


class LogDrift:
    """The days of a prediction log, each computed once as long as its files stay as they are.

    Parameters
    ----------
    limits : Monitor
        What is tolerated.

    Raises
    ------
    UserError
        If the folder is no prediction log.
    """

    def __init__(self, bundle: Bundle, log: Path, limits: Monitor) -> None:
        if not is_log(log):
            raise UserError(
                f"--log {log}: this is no prediction log, which holds a folder a day. Name the "
                "folder that `seedbed serve --log` was given."
            )
        self.log, self.limits = log, limits
        self._bundle = bundle
        self._known: dict[date, tuple[str, Day]] = {}

    def days(self) -> list[Day]:
        """Return the newest days, the newest first."""
        held = sorted((day for path in self.log.iterdir() if (day := day_of(path))), reverse=True)
        return [self._day(day) for day in held[:MOST_DAYS]]

    def worst_columns(self, days: list[Day]) -> list[str]:
        """Return the columns that were furthest from the reference on any day."""
        furthest: dict[str, float] = {}
        for report in (day.report for day in days if day.report):
            for drift in report.columns:
                furthest[drift.column] = max(furthest.get(drift.column, drift.psi), drift.psi)
        return sorted(furthest, key=lambda name: -furthest[name])[:MOST_COLUMNS]

    def stability(self, report: Report, columns: list[str]) -> list[float | None]:
        """Return the index of what was predicted, the largest, and that of each column.

        It is below 0 where the difference is smaller than chance makes it; 0 here. None where the
        log of that day has no such column.
        """
        found = {drift.column: max(drift.psi, 0.0) for drift in report.columns}
        scores = max(drift.psi for drift in report.scores)
        return [max(scores, 0.0), *map(found.get, columns)]

    def level(self, psi: float) -> int:
        """Return the shade of an index, from 0 to LEVELS: by which part of the limit it is."""
        return max(0, min(LEVELS, int(LEVELS * psi / self.limits.psi)))

    def _day(self, day: date) -> Day:
        files = sorted((self.log / day.isoformat()).glob("*.parquet"))
        if not files:
            return Day(day, None, ["no requests"])
        outcomes = self.log / OUTCOMES
        stamp = " ".join(
            f"{file.name} {file.stat().st_mtime_ns}"
            for file in [*files, *([outcomes] if outcomes.exists() else [])]
        )
        if self._known.get(day, ("", None))[0] != stamp:
            self._known[day] = (stamp, self._look(day))
        return self._known[day][1]

    def _look(self, day: date) -> Day:
        notes = LogNotes()
        target = target_column(self._bundle.recipe.columns)
        rows = read_log(self.log, self._bundle.version, target, notes, day, day)
        try:
            watched = watch(self._bundle, rows, self._bundle.profile)
            report = check_rows(self._bundle, watched, self.limits, notes=notes.in_words())
        except UserError as error:
            return Day(day, None, [str(error), *notes.in_words()])
        return Day(day, report, report.notes)
