"""The gate answers yes or no, and its reason names figure and threshold."""

from pathlib import Path

import pytest

from seedbed.config.modelling import AgainstChampion, Gate, Problem
from seedbed.errors import UserError
from seedbed.models.comparison import Comparison
from seedbed.models.gate import Verdict, judge, read_refusal, write_refusal


def problem(task: str = "binary", metric: str = "roc_auc") -> Problem:
    return Problem(question="?", task=task, positive=True, metric=metric)  # type: ignore[arg-type]


def details(difference: tuple = (0.18, 0.17, 0.19), **values: float | None) -> dict:
    test = {name: {"value": value, "low": value, "high": value} for name, value in values.items()}
    paired = dict(zip(("value", "low", "high"), difference, strict=True))
    return {"test": test, "difference": dict.fromkeys(values, paired)}


@pytest.mark.parametrize(
    ("task", "metric", "value", "threshold", "passed", "reason"),
    [
        ("binary", "roc_auc", 0.68, 0.65, True, "roc_auc 0.680 is at least 0.65."),
        ("binary", "roc_auc", 0.65, 0.65, True, "roc_auc 0.650 is at least 0.65."),
        ("binary", "roc_auc", 0.64, 0.65, False, "roc_auc 0.640 is below the threshold 0.65."),
        ("binary", "f1", 0.649999, 0.65, False, "f1 0.649999 is below the threshold 0.65."),
        ("binary", "log_loss", 0.4, 0.5, True, "log_loss 0.400 is at most 0.5."),
        ("binary", "log_loss", 0.5, 0.5, True, "log_loss 0.500 is at most 0.5."),
        ("binary", "log_loss", 0.6, 0.5, False, "log_loss 0.600 is above the threshold 0.5."),
        ("regression", "rmse", 58.03, 65.0, True, "rmse 58.030 is at most 65."),
        ("regression", "r2", -0.1, 0.0, False, "r2 -0.100 is below the threshold 0."),
        ("regression", "r2", None, 0.6, False, "r2 is not defined on the test rows, and at "
            "least 0.6 is asked."),
    ],
)  # fmt: skip
def test_a_threshold_is_read_in_the_direction_of_its_metric(
    task: str, metric: str, value: float | None, threshold: float, passed: bool, reason: str
) -> None:
    gate = Gate(thresholds={metric: threshold}, better_than_baseline=False)
    assert judge(details(**{metric: value}), gate, problem(task, metric)) == Verdict(passed, reason)


@pytest.mark.parametrize(
    ("difference", "passed", "reason"),
    [
        ((0.18, 0.17, 0.19), True, "roc_auc beats the baseline's by 0.170 to 0.190."),
        ((0.01, -0.01, 0.03), False, "beyond chance: the difference is -0.010 to 0.030."),
        ((0.0, 0.0, 0.0), False, "beyond chance: the difference is 0 to 0."),
        ((0.0002, 0.0001, 0.0003), True, "beats the baseline's by 0.0001 to 0.0003."),
        ((0.2, None, None), False, "too few to compare roc_auc with the baseline's"),
        ((None, None, None), False, "roc_auc is not defined on the test rows, for the model or for"),
    ],
)  # fmt: skip
def test_a_model_must_beat_the_baseline_beyond_chance(
    difference: tuple, passed: bool, reason: str
) -> None:
    verdict = judge(details(difference, roc_auc=0.68), Gate(), problem())
    assert verdict.passed is passed
    assert reason in verdict.reason


def test_only_the_deciding_metric_is_compared_with_the_baseline() -> None:
    found = details(roc_auc=0.68, brier=0.2)
    found["difference"]["brier"] = {"value": -1.0, "low": -2.0, "high": 0.0}
    assert judge(found, Gate(), problem()).passed


def test_a_no_names_all_that_was_missed_and_nothing_that_was_reached() -> None:
    gate = Gate(thresholds={"roc_auc": 0.6, "brier": 0.1, "f1": 0.9})
    verdict = judge(details((0.1, -0.1, 0.2), roc_auc=0.68, brier=0.2, f1=0.4), gate, problem())
    assert not verdict.passed
    assert verdict.reason.startswith(
        "brier 0.200 is above the threshold 0.1; f1 0.400 is below the threshold 0.9; roc_auc does"
    )
    assert "0.6" not in verdict.reason


@pytest.mark.parametrize(
    ("gate", "metric", "message"),
    [
        (Gate(), "log_loss", "no difference to the baseline in log_loss.*dvc repro evaluate"),
        *(
            (
                Gate(thresholds={name: 0.5}), "roc_auc",
                rf"conf/gate: thresholds\.{name} = 0\.5 .* binary problem.*are brier, roc_auc",
            )
            for name in ("rmse", "auc")
        ),
    ],
)  # fmt: skip
def test_what_was_not_measured_is_an_error(gate: Gate, metric: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        judge(details(roc_auc=0.68, brier=0.2), gate, problem("binary", metric))


@pytest.mark.parametrize(
    ("verdict", "cell"),
    [(Verdict(True, "fine."), "yes"), (Verdict(False, "roc_auc 0.5 is below 0.65."), "no")],
)
def test_a_verdict_is_read_as_it_was_written_and_is_one_short_cell(
    verdict: Verdict, cell: str, tmp_path: Path
) -> None:
    verdict.write(tmp_path / "verdict.json", champion={"compared": False})
    assert Verdict.read(tmp_path / "verdict.json") == verdict
    assert verdict.headline == {"gate": {"passed": cell}}


@pytest.mark.parametrize(
    "text", [None, "", "{}", '{"passed": "maybe", "reason": ""}', '{"gate": "yes"}']
)
def test_what_is_no_verdict_is_never_taken_for_a_yes(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(UserError, match=r"verdict\.json: no verdict of the gate can be read"):
        Verdict.read(tmp_path / "verdict.json")


def test_every_yes_is_the_same_to_what_depends_on_it(tmp_path: Path) -> None:
    path = tmp_path / "refusal.txt"
    write_refusal(path, Verdict(True, "roc_auc 0.7 is at least 0.65."))
    before = path.read_bytes()
    write_refusal(path, Verdict(True, "it predicts for every row what the champion predicts."))
    assert path.read_bytes() == before
    assert read_refusal(path) is None
    write_refusal(path, Verdict(False, "too bad."))
    assert read_refusal(path) == "too bad."


def beside(
    champion: float | None, low: float | None, high: float | None, metric: str = "roc_auc"
) -> Comparison:
    """A comparison in which the champion reaches a figure, and the difference has this interval."""
    figure = {"value": champion, "low": champion, "high": champion}
    difference = {metric: {"value": None, "low": low, "high": high}}
    return Comparison(champion={metric: figure}, difference=difference)


BETTER = {"superiority": True}


@pytest.mark.parametrize(
    ("comparison", "asked", "passed", "reason"),
    [
        (beside(0.7, -0.006, 0.002), {}, True, "0.0060 worse to 0.0020 better, and less than 0.0"),
        (beside(0.7, -0.008, 0.012), {}, False, "0.0080 worse to 0.0120 better, and less than 0.0"),
        (beside(0.7, -0.03, -0.02), {}, False, "0.0300 worse to 0.0200 worse"),
        (beside(0.7, 0.001, 0.02), BETTER, True, "0.0010 better to 0.0200 better"),
        (beside(0.7, 0.0, 0.02), BETTER, False, "equal to 0.0200 better, and better beyond chance"),
        (beside(0.7, -0.001, 0.02), BETTER, False, "better beyond chance is asked"),
        (beside(0.7, -0.006, 0.002), {"tolerance": 0.0}, False, "less than 0.0000 worse"),
        (beside(0.5, -0.004, 0.1, "log_loss"), {}, True, "less than 0.0050 worse"),
        (beside(0.5, -0.006, 0.1, "log_loss"), {}, False, "0.0060 worse to 0.1000 better"),
        (beside(0.65, -0.006523, 0.002), {}, False, "0.00652 worse to 0.00200 better, and less"),
        (beside(0.649, -0.006495, 0.002), {}, False, "0.006495 worse to 0.002000 better, and less"),
        (beside(0.5, -0.005, 0.002), {}, False, "0.0050 worse to 0.0020 better, and less"),
        (beside(0.7, 0.00001, 0.02), BETTER, True, "0.00001 better to 0.02000 better"),
        (beside(0.7, -0.00001, 0.02), BETTER, False, "0.00001 worse to 0.02000 better"),
        (beside(0.7, None, None), {}, False, "too few to compare roc_auc with the champion's"),
        (Comparison(identical=True), BETTER, True, "what the champion predicts"),
        (Comparison(obstacle="no column dest"), {}, False, "cannot be compared: no column dest; g"),
    ],
)  # fmt: skip
def test_a_model_must_stand_beside_the_champion(
    comparison: Comparison, asked: dict, passed: bool, reason: str
) -> None:
    metric = next(iter(comparison.difference), "roc_auc")
    gate = Gate(better_than_baseline=False, champion=AgainstChampion(**asked))
    verdict = judge(details(roc_auc=0.7, log_loss=0.5), gate, problem("binary", metric), comparison)
    assert verdict.passed is passed
    assert reason in verdict.reason


@pytest.mark.parametrize(
    ("thresholds", "comparison", "expected"),
    [
        ({}, None, Verdict(True, "conf/gate asks nothing of the model.")),
        ({"roc_auc": 0.65}, None, Verdict(True, "roc_auc 0.680 is at least 0.65.")),
        (
            {"roc_auc": 0.7}, Comparison(identical=True),
            Verdict(False, "roc_auc 0.680 is below the threshold 0.7."),
        ),
    ],
)  # fmt: skip
def test_a_champion_does_not_make_up_for_a_missed_threshold(
    thresholds: dict, comparison: Comparison | None, expected: Verdict
) -> None:
    gate = Gate(thresholds=thresholds, better_than_baseline=False)
    assert judge(details(roc_auc=0.68), gate, problem(), comparison) == expected
