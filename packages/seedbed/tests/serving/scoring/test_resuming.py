"""A run that was killed goes on where it was: the output is that of a run that was not."""

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from seedbed.errors import UserError
from seedbed.serving.scoring.batches import Rejected
from seedbed.serving.scoring.file_output import FileOutput
from seedbed.serving.scoring.outputs import Part, Totals

from support import LONG

Score = Callable[..., str]
REPEATS = 60 if LONG else 30
SEEDBED = str(Path(sys.prefix) / "bin/seedbed")


@pytest.fixture
def rows(flights, tmp_path: Path) -> Path:
    """Many rows, some of which cannot be read, and the last among these."""
    repeated = pd.concat([flights.rows] * REPEATS, ignore_index=True)
    repeated = repeated.assign(flight=range(len(repeated))).astype({"temp": object})
    repeated.loc[repeated.index % 9973 == 5, "temp"] = "cold"
    repeated.to_csv(tmp_path / "rows.csv", index=False)
    lines = (tmp_path / "rows.csv").read_text().splitlines()
    for place in (7000, 7001, 20000, len(lines)):
        lines.insert(place, f"{lines[1]},more")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    return tmp_path / "rows.csv"


def start(case, *arguments: str) -> subprocess.Popen:
    command = [SEEDBED, "score", *arguments, "--bundle", str(case.bundle)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def whole(case, *arguments: str) -> str:
    with start(case, *arguments) as run:
        printed = run.communicate(timeout=200)[0]
    assert run.returncode == 0, printed
    return printed


def kill_at(case, *arguments: str, begun: Callable[[], bool], moment: float) -> bool:
    """Kill a run so many seconds after `begun` is true; return whether it was still at work."""
    with start(case, *arguments) as run:
        while run.poll() is None and not begun():
            time.sleep(0.005)
        time.sleep(moment)
        alive = run.poll() is None
        with contextlib.suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)
        run.communicate(timeout=60)
    return alive


def contents(*names: str) -> dict[str, bytes]:
    return {name: Path(name).read_bytes() for name in names if Path(name).exists()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "processes"), [("csv", "1"), ("parquet", "2"), *([("parquet", "1")] if LONG else [])]
)
def test_killed_at_random_moments_the_output_is_the_same_to_the_byte(
    flights, rows: Path, score: Score, kind: str, processes: str
) -> None:
    kills = 2 if not LONG else 20 if (kind, processes) == ("parquet", "1") else 6
    name = f"out.{kind}"
    words = [str(rows), name, "--batch-rows", "500", "--processes", processes, "--keep", "all"]
    begun = time.monotonic()
    whole(flights, *words)
    took = time.monotonic() - begun
    expected = contents(name, f"{name}.rejected.csv")
    assert len(expected) == 2
    parts = len(pd.read_csv(rows, usecols=["flight"], on_bad_lines="skip")) // 500
    chance, at_work = random.Random(0), 0
    for _ in range(kills):
        for path in expected:
            Path(path).unlink()
        part = Path(f"{name}.parts/part-{chance.randrange(parts // 2):06}.arrow")
        at_work += kill_at(flights, *words, begun=part.exists, moment=chance.uniform(0, 0.1))
        if chance.random() < 0.5:
            kill_at(flights, *words, begun=lambda: True, moment=chance.uniform(0, took))
        if not Path(name).exists() or Path(f"{name}.parts").exists():
            whole(flights, *words)
        assert contents(name, f"{name}.rejected.csv") == expected
        assert not Path(f"{name}.parts").exists()
    assert at_work > kills / 2, "most were killed as they wrote"


@pytest.mark.slow
def test_killed_at_random_moments_a_table_holds_each_row_once(
    flights, rows: Path, score: Score
) -> None:
    def table(name: str) -> list[tuple]:
        with contextlib.closing(sqlite3.connect("out.sqlite")) as database:
            return database.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall()

    def has_begun() -> bool:
        if not Path("out.sqlite").exists():
            return False
        with contextlib.closing(sqlite3.connect("out.sqlite")) as database:
            found = database.execute("SELECT name FROM sqlite_master").fetchall()
        return ("answers__rows",) in found

    words = [str(rows), "sqlite:///out.sqlite", "--to-table", "answers", "--batch-rows", "500"]
    begun = time.monotonic()
    whole(flights, *words)
    took = time.monotonic() - begun
    expected = table("answers"), table("answers_rejected")
    chance = random.Random(1)
    for _ in range(6 if LONG else 2):
        Path("out.sqlite").unlink()
        kill_at(flights, *words, begun=has_begun, moment=chance.uniform(0, took / 2))
        if has_begun() or not Path("out.sqlite").stat().st_size:
            whole(flights, *words)
        assert (table("answers"), table("answers_rejected")) == expected
        with contextlib.closing(sqlite3.connect("out.sqlite")) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        assert {name for (name,) in names} == {"answers", "answers_rejected"}


@pytest.mark.slow
@pytest.mark.parametrize("parts", range(1, 7))
def test_rows_that_are_set_aside_are_listed_once(flights, score: Score, parts: int) -> None:
    flights.rows.head(100).astype(object).to_csv("rows.csv", index=False)
    lines = Path("rows.csv").read_text().splitlines()
    last = len(lines) + 2  # below the two others
    for place in (5, 45, last):
        lines.insert(place, f"{lines[1]},more")
    Path("rows.csv").write_text("\n".join(lines) + "\n")
    words = ["rows.csv", "out.csv", "--batch-rows", "20"]
    score(flights, *words)
    expected = contents("out.csv", "out.csv.rejected.csv")
    assert [line.split(b",")[0] for line in expected["out.csv.rejected.csv"].splitlines()] == [
        *(b"row", b"5", b"45", str(last).encode()),
    ]
    for name in expected:
        Path(name).unlink()
    with output_stopped_after(parts), contextlib.suppress(KeyboardInterrupt):
        score(flights, *words)
    assert not Path("out.csv").exists()
    score(flights, *words)
    assert contents("out.csv", "out.csv.rejected.csv") == expected


@contextlib.contextmanager
def output_stopped_after(parts: int) -> Iterator[None]:
    """Let a run end after so many parts were written."""
    from seedbed.serving.scoring.file_output import FileOutput

    write, written = FileOutput.write, []

    def counted(self: FileOutput, part: object) -> None:
        write(self, part)  # type: ignore[arg-type]
        written.append(part)
        if len(written) == parts:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileOutput, "write", counted)
        yield


@pytest.fixture
def stopped(flights, score: Score) -> tuple[str, ...]:
    """The words of a run that has answered two batches of five."""
    data = flights.rows.head(100).astype(object)
    data.loc[50, "temp"] = "cold"
    data.to_csv("rows.csv", index=False)
    words = ("rows.csv", "out.csv", "--batch-rows", "20", "--on-error", "stop")
    with pytest.raises(UserError, match="row 51"):
        score(flights, *words)
    assert len(list(Path("out.csv.parts").glob("part-*"))) == 2
    return words


def other_input(words: list[str]) -> list[str]:
    Path("rows.csv").write_text(Path("rows.csv").read_text().replace("cold", "20.5"))
    return words


def other_bundle(words: list[str]) -> list[str]:
    from support import sign_again

    shutil.copytree(words[words.index("--bundle") + 1], "bundle")
    sign_again(Path("bundle"), dataset="another")
    return [*words, "--bundle", "bundle"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (other_input, "the input"),
        (other_bundle, "the bundle"),
        (lambda words: [*words, "--keep", "all"], "--keep"),
        (lambda words: [*words, "--on-error", "reject"], "--on-error"),
        (lambda words: [*words, "--batch-rows", "30"], "the size of a batch"),
        (lambda words: [*words, "--option", "missing=[cold]"], "the input"),
    ],
)
def test_another_run_does_not_go_on_with_what_is_there(
    flights, score: Score, stopped: tuple[str, ...], change: Callable, what: str
) -> None:
    words = change([*stopped, "--bundle", str(flights.bundle)])
    with pytest.raises(
        UserError, match=f"out.csv.parts holds rows .* now {what} is another.*--rest"
    ):
        score(flights, *words)
    assert len(list(Path("out.csv.parts").glob("part-*"))) == 2
    if "missing" in str(words) or "reject" in words or change is other_input:
        score(flights, *words, "--restart")
        assert len(pd.read_csv("out.csv")) in (99, 100)
        assert not Path("out.csv.parts").exists()


@pytest.mark.slow
def test_a_part_that_is_not_whole_is_answered_again(
    flights, score: Score, stopped: tuple[str, ...]
) -> None:
    words = [*stopped[:-1], "reject"]
    score(flights, *words, "--restart")
    expected = contents("out.csv", "out.csv.rejected.csv")
    Path("out.csv").unlink()
    Path("out.csv.rejected.csv").unlink()
    with pytest.raises(UserError, match="row 51"):
        score(flights, *stopped)
    parts = sorted(Path("out.csv.parts").glob("part-*"))
    parts[1].write_bytes(parts[1].read_bytes()[:100])
    state = json.loads(Path("out.csv.parts/state.json").read_text())
    state["run"]["--on-error"] = "reject"
    Path("out.csv.parts/state.json").write_text(json.dumps(state))
    score(flights, *words)
    assert contents("out.csv", "out.csv.rejected.csv") == expected


@pytest.mark.slow
def test_two_runs_do_not_write_one_output(flights, score: Score, stopped: tuple[str, ...]) -> None:
    from seedbed.locks import try_lock

    held = try_lock(Path("out.csv.parts/lock"))
    assert held is not None
    with held, pytest.raises(UserError, match="out.csv: another process writes it now"):
        score(flights, *stopped)


@pytest.mark.slow
def test_a_run_killed_at_its_very_end_is_done(
    flights, score: Score, stopped: tuple[str, ...]
) -> None:
    words = [*stopped[:-1], "reject"]
    score(flights, *words, "--restart")
    expected = contents("out.csv", "out.csv.rejected.csv")
    Path("out.csv.parts").mkdir()
    identity = {"the input": None}
    shutil.rmtree("out.csv.parts")
    with pytest.raises(UserError, match="row 51"):
        score(flights, *stopped, "--force", "--restart")
    run = json.loads(Path("out.csv.parts/state.json").read_text())["run"]
    identity = {**run, "--on-error": "reject"}
    totals = {"batches": 5, "taken": 100, "answered": 99, "rejected": 1}
    shutil.rmtree("out.csv.parts")
    Path("out.csv.parts").mkdir()
    state = {"run": identity, "finished": True, "totals": totals}
    Path("out.csv.parts/state.json").write_text(json.dumps(state))
    assert "99 rows answered" in score(flights, *words)
    assert contents("out.csv", "out.csv.rejected.csv") == expected
    assert not Path("out.csv.parts").exists()


def test_a_run_stopped_between_its_last_renames_goes_on(tmp_path: Path) -> None:
    path, rejected = tmp_path / "out.csv", tmp_path / "out.csv.rejected.csv"
    wrong = [Rejected(row=3, column="temp", value="cold", reason="must be a number")]
    counts = Totals(batches=1, taken=3, answered=2, rejected=1)
    output = FileOutput(path, {"the bundle": "a"})
    output.write(Part(pa.table({"x": [1, 2]}), wrong, counts))
    path.mkdir()
    with pytest.raises(UserError, match="out.csv: it cannot be written"):
        output.finish()
    output.close()
    path.rmdir()
    assert rejected.exists()
    again = FileOutput(path, {"the bundle": "a"})
    assert again.totals == counts
    again.finish()
    assert path.read_text() == '"x"\n1\n2\n'
    assert "cold" in rejected.read_text()


needs_tmpfs = pytest.mark.skipif(
    subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0,
    reason="mounting needs root",
)


def in_own_mounts(script: str) -> subprocess.CompletedProcess[str]:
    command = ["unshare", "-m", "sh", "-c", script]
    return subprocess.run(command, check=False, capture_output=True, text=True)


@pytest.mark.slow
@needs_tmpfs
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_disk_that_fills_up_is_told_and_the_same_command_goes_on(
    flights, rows: Path, score: Score, kind: str
) -> None:
    words = [str(rows), f"store/out.{kind}", "--batch-rows", "1000", "--keep", "all"]
    command = f"{SEEDBED} score {' '.join(words)} --bundle {flights.bundle}"
    Path("store").mkdir()
    script = (
        f"mount -t tmpfs -o size=2m tmpfs store && ! {command} && ls store/out.{kind}.parts && "
        f"mount -o remount,size=200m store && {command} && cp store/out.{kind}* ."
    )
    done = in_own_mounts(script)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The disk is full. Make room, then type the same command again" in done.stderr
    assert "Traceback" not in done.stderr
    assert "part-000000.arrow" in done.stdout
    names = f"out.{kind}", f"out.{kind}.rejected.csv"
    after = contents(*names)
    score(flights, words[0], f"whole.{kind}", *words[2:])
    expected = contents(f"whole.{kind}", f"whole.{kind}.rejected.csv")
    assert list(after.values()) == list(expected.values())


@pytest.mark.slow
@needs_tmpfs
@pytest.mark.usefixtures("score")
def test_a_folder_that_can_only_be_read_is_told(flights, rows: Path) -> None:
    Path("store").mkdir()
    command = f"{SEEDBED} score {rows} store/out.csv --bundle {flights.bundle}"
    script = f"mount -t tmpfs -o ro tmpfs store && {command}"
    done = in_own_mounts(script)
    assert done.returncode == 1
    assert "store/out.csv: it cannot be written. Read-only file system" in done.stderr
