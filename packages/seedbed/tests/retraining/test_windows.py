"""The window moves to the newest rows, in the data's own time, or there is nothing new, or it says what is wrong."""

import pandas as pd
import pytest

from seedbed.config.schema import Window
from seedbed.errors import UserError
from seedbed.retraining.windows import Move, end_after, move_window

YORK = "America/New_York"


def times(last: str, zone: str = YORK, first: str = "2013-01-01", every: str = "6h") -> pd.Series:
    moments = pd.date_range(first, last, freq=every, tz=zone)
    return pd.Series(moments.append(pd.DatetimeIndex([pd.Timestamp(last, tz=zone)])))


def moved(window: tuple[str | None, str | None], last: str, **options: object) -> Move | None:
    zone = str(options.pop("zone", YORK))
    start, end = window
    return move_window(Window(start=start, end=end), times(last, zone), zone, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("window", "last", "options", "expected"),
    [
        (("2013-01-01", "2013-04-01"), "2013-04-30 23:00", {}, ("2013-01-01", "2013-04-30T23:00:01")),
        (("2013-01-01", "2013-04-01"), "2013-04-30 23:59:59.5", {}, ("2013-01-01", "2013-05-01")),
        (("2013-01-01", "2013-04-01"), "2013-06-30", {"end": "2013-05-01"}, ("2013-01-01", "2013-05-01")),
        (("2013-01-01", "2013-04-01"), "2013-06-30", {"end": "2013-05-01T06:30"}, ("2013-01-01", "2013-05-01T06:30:00")),
        (("2013-01-01", "2013-04-01"), "2013-06-30", {"end": "2013-05-01T04:00:00+00:00"}, ("2013-01-01", "2013-05-01")),
        ((None, "2013-04-01"), "2013-06-30", {"end": "2013-05-01"}, (None, "2013-05-01")),
        (("2013-01-01T00:00:00-05:00", "2013-04-01T00:00:00-04:00"), "2013-06-30", {"end": "2013-05-01"},
         ("2013-01-01T00:00:00-05:00", "2013-05-01T00:00:00-04:00")),
        (("2013-01-01", "2013-04-01"), "2013-06-30", {"end": "2013-05-01", "sliding": True}, ("2013-01-31", "2013-05-01")),
        (("2013-03-01", "2013-03-08"), "2013-06-30", {"end": "2013-03-15", "sliding": True}, ("2013-03-08", "2013-03-15")),
    ],
)  # fmt: skip
def test_the_window_takes_the_new_rows_in(
    window: tuple, last: str, options: dict, expected: tuple[str | None, str]
) -> None:
    found = moved(window, last, **options)
    assert found is not None
    assert (found.window.start, found.window.end) == expected


@pytest.mark.parametrize(
    ("end", "new"), [("2013-02-01T00:00:01", 1), ("2013-02-01T06:00:01", 2), ("2013-02-02", 4)]
)
def test_the_end_is_not_in_the_window_and_the_rows_from_the_last_end_on_are_new(
    end: str, new: int
) -> None:
    found = moved(("2013-01-01", "2013-02-01"), "2013-02-20", end=end)
    assert found is not None
    assert found.new_rows == new
    assert found.since == pd.Timestamp("2013-02-01", tz=YORK)


@pytest.mark.parametrize(
    ("end", "last", "options"),
    [
        ("2013-04-01", "2013-03-31 23:00", {}),
        ("2013-04-01", "2013-06-30", {"end": "2013-04-01"}),
        ("2013-04-01", "2013-06-30", {"end": "2013-03-01"}),
        ("2013-04-01", "2013-03-31 23:00", {"sliding": True}),
        (None, "2013-03-31", {"trained_until": end_after(pd.Timestamp("2013-03-31", tz=YORK))}),
    ],
)
def test_without_a_new_row_it_stays(end: str | None, last: str, options: dict) -> None:
    assert moved(("2013-01-01", end), last, **options) is None


def test_an_open_window_ends_where_its_rows_did_or_all_rows_are_new() -> None:
    until = pd.Timestamp("2013-03-31 00:00:01", tz=YORK)
    known = moved(("2013-01-01", None), "2013-04-01", trained_until=until)
    unknown = moved((None, None), "2013-04-01")
    assert known is not None and unknown is not None
    assert known.new_rows == len(times("2013-04-01")[lambda found: found >= until])
    assert unknown.new_rows == len(times("2013-04-01"))


def test_a_time_that_clocks_show_twice_is_written_with_its_offset() -> None:
    """At 02:00 on 3 November clocks in New York were set back to 01:00."""
    window = Window(start="2013-01-01", end="2013-04-01")
    for offset in ("-04:00", "-05:00"):
        last = pd.Timestamp(f"2013-11-03T01:00:00{offset}").tz_convert(YORK)
        found = move_window(window, pd.Series([last]), YORK)
        assert found is not None
        assert found.window.start == "2013-01-01T00:00:00-05:00"
        assert found.window.end == f"2013-11-03T01:00:01{offset}"
        assert pd.Timestamp(found.window.end) == end_after(last)


def test_a_start_that_no_clock_shows_moves_on() -> None:
    """At 02:00 on 10 March clocks in New York were set forward to 03:00."""
    window = ("2013-01-01T02:30:00", "2013-01-02T02:30:00")
    found = moved(window, "2013-06-30", end="2013-03-11T02:30:00", sliding=True)
    assert found is not None and found.window.start == "2013-03-10T03:00:00"


@pytest.mark.parametrize(
    ("window", "options", "message"),
    [
        (("2013-01-01", "2013-04-01"), {"end": "2012-12-31"}, "--end 2012-12-31 is not after the start of the window, 2013-01-01"),
        (("2013-01-01", "2013-04-01"), {"end": "2013-01-01"}, "is not after the start of the window"),
        (("2013-01-01", "2013-04-01"), {"end": "2014-01-01"}, r"beyond the newest row, of 2013-06-30 .* up to 2013-06-30T00:00:01"),
        (("2013-01-01", "2013-04-01"), {"end": "1 May"}, "--end '1 May' is no moment. Write one such as 2013-04-01"),
        (("2013-01-01", "2013-04-01"), {"end": "2013-03-10T02:30"}, r"clocks show 2013-03-10T02:30 twice or never.*offset"),
        (("2014-01-01", None), {}, "the newest row, of 2013-06-30 .* lies before the start of the window, 2014-01-01"),
        ((None, "2013-04-01"), {"sliding": True}, "dataset.window has no start"),
        (("2013-01-01", None), {"sliding": True}, "dataset.window has no end"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_window(window: tuple, options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        moved(window, "2013-06-30", **options)
