"""A record says what became of one job, and a job that is run again has one record still."""

from pathlib import Path

import pytest

from seedbed.sweeps.records import Record, job_key, read_records

RECORD = Record(
    ["model=mlp", "+x=[1,2]"],
    "done",
    12,
    3.5,
    0.25,
    "mlp-1a2b",
    True,
    [0.5, 1e-9],
    "an “error”",
    "/somewhere/a.log",
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    RECORD.write(tmp_path / "new")
    assert read_records(tmp_path / "new") == [RECORD]


def test_records_come_in_the_order_in_which_the_jobs_began(tmp_path: Path) -> None:
    for number in range(9):
        Record([f"seed={number}"], "running", 1, 2.0).write(tmp_path)
    Record(["later"], "running", 1, 3.0).write(tmp_path)
    Record(["sooner"], "running", 1, 1.0).write(tmp_path)
    ordered = [record.overrides[0] for record in read_records(tmp_path)]
    assert ordered == ["sooner", *(f"seed={number}" for number in range(9)), "later"]


def test_a_job_that_is_run_again_replaces_its_record(tmp_path: Path) -> None:
    Record(["seed=1"], "failed", 1, 1.0, error="no").write(tmp_path)
    Record(["seed=1"], "done", 2, 9.0, values=[0.5]).write(tmp_path)
    (record,) = read_records(tmp_path)
    assert (record.state, record.error, record.values) == ("done", "", [0.5])


@pytest.mark.parametrize(
    ("one", "other"),
    [(["a=1"], ["a=2"]), (["a=1", "b=2"], ["a=1b=2"]), (["a=1", "b=2"], ["b=2", "a=1"])],
)
def test_other_overrides_are_another_job(one: list[str], other: list[str]) -> None:
    assert job_key(one) != job_key(other)


def test_a_job_has_the_same_record_on_every_machine() -> None:
    assert job_key(["model=mlp", "seed=1"]) == "3bc94845d13f"  # pragma: allowlist secret


def test_a_sweep_without_jobs_has_no_records(tmp_path: Path) -> None:
    assert read_records(tmp_path / "none") == []


def test_other_files_of_a_sweep_are_no_records(tmp_path: Path) -> None:
    RECORD.write(tmp_path)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text("said")
    (tmp_path / "pin").mkdir()
    (tmp_path / "pin" / "pin.json").write_text("{}")
    (tmp_path / ".half.json.1.tmp").write_text("{")
    assert read_records(tmp_path) == [RECORD]
