"""Who waits for a sweep is told what is done, what failed and why, what is best, and how to take it."""

import os
import pty
import time
from pathlib import Path
from typing import Any

import pytest

from seedbed.sweeps.progress import Watch, best, summary
from seedbed.sweeps.records import Record


def record(number: int, state: str = "done", value: float = 0.5, **more: object) -> Record:
    values = [value] if state == "done" else []
    name = f"job-{number}" if state == "done" else ""
    return Record([f"seed={number}"], state, 1, 100.0 + number, 1.25, name, values=values, **more)  # type: ignore[arg-type]


def line(records: list[Record], total: int | None = 10, direction: str = "maximize") -> str:
    return Watch(Path("nowhere"), 100.0, total, direction).line(records, 220.0)


@pytest.mark.parametrize(
    ("direction", "values", "expected"),
    [
        ("maximize", [0.1, 0.9, 0.5], 1),
        ("minimize", [0.3, 0.9, 0.1], 2),
        ("maximize", [0.5, 0.9, 0.9], 1),
        ("minimize", [0.1, 0.1], 0),
    ],
)
def test_the_best_is_the_first_of_the_best_values(
    direction: str, values: list[float], expected: int
) -> None:
    top = best([record(number, value=value) for number, value in enumerate(values)], direction)
    assert top is not None
    assert top.overrides == [f"seed={expected}"]


def test_only_what_is_done_can_be_best() -> None:
    assert best([record(0, "running"), record(1, "failed")], "maximize") is None
    top = best([record(0, "failed"), record(1, value=-5)], "maximize")
    assert top is not None
    assert top.values == [-5]


def test_the_line_counts_and_tells_the_best_and_the_time_left() -> None:
    records = [
        record(0, value=0.61234),
        record(1, "failed"),
        record(2, value=0.4),
        record(3, "running"),
    ]
    assert line(records) == "3 of 10 jobs, 1 running, 1 failed, best 0.6123 by seed=0, 4:40 left"
    assert "best 0.4 by seed=2" in line(records, direction="minimize")


@pytest.mark.parametrize(
    ("records", "total", "expected"),
    [
        ([], 10, "0 of 10 jobs, 0 running"),
        ([], None, "0 jobs, 0 running"),
        ([record(0)], None, "1 jobs, 0 running, best 0.5 by seed=0"),
        ([record(0)], 1, "1 of 1 jobs, 0 running, best 0.5 by seed=0"),
        (
            [Record([], "done", 1, 1.0, values=[1.0])],
            None,
            "1 jobs, 0 running, best 1 by no override",
        ),
    ],
)
def test_the_line_leaves_out_what_cannot_be_known(
    records: list[Record], total: int | None, expected: str
) -> None:
    assert line(records, total) == expected


def test_what_an_earlier_run_has_done_counts_and_its_time_does_not(tmp_path: Path) -> None:
    for number in range(15):
        record(number - 50, value=0.5 + 0.01 * number).write(tmp_path)
    record(-2, "failed").write(tmp_path)
    record(-1, "running").write(tmp_path)
    record(1, found=True).write(tmp_path)
    watch = Watch(tmp_path, 100.0, 20, "maximize")
    assert watch.line(watch.records(), 220.0) == "16 of 20 jobs, 0 running, best 0.64 by seed=-36"
    record(2).write(tmp_path)
    assert watch.line(watch.records(), 220.0).endswith("6:00 left"), (
        "three more, at two minutes each"
    )


def test_the_summary_says_how_to_take_the_winner() -> None:
    told = summary([record(0), record(1, value=0.75, found=True)], ["maximize"]).splitlines()
    assert told == [
        "2 experiments, 1 of which were there before",
        "best: 0.75 by job-1",
        "to take it: .venv/bin/dvc exp apply job-1 && .venv/bin/dvc repro",
    ]


def test_the_summary_of_several_objectives_names_the_front_and_no_winner() -> None:
    values = {"a": [0.9, 5.0, 1.0], "b": [0.8, 9.0, 9.0], "c": [0.1, 5.0, 0.5]}
    records = [
        Record([], "done", 1, 1.0, name=name, values=figures) for name, figures in values.items()
    ]
    told = summary(records, ["maximize", "minimize", "minimize"]).splitlines()
    assert told == [
        "3 experiments",
        "on the Pareto front, which no other beats in all objectives:",
        "    0.9, 5, 1  a",
        "    0.1, 5, 0.5  c",
        "to take one: .venv/bin/dvc exp apply <its name> && .venv/bin/dvc repro",
    ]


def test_the_summary_tells_each_failure_with_its_log() -> None:
    told = summary(
        [record(0), record(1, "failed", error="C is negative", log="logs/a.log")], ["maximize"]
    ).splitlines()
    assert told[0] == "1 experiments"
    assert told[1:3] == ["failed: seed=1: C is negative", "    its log: logs/a.log"]
    assert told[-1].startswith("To try the failed ones again, type the same command")


@pytest.mark.parametrize("directions", [["maximize"], ["maximize", "minimize"]], ids=len)
def test_a_summary_of_failures_alone_names_no_winner(directions: list[Any]) -> None:
    told = summary([record(0, "failed", error="no")], directions)
    assert told.startswith("0 experiments\nfailed: seed=0: no")
    assert "best" not in told
    assert "exp apply" not in told


def test_each_job_is_told_once_when_it_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = Watch(tmp_path, 100.0, 4, "maximize")
    record(-5).write(tmp_path)
    record(1, value=0.123456).write(tmp_path)
    record(2, found=True).write(tmp_path)
    record(3, "failed", error="no").write(tmp_path)
    record(4, "running").write(tmp_path)
    watch.start()
    time.sleep(0.6)
    record(4, value=2.0).write(tmp_path)
    watch.stop()
    told = capsys.readouterr().err.splitlines()
    assert told == [
        "0.1235  seed=1  (1.2 s)",
        "0.5  seed=2  (was there before)",
        "failed  seed=3: no",
        "2  seed=4  (1.2 s)",
    ], "the job seed=-5 began before this run of the sweep"


def test_all_objectives_of_a_job_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Record([], "done", 1, 100.0, 2.0, "x", values=[0.5, 0.25]).write(tmp_path)
    watch = Watch(tmp_path, 100.0, 1, "maximize")
    watch.start()
    watch.stop()
    assert capsys.readouterr().err == "0.5, 0.25  no override  (2.0 s)\n"


def test_on_a_terminal_there_is_one_live_line_and_the_cursor_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    reader, writer = pty.openpty()
    Record(["features.groups=[a,b]"], "done", 1, 100.0, 2.0, "x", values=[0.5]).write(tmp_path)
    with os.fdopen(writer, "w") as terminal:
        watch = Watch(tmp_path, 100.0, 2, "maximize", terminal)
        watch.start()
        time.sleep(0.8)
        watch.stop()
        told = os.read(reader, 1 << 16).decode()
    os.close(reader)
    assert "1 of 2 jobs, 0 running, best 0.5 by features.groups=[a,b]" in told
    assert told.index("\x1b[?25l") < told.rindex("\x1b[?25h"), "the cursor stays hidden"
