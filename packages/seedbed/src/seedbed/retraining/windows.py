"""Where the window of training moves to when new rows have come: a pure function of their times.

A window is half-open, so its end is a moment after its newest row. Which one needs no guess of the
time between two rows: the first whole second after it, or what `--end` says.
"""

from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from seedbed.config.schema import Window
from seedbed.data.window import moment
from seedbed.errors import UserError


@dataclass(frozen=True)
class Move:
    """A window that takes new rows in."""

    window: Window
    since: pd.Timestamp | None  # end of the window before; None where nobody knows
    new_rows: int  # how many rows of the source lie in the new window from then on


def move_window(
    window: Window,
    times: pd.Series,
    zone: str,
    *,
    trained_until: pd.Timestamp | None = None,
    end: str | None = None,
    sliding: bool = False,
) -> Move | None:
    """Return where the window moves, or None if there is no new row for it.

    Parameters
    ----------
    window : Window
        The present one.
    times : Series of datetime64[us, zone], shape (n_rows,)
        Of all rows that the source has, at least one.
    zone : str
        The time zone of the data, in which bounds without an offset are read and written.
    trained_until : Timestamp, optional
        Where the present window ends, if its end is open.
    end : str, optional
        End of the new window, such as 2013-04-01; by default the first second after the newest row.
    sliding : bool
        Whether the window keeps its length, in the time that clocks show, and not its start.

    Raises UserError if `end` is no moment, not after the start, or beyond the data, or the length
    of the present window is not known.
    """
    start = moment(window.start, zone) if window.start is not None else None
    since = moment(window.end, zone) if window.end is not None else trained_until
    until = _end_of(times.max(), zone, end)
    if start is not None and until <= start:
        raise UserError(
            f"--end {end} is not after the start of the window, {window.start} (dataset.window in "
            "params.yaml). Give a later end."
            if end
            else f"the newest row, of {times.max()}, lies before the start of the window, "
            f"{window.start} (dataset.window in params.yaml). Correct the start, or the source."
        )
    inside = times[times < until]
    new_rows = int((inside >= since).sum() if since is not None else len(inside))
    if not new_rows:
        return None
    if sliding:
        if start is None or since is None:
            raise UserError(
                "--sliding keeps the length of the window, and dataset.window has no "
                f"{'start' if start is None else 'end'}. Set it in the conf/dataset file, or leave "
                "--sliding out: then the window keeps its start."
            )
        start = _same_length(start, since, until, zone)
    return Move(_window(start, until, window, zone), since, new_rows)


def end_after(newest: pd.Timestamp) -> pd.Timestamp:
    """Return the first whole second after a row, where a half-open window with it may end."""
    return (newest.tz_convert("UTC").floor("s") + pd.Timedelta(1, "s")).tz_convert(newest.tzinfo)


def _end_of(newest: pd.Timestamp, zone: str, end: str | None) -> pd.Timestamp:
    limit = end_after(newest)
    if end is None:
        return limit
    try:
        datetime.fromisoformat(end)
    except ValueError:
        raise UserError(
            f"--end {end!r} is no moment. Write one such as 2013-04-01 or 2013-04-01T06:00."
        ) from None
    until = moment(end, zone)
    if until > limit:
        raise UserError(
            f"--end {end} lies beyond the newest row, of {newest}: rows may be still to come. "
            "Leave --end out to take all that are there, or name an end up to "
            f"{_text(limit, zone)}."
        )
    return until.tz_convert(zone)


def _same_length(
    start: pd.Timestamp, since: pd.Timestamp, until: pd.Timestamp, zone: str
) -> pd.Timestamp:
    """Return the start that gives the window up to `until` the length from `start` to `since`."""
    shown = [bound.tz_convert(zone).tz_localize(None) for bound in (start, since, until)]
    moved = shown[2] - (shown[1] - shown[0])
    return moved.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")


def _window(start: pd.Timestamp | None, end: pd.Timestamp, before: Window, zone: str) -> Window:
    """Return a window whose bounds are written alike: with offsets only where they are needed."""
    bounds = [bound for bound in (start, end) if bound is not None]
    offsets = any(_shown_twice(bound, zone) for bound in bounds)
    if before.start is not None:
        offsets |= datetime.fromisoformat(before.start).tzinfo is not None
    return Window(
        start=_text(start, zone, offsets) if start is not None else None,
        end=_text(end, zone, offsets),
    )


def _shown_twice(bound: pd.Timestamp, zone: str) -> bool:
    """Return whether clocks show this time twice, because they are set back."""
    wall = bound.tz_convert(zone).tz_localize(None)
    return bool(wall.tz_localize(zone, ambiguous=True) != wall.tz_localize(zone, ambiguous=False))


def _text(bound: pd.Timestamp, zone: str, offset: bool = False) -> str:
    """Return a moment as clocks of the zone show it, such as 2013-04-01 or 2013-03-31T23:00:01."""
    local = bound.tz_convert(zone)
    text = str((local if offset else local.tz_localize(None)).isoformat())
    return text.removesuffix("T00:00:00")
