"""Outcomes are joined once to what was answered."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from monitoring.conftest import read, write
from seedbed.errors import UserError
from seedbed.monitoring.outcomes import Added, add_outcomes


def outcomes(**values: float) -> pd.DataFrame:
    return pd.DataFrame({"request_id": list(values), "y": list(values.values())})


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
