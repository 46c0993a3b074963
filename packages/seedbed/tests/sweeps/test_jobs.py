"""A job's name tells what it is and depends on all that decides its result; what became of it is recorded."""

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from seedbed.config.compose import compose_text
from seedbed.errors import UserError
from seedbed.sweeps import jobs
from seedbed.sweeps.jobs import digest_of, experiment_name, output_to, params_of, run_job
from seedbed.sweeps.records import Record, read_records
from seedbed.sweeps.snapshot import VARIABLE, Sweep
from seedbed.sweeps.study import words

from support import REPOSITORY, STATED_PROBLEM

SWEEP = Sweep("/somewhere", "b" * 40, "s" * 40, "t" * 40, "sweep", ("cv.roc_auc",))
DIGEST = digest_of("params", SWEEP)


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], ""),
        (["model=mlp", "seed=1"], "mlp-seed1-"),
        (["model.arguments.C=0.5"], "C0.5-"),
        (["model.arguments.C=1e-3"], "C1e-3-"),
        (["model=-mlp"], "mlp-"),
        (["+model/extra=x"], "x-"),
        (["~gate.thresholds"], "thresholds-"),
        (["model.arguments.hidden_layer_sizes=[32,16]"], "hidden_layer_sizes32_16-"),
        (["problem.question='Will it?'"], "questionWill_it-"),
        (["dataset.tables.a.path=../x..y.lock"], "pathx.y.lock-"),
        (["a.b=ü"], "b-"),
        (["model.arguments.rate=0.012345678"], "rate0.01235-"),
        (["a.b=" + "x" * 57 + "1", "c.d=1"], "b" + "x" * 57 + "1-"),
    ],
)
def test_an_experiment_is_named_by_its_overrides(overrides: list[str], expected: str) -> None:
    assert experiment_name(overrides, DIGEST) == expected + DIGEST


@pytest.mark.parametrize("overrides", [["a.b=" + "x" * 300], ["a=v" + "." * 80], [f"k.k{n}={n}.{n}" for n in range(40)], ["a.b=~^:?*[\\ @{"], ["x.y=a.lock"], ["s=-"], ["s='..'"]])  # fmt: skip
def test_git_allows_every_name_and_it_is_not_too_long(overrides: list[str]) -> None:
    name = experiment_name(overrides, DIGEST)
    assert len(name) <= 71
    assert "/" not in name
    subprocess.run(["git", "check-ref-format", f"refs/exps/aa/bb/{name}"], check=True)


def test_a_job_is_found_again_by_what_decides_its_result() -> None:
    assert re.fullmatch("[0-9a-f]{10}", DIGEST)
    assert digest_of("params", replace(SWEEP, root="/elsewhere", name="other")) == DIGEST
    others = [digest_of("other", SWEEP)]
    others += [digest_of("params", replace(SWEEP, **{one: "x"})) for one in ("baseline", "tree")]
    assert len({DIGEST, *others}) == 4


PRINTING = """
import subprocess, sys
from pathlib import Path
from seedbed.sweeps.jobs import output_to

print("before")
for number in (1, 2):
    with output_to(Path(sys.argv[1])):
        print(f"python {number}")
        print("error", file=sys.stderr)
        subprocess.run(["sh", "-c", "echo child; echo failed >&2"], check=True)
print("after")
"""


def test_all_that_is_printed_goes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs/job.log"
    command = [sys.executable, "-c", PRINTING, log]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")
    lines = sorted(log.read_text().splitlines())
    assert lines == sorted(["python 1", "python 2", *["error", "child", "failed"] * 2])


@pytest.mark.skipif(sys.platform != "linux", reason="/proc lists a process's files")
def test_after_an_error_the_output_is_where_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    with pytest.raises(ValueError, match="no"), output_to(tmp_path / "job.log"):
        raise ValueError("no")
    subprocess.run(["echo", "here"], check=True)
    assert capfd.readouterr().out == "here\n"
    assert len(os.listdir("/proc/self/fd")) == before, "a descriptor stays open for each job"  # noqa: PTH208


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["model=mlp", "seed=3"],
        ["dataset=diabetes", "model=random_forest", "+experiment=debug"],
        ["~gate.thresholds", "+model.arguments.extra='a: ü'"],
    ],
)
def test_a_job_has_the_parameters_that_dvc_would_compose(overrides: list[str]) -> None:
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        composed = compose("sweep", [*overrides, "sweep.objective=validation"])
    before = composed.copy()
    assert params_of(composed, REPOSITORY) == compose_text(REPOSITORY, overrides)
    assert composed == before


def test_overrides_stay_as_they_were_typed() -> None:
    assert words(OmegaConf.create(["seed=${split.seed}"])) == ["seed=${split.seed}"]


def given(objective: str = "cv", **problem: object) -> DictConfig:
    stated = {**STATED_PROBLEM, **problem}
    return OmegaConf.create({"problem": stated, "sweep": {"objective": objective}})


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """A sweep of this process whose worker fails unexpectedly."""
    monkeypatch.setenv(VARIABLE, "")
    sweep = replace(SWEEP, root=str(tmp_path))
    sweep.hand_on()
    monkeypatch.setattr(jobs, "_worker_for", lambda sweep: 1 / 0)
    return sweep


@pytest.mark.parametrize(
    ("composed", "error"),
    [
        (given(metric="log_loss"), r"^a=1 is judged by cv\.log_loss, and the sweep by cv\.roc_auc"),
        (given("validation"), r"^a=1 is judged by validation\.roc_auc, and the sweep by cv\."),
        (given(extra=1), r"problem\.extra is not a known key"),
        (given(), "^ZeroDivisionError: division by zero$"),
    ],
    ids=["another metric", "other rows", "no problem", "what nobody foresaw"],
)
def test_a_job_that_fails_is_recorded_and_ends_no_other(
    sweep: Sweep, capsys: pytest.CaptureFixture[str], composed: DictConfig, error: str
) -> None:
    value = run_job(["a=1", "sweep.objective=cv"], composed)
    assert isinstance(value, float)
    assert math.isnan(value)
    (record,) = read_records(sweep.folder)
    assert (record.overrides, record.values) == (["a=1"], [])
    assert re.search(error, record.error)
    assert capsys.readouterr().err.startswith(f"[1] failed  a=1: {record.error}")


def test_a_record_that_cannot_be_written_stops_the_sweep(
    sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Record, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Record, "write", full)
    with pytest.raises(UserError, match="record of a job cannot be written: .*No space left"):
        run_job([], given())


def test_outside_a_sweep_there_is_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(UserError, match="this job has no sweep"):
        run_job([], given())
