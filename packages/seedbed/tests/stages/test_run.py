"""A stage is handed what it asks for and no more, and a person's mistake is one paragraph."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.config.schema import Split
from seedbed.errors import UserError
from seedbed.stages import run

PARAMS = "seed: 3\nsplit: {kind: random, validation: 0.2, test: 0.2, folds: 2}\nmodel: broken\n"


@pytest.fixture(autouse=True)
def _in_a_folder_with_params(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "params.yaml").write_text(PARAMS, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_a_stage_gets_the_parts_that_its_arguments_name() -> None:
    seen: dict[str, Any] = {}

    def some_stage(split: Split, seed: int) -> None:
        seen.update(split=split, seed=seed)

    run(some_stage)
    assert seen == {"split": Split(kind="random", validation=0.2, test=0.2, folds=2), "seed": 3}


def test_a_stage_without_arguments_reads_no_params() -> None:
    Path("params.yaml").unlink()
    seen = []
    run(lambda: seen.append("called"))
    assert seen == ["called"]


def reads_too_much(model: Any) -> None:
    """Ask for a part that is wrong."""


def reads_what_is_not_there(evaluation: Any) -> None:
    """Ask for a part that is missing."""


def fails(seed: int) -> None:
    """Find a mistake in the data."""
    raise UserError(f"data/raw: row 7 is wrong (seed {seed}).")


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (reads_too_much, "reads_too_much: params.yaml: model is 'broken'"),
        (
            reads_what_is_not_there,
            "reads_what_is_not_there: params.yaml: the section evaluation is missing",
        ),
        (fails, "fails: data/raw: row 7 is wrong (seed 3)."),
    ],
)
def test_a_mistake_is_one_paragraph_and_exit_code_1(stage: Any, words: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(stage)
    assert str(stopped.value.code).startswith(words)
    assert "\n" not in str(stopped.value.code)


def test_a_mistake_in_the_code_is_no_paragraph() -> None:
    def breaks(seed: int) -> None:
        raise KeyError(seed)

    with pytest.raises(KeyError):
        run(breaks)
