"""What became of a job is written down, or told; jobs that would be judged by other figures than the sweep do not run."""

import math
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from seedbed.errors import UserError
from seedbed.sweeps import sweeping
from seedbed.sweeps.pin import VARIABLE, Pin
from seedbed.sweeps.records import FOLDER, Record, read_records
from seedbed.sweeps.sweeping import as_typed, compared_by, failures, problem_of, run_recorded

from support import STATED_PROBLEM


def composed(objective: str | list[str] = "cv", **problem: object) -> DictConfig:
    return OmegaConf.create(
        {"problem": {**STATED_PROBLEM, **problem}, "sweep": {"objective": objective}}
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which a sweep is judged by ROC AUC, and no job may begin."""
    monkeypatch.setenv(VARIABLE, "")
    Pin(str(tmp_path), "b" * 40, "s" * 40, "t" * 40, "mine", "cv.roc_auc (binary)").hand_on()
    monkeypatch.setattr(sweeping, "_my_worker", lambda pin: pytest.fail("a job has begun"))
    return tmp_path


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("cv", "cv.roc_auc (binary)"),
        ("validation.log_loss", "validation.log_loss"),
        (["validation", "model_size"], "validation.roc_auc (binary), model_size"),
    ],
)
def test_what_is_left_to_the_problem_is_filled_in(
    objective: str | list[str], expected: str
) -> None:
    given = composed(objective)
    assert compared_by(sweeping.objectives_of(given.sweep), problem_of(given, Path())) == expected


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            composed(metric="log_loss"),
            r"^a=1 is judged by cv\.log_loss \(binary\), and the sweep by cv\.roc_auc \(binary\)",
        ),
        (composed(extra=1), r"problem\.extra is not a known key"),
    ],
    ids=["another metric", "no problem"],
)
def test_a_job_that_cannot_be_compared_fails_before_it_begins(
    root: Path, given: DictConfig, said: str
) -> None:
    value = run_recorded(["a=1", "sweep.objective=cv"], given)
    assert isinstance(value, float)
    assert math.isnan(value)
    (record,) = read_records(root / FOLDER / "mine")
    assert (record.overrides, record.state) == (["a=1"], "failed")
    with pytest.raises(UserError, match=said):
        raise UserError(record.error)
    assert failures() == 1


def test_a_record_that_cannot_be_written_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Record, folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Record, "write", full)
    with pytest.raises(
        UserError,
        match=r"^what became of a job cannot be written down: .*No space left on device\.",
    ):
        run_recorded([], composed())


def test_outside_a_sweep_there_is_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    with pytest.raises(UserError, match="this job has no sweep"):
        run_recorded([], composed())


def test_overrides_stay_as_they_were_typed() -> None:
    assert as_typed(OmegaConf.create(["seed=${split.seed}"])) == ["seed=${split.seed}"]
