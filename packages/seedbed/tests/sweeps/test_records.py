"""Who waits for a sweep reads what is done, what failed and why, what is best, and how to take it."""

import time
from pathlib import Path
from typing import Any

import pytest

from seedbed.sweeps.records import Record, best, print_progress, read_records, summary
from seedbed.sweeps.snapshot import Sweep


def record(number: int, value: float = 0.5, **more: Any) -> Record:
    about = {"values": [value], "experiment": f"job-{number}"} if "error" not in more else {}
    return Record([f"seed={number}"], 100.0 + number, 1.25, **about, **more)


def test_records_come_in_the_order_of_their_jobs_and_one_a_job(tmp_path: Path) -> None:
    first = Record(["x=[1,ü]"], 1.0, 0.25, "a-1a2b", True, [0.5, 1e-9], "", "/some/a.log")
    failed = Record(["seed=1"], 2.0, 1.0, error="an “error”")
    for one in (failed, first):
        one.write(tmp_path / "new")
    assert read_records(tmp_path / "new") == [first, failed]
    again = Record(["seed=1"], 9.0, 1.0, "b", values=[0.5])
    again.write(tmp_path / "new")
    (tmp_path / "new/logs").mkdir()
    (tmp_path / "new/.half.json.1.tmp").write_text("{")
    assert read_records(tmp_path / "new") == [first, again]
    assert read_records(tmp_path / "none") == []


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
    direction: Any, values: list[float], expected: int
) -> None:
    records = [record(9, error="no"), *(record(*one) for one in enumerate(values))]
    top = best(records, direction)
    assert top is not None
    assert top.overrides == [f"seed={expected}"]
    assert best(records[:1], direction) is None


@pytest.mark.parametrize(
    ("last", "jobs", "line"),
    [
        (record(2), 10, "[3 of 10, 7:00 left] 0.5  seed=2  (1.2 s)"),
        (record(2), None, "[3] 0.5  seed=2  (1.2 s)"),
        (record(2), 3, "[3 of 3] 0.5  seed=2  (1.2 s)"),
        (record(2, found=True), 3, "[3 of 3] 0.5  seed=2  (was there before)"),
        (record(2, error="C is negative"), 3, "[3 of 3] failed  seed=2: C is negative"),
    ],
)
def test_each_job_prints_what_became_of_it_and_how_far_the_sweep_is(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    last: Record,
    jobs: int | None,
    line: str,
) -> None:
    sweep = Sweep(str(tmp_path), "b", "s", "t", "mine", jobs=jobs, began=100.0)
    earlier = [record(-5), record(-4, error="an earlier run's: it is tried again"), record(1)]
    for one in (*earlier, last):
        one.write(sweep.folder)
    monkeypatch.setattr(time, "time", lambda: 220.0)
    print_progress(sweep, last)
    assert capsys.readouterr().err == f"{line}\n"


FRONT = {"a": [0.9, 5.0, 1.0], "b": [0.8, 9.0, 9.0], "c": [0.1, 5.0, 0.5]}


@pytest.mark.parametrize(
    ("records", "directions", "lines"),
    [
        (
            [record(0), record(1, 0.75, found=True)],
            ["maximize"],
            [
                "2 experiments, 1 of which were there before",
                "best: 0.75 by seed=1",
                "to take it: .venv/bin/dvc exp apply job-1 && .venv/bin/dvc repro",
            ],
        ),
        (
            [Record([], 1.0, 1.0, name, values=values) for name, values in FRONT.items()],
            ["maximize", "minimize", "minimize"],
            [
                "3 experiments",
                "on the Pareto front, which no other beats in all objectives:",
                "    0.9, 5, 1  a",
                "    0.1, 5, 0.5  c",
                "to take one: .venv/bin/dvc exp apply <its name> && .venv/bin/dvc repro",
            ],
        ),
        (
            [record(1, error="C is negative", log="logs/a.log")],
            ["maximize", "minimize"],
            [
                "0 experiments",
                "failed  seed=1: C is negative",
                "    its log: logs/a.log",
                "to try the failed ones again: the same command",
            ],
        ),
        (
            [
                Record([f"model={model}", f"seed={seed}"], 1.0, 1.0, "a", values=[value])
                for model, seed, value in (
                    ("mlp", 0, 0.5),
                    ("linear", 0, 0.25),
                    ("mlp", 1, 0.75),
                    ("linear", 1, 0.25),
                )
            ],
            ["maximize"],
            [
                "4 experiments",
                "best: 0.75 by model=mlp seed=1",
                "to take it: .venv/bin/dvc exp apply a && .venv/bin/dvc repro",
                "the seed changed no figure of model=linear: where nothing in a model is random, one seed is enough",
            ],
        ),
    ],
    ids=["a winner", "a front", "failures", "seeds without effect"],
)
def test_the_summary_says_what_to_do_next(
    records: list[Record], directions: list[Any], lines: list[str]
) -> None:
    assert summary(records, directions).splitlines() == lines
