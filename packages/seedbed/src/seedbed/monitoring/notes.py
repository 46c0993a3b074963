"""What there is to say of a prediction log that was read: what was passed over, what is odd."""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from seedbed.errors import some_of
from seedbed.serving.log_files import ASKED

TOLERATED = timedelta(minutes=5)
"""By which clocks may differ."""
TOLERATED_ORDER = timedelta(days=1)
"""By which the rows of a day may be older than those of a day before."""


@dataclass
class LogNotes:
    """What was passed over while a log was read, and what is odd in it."""

    other_versions: dict[str, int] = field(default_factory=dict)  # rows that other bundles answered
    unreadable: list[str] = field(default_factory=list)  # files that are damaged, and why
    early: int = 0  # rows that were asked in the future of this machine's clock
    latest: pd.Timestamp | None = None  # when the last of these was asked
    # by the day on which rows were asked: the sum of their own times, in seconds, and how many
    days: dict[date, tuple[float, int]] = field(default_factory=dict)

    def look_at_clocks(self, rows: pd.DataFrame, time: str | None) -> None:
        """Compare when rows were asked with this machine's clock, and with their time column."""
        asked = rows[ASKED]
        early = asked[asked > pd.Timestamp.now("UTC") + TOLERATED]
        if len(early):
            self.early += len(early)
            self.latest = max(early.max(), self.latest or early.max())
        if time and time in rows:
            seconds = (rows[time] - pd.Timestamp(0, tz=rows[time].dt.tz)).dt.total_seconds()
            for day, found in seconds.dropna().groupby(asked.dt.date):
                total, count = self.days.get(day, (0.0, 0))
                self.days[day] = total + float(found.sum()), count + len(found)

    def in_words(self) -> list[str]:
        """Return a sentence for each of these things."""
        found = [
            f"{rows:,} rows were answered by the bundle {version}, and are left out."
            for version, rows in sorted(self.other_versions.items())
        ]
        if self.unreadable:
            names = some_of(self.unreadable, 3)
            found.append(f"{len(self.unreadable)} files are damaged and left out: {names}.")
        if self.latest is not None:
            found.append(
                f"{self.early:,} rows were asked in the future of this machine's clock, the last "
                f"at {self.latest:%Y-%m-%d %H:%M} UTC: one of the two clocks is wrong."
            )
        return [*found, *self._out_of_order()]

    def _out_of_order(self) -> list[str]:
        """Say of the first day whose rows are older than those of a day before it."""
        means = [(day, total / count) for day, (total, count) in sorted(self.days.items())]
        newest = means[:1]
        for day, mean in means[1:]:
            before, highest = newest[0]
            if mean < highest - TOLERATED_ORDER.total_seconds():
                then, now = (f"{pd.Timestamp(at, unit='s'):%Y-%m-%d}" for at in (highest, mean))
                return [
                    f"Rows asked on {day} are of {now} on the mean, and those asked before, on "
                    f"{before}, of {then}: a clock was wrong, or older rows were asked about later."
                ]
            newest = [max(newest[0], (day, mean), key=lambda one: one[1])]
        return []
