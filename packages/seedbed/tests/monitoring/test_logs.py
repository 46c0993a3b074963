"""Prediction logs: what one bundle answered, of which days, and what was passed over."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from monitoring.conftest import read
from seedbed.errors import UserError
from seedbed.monitoring.logs import is_log, log_files, read_log
from seedbed.monitoring.notes import LogNotes


def test_rows_of_other_bundles_are_left_out_and_counted(log: Path) -> None:
    notes = LogNotes()
    assert sorted(read(log, notes)["request_id"]) == ["a0", "a1", "a2", "a3"]
    assert notes.in_words() == ["2 rows were answered by the bundle b, and are left out."]


def asked(folder: Path, day: str, *times: str, asked_at: str | None = None) -> None:
    """Write rows that were asked at noon of a day, with times of their own."""
    (folder / day).mkdir(exist_ok=True)
    moment = pd.Timestamp(asked_at or f"{day} 12:00", tz="UTC")
    table = pd.DataFrame(
        {"request_id": [f"{day}-{time}" for time in times], "request_row": 0, "asked_at": moment,
         "model_version": "a", "when": pd.to_datetime(list(times), format="ISO8601").tz_localize("America/New_York")}
    )  # fmt: skip
    table.to_parquet(folder / day / "a.parquet")


TOMORROW = f"{pd.Timestamp.now('UTC') + pd.Timedelta(days=1):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("days", "asked_at", "expected"),
    [
        ({"2026-01-01": ["2013-03-01"], "2026-01-02": ["2013-02-28 12:00", "2013-03-02"]}, None, []),
        (
            {"2026-01-01": ["2013-03-01", "2013-03-03"], "2026-01-02": ["2013-01-15"], "2026-01-03": ["2013-04-01"]},
            None,
            ["Rows asked on 2026-01-02 are of 2013-01-15 on the mean, and those asked before, on 2026-01-01, of 2013-03-02: a clock was wrong, or older rows were asked about later."],
        ),
        (
            {"2026-01-01": ["2013-03-01", "2013-03-02"]},
            TOMORROW,
            [f"2 rows were asked in the future of this machine's clock, the last at {TOMORROW} UTC: one of the two clocks is wrong."],
        ),
    ],
    ids=["in order", "out of order", "in the future"],
)  # fmt: skip
def test_clocks_that_disagree_are_one_line(
    tmp_path: Path, days: dict[str, list[str]], asked_at: str | None, expected: list[str]
) -> None:
    for day, times in days.items():
        asked(tmp_path, day, *times, asked_at=asked_at)
    notes = LogNotes()
    rows = list(read_log(tmp_path, "a", "y", notes, time="when"))
    assert sum(map(len, rows)) == sum(map(len, days.values()))
    assert notes.in_words() == expected


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ({"first": date(2026, 1, 2)}, ["a2", "a3"]),
        ({"last": date(2026, 1, 1)}, ["a0", "a1"]),
        ({"first": date(2026, 1, 2), "last": date(2026, 1, 2)}, ["a2"]),
    ],
)
def test_days_can_be_chosen(log: Path, days: dict[str, date], expected: list[str]) -> None:
    assert read(log, **days)["request_id"].tolist() == expected


def test_days_without_requests_are_an_error(log: Path) -> None:
    with pytest.raises(UserError, match="it has 2026-01-01 to 2026-01-03"):
        log_files(log, first=date(2027, 1, 1))


def test_a_damaged_file_is_named_and_left_out(log: Path) -> None:
    file = next((log / "2026-01-03").iterdir())
    file.write_bytes(file.read_bytes()[:-10])
    notes = LogNotes()
    assert "a3" not in read(log, notes)["request_id"].tolist()
    assert str(file) in notes.in_words()[-1]


def test_a_log_is_known_by_its_days(log: Path, tmp_path: Path) -> None:
    assert is_log(log)
    assert not is_log(tmp_path / "2026-01-01")
    assert not is_log(tmp_path / "nothing")
