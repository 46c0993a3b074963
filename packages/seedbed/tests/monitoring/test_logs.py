"""Prediction logs: what one bundle answered, with outcomes joined once."""

import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from seedbed.errors import UserError
from seedbed.monitoring.logs import Added, add_outcomes, is_log, log_files, read_log
from seedbed.monitoring.notes import LogNotes


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three days; on the second another bundle answered as well."""
    write(tmp_path, "2026-01-01", "a", ["a0", "a1"], [1.0, 2.0])
    write(tmp_path, "2026-01-02", "a", ["a2"], [3.0])
    write(tmp_path, "2026-01-02", "b", ["b0", "b1"], [4.0, 5.0])
    write(tmp_path, "2026-01-03", "a", ["a3"], [6.0])
    return tmp_path


def write(folder: Path, day: str, version: str, requests: list[str], x: list[float]) -> None:
    (folder / day).mkdir(exist_ok=True)
    table = pd.DataFrame(
        {"request_id": requests, "request_row": 0, "model_version": version, "x": x}
    )
    table.astype({"request_row": "int32"}).to_parquet(
        folder / day / f"{version}{requests[0]}.parquet"
    )


def read(log: Path, notes: LogNotes | None = None, **days: date) -> pd.DataFrame:
    return pd.concat(read_log(log, "a", "y", notes or LogNotes(), **days), ignore_index=True)


def outcomes(**values: float) -> pd.DataFrame:
    return pd.DataFrame({"request_id": list(values), "y": list(values.values())})


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


def test_outcomes_are_joined_without_doubling(log: Path) -> None:
    assert add_outcomes(log, outcomes(a0=1, a2=0), "y", ["request_id"]) == Added(2, 0, 0, 0)
    assert add_outcomes(log, outcomes(a0=1, a1=1), "y", ["request_id"]) == Added(1, 1, 0, 0)
    found = read(log)
    assert len(found) == 4
    known = found.dropna(subset=["y"])
    assert dict(zip(known["request_id"], known["y"], strict=True)) == {"a0": 1, "a1": 1, "a2": 0}


def test_outcomes_of_days_that_were_forgotten_go_with_the_next_that_come(log: Path) -> None:
    add_outcomes(log, outcomes(a0=1, a2=0, b0=1), "y", ["request_id"])
    shutil.rmtree(log / "2026-01-01")
    assert add_outcomes(log, outcomes(a3=1), "y", ["request_id"]) == Added(1, 0, 0, 0)
    kept = pd.read_parquet(log / "outcomes.parquet")
    assert kept["request_id"].tolist() == ["a2", "a3", "b0"]


def test_outcomes_can_be_found_by_an_input(log: Path) -> None:
    rows = pd.DataFrame({"x": ["2.0", "9.0"], "y": [1, 0]})
    assert add_outcomes(log, rows, "y", ["x"]) == Added(1, 0, 0, 1)
    assert read(log).set_index("request_id")["y"].dropna().to_dict() == {"a1": 1.0}


def test_a_request_that_was_sent_again_has_the_outcome_each_time(log: Path) -> None:
    write(log, "2026-01-04", "a", ["again", "again"], [7.0, 7.0])
    for rows, on in (
        (outcomes(again=1), ["request_id"]),
        (pd.DataFrame({"x": [7.0], "y": [1]}), ["x"]),
    ):
        added = add_outcomes(log, rows, "y", on)
        assert added.unknown == 0
        assert read(log)["y"].dropna().tolist() == [1, 1]


def test_a_key_that_is_missing_finds_no_row(log: Path) -> None:
    write(log, "2026-01-04", "a", ["a4", "a5"], [float("nan")] * 2)
    rows = pd.DataFrame({"x": [float("nan"), 1.0], "y": [1, 1]})
    assert add_outcomes(log, rows, "y", ["x"]) == Added(1, 0, 0, 1)


def test_outcomes_for_what_is_no_whole_log_are_refused(log: Path) -> None:
    with pytest.raises(UserError, match="no prediction log"):
        add_outcomes(log / "typo", outcomes(a0=1), "y", ["request_id"])
    assert not (log / "typo").exists()
    file = next((log / "2026-01-03").iterdir())
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(UserError, match=f"{file}: this file is damaged"):
        add_outcomes(log, outcomes(a0=1), "y", ["request_id"])


def test_an_outcome_takes_anothers_place_only_when_asked(log: Path) -> None:
    add_outcomes(log, outcomes(a0=1, a1=0), "y", ["request_id"])
    with pytest.raises(
        UserError, match="1 outcomes contradict .* request_id=a0.* y is 0, and was 1"
    ):
        add_outcomes(log, outcomes(a0=0, a2=1), "y", ["request_id"])
    assert read(log)["y"].notna().sum() == 2, "nothing was added"
    added = add_outcomes(log, outcomes(a0=0, a2=1), "y", ["request_id"], replace=True)
    assert added == Added(1, 0, 1, 0)
    assert read(log).set_index("request_id")["y"]["a0"] == 0


@pytest.mark.parametrize(
    ("rows", "on", "message"),
    [
        (pd.DataFrame({"request_id": ["a0"]}), ["request_id"], "no column y"),
        (pd.DataFrame({"id": ["a0"], "y": [1]}), ["request_id"], "no column request_id"),
        (pd.DataFrame({"z": [1], "y": [1]}), ["z"], "log has no column z"),
        (pd.DataFrame({"x": ["many"], "y": [1]}), ["x"], "not of the prediction log's type"),
        (pd.DataFrame({"request_id": ["a0", "a0"], "y": [1, 0]}), ["request_id"], "contradict each other"),
    ],
)  # fmt: skip
def test_outcomes_that_cannot_be_joined_are_refused(
    log: Path, rows: pd.DataFrame, on: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        add_outcomes(log, rows, "y", on)
    assert not (log / "outcomes.parquet").exists()


def test_a_key_that_is_there_twice_is_refused(log: Path) -> None:
    write(log, "2026-01-04", "a", ["a4"], [1.0])
    with pytest.raises(UserError, match="do not tell the rows of the prediction log apart"):
        add_outcomes(log, pd.DataFrame({"x": [1.0], "y": [1]}), "y", ["x"])


def test_a_log_is_known_by_its_days(log: Path, tmp_path: Path) -> None:
    assert is_log(log)
    assert not is_log(tmp_path / "2026-01-01")
    assert not is_log(tmp_path / "nothing")
