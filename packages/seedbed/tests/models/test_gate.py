"""The gate answers yes or no, and its reason names figure and threshold."""

from pathlib import Path

import pytest

from seedbed.config.schema import AgainstChampion, Gate, Problem
from seedbed.errors import UserError
from seedbed.models.champion import Comparison
from seedbed.models.gate import Verdict, judge, read_refusal, write_refusal


def problem(task: str = "binary", metric: str = "roc_auc") -> Problem:
    return Problem(
        question="?",
        task=task,
        positive=True,
        metric=metric,
    )  # type: ignore[arg-type]


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
        (
            "binary",
            "roc_auc",
            0.649999,
            0.65,
            False,
            "roc_auc 0.649999 is below the threshold 0.65.",
        ),
        ("binary", "log_loss", 0.4, 0.5, True, "log_loss 0.400 is at most 0.5."),
        ("binary", "log_loss", 0.5, 0.5, True, "log_loss 0.500 is at most 0.5."),
        ("binary", "log_loss", 0.6, 0.5, False, "log_loss 0.600 is above the threshold 0.5."),
        ("regression", "rmse", 58.03, 65.0, True, "rmse 58.030 is at most 65."),
        ("regression", "r2", -0.1, 0.0, False, "r2 -0.100 is below the threshold 0."),
        (
            "binary",
            "roc_auc",
            None,
            0.65,
            False,
            "roc_auc is not defined on the test rows, and at least 0.65 is asked.",
        ),
    ],
)
def test_a_threshold_is_read_in_the_direction_of_its_metric(
    task: str, metric: str, value: float | None, threshold: float, passed: bool, reason: str
) -> None:
    gate = Gate(thresholds={metric: threshold}, better_than_baseline=False)
    assert judge(details(**{metric: value}), gate, problem(task, metric)) == Verdict(passed, reason)


@pytest.mark.parametrize(
    ("difference", "passed", "reason"),
    [
        (
            (0.18, 0.17, 0.19),
            True,
            "roc_auc beats the baseline's by 0.170 to 0.190.",
        ),
        (
            (0.01, -0.01, 0.03),
            False,
            "does not beat the baseline's beyond chance: the difference is -0.010 to 0.030.",
        ),
        ((0.0, 0.0, 0.0), False, "beyond chance: the difference is 0 to 0."),
        (
            (0.0002, 0.0001, 0.0003),
            True,
            "beats the baseline's by 0.0001 to 0.0003.",
        ),
        ((0.2, None, None), False, "too few to say whether roc_auc beats the baseline's"),
        ((None, None, None), False, "too few to say"),
    ],
)
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
        "brier 0.200 is above the threshold 0.1; f1 0.400 is below the threshold 0.9; roc_auc does not"
    )
    assert "0.6" not in verdict.reason


def test_a_gate_that_asks_nothing_says_so() -> None:
    verdict = judge(details(roc_auc=0.5), Gate(better_than_baseline=False), problem())
    assert verdict.passed
    assert "Nothing is asked" in verdict.reason


def test_figures_of_another_metric_are_told() -> None:
    with pytest.raises(
        UserError, match="holds no difference to the baseline in log_loss.*dvc repro evaluate"
    ):
        judge(details(roc_auc=0.68), Gate(), problem("binary", "log_loss"))


@pytest.mark.parametrize("name", ["rmse", "auc"])
def test_a_threshold_for_what_is_not_measured_is_a_mistake_in_the_configuration(name: str) -> None:
    with pytest.raises(
        UserError,
        match=rf"conf/gate: thresholds\.{name} = 0\.5 .* binary problem.*Measured are brier, roc_auc",
    ):
        judge(details(roc_auc=0.68, brier=0.2), Gate(thresholds={name: 0.5}), problem())


@pytest.mark.parametrize(
    "verdict",
    [Verdict(True, "fine."), Verdict(False, "roc_auc 0.500 is below the threshold 0.65.")],
)
def test_a_verdict_is_read_as_it_was_written(verdict: Verdict, tmp_path: Path) -> None:
    verdict.write(tmp_path / "gate.json")
    assert Verdict.read(tmp_path / "gate.json") == verdict
    assert verdict.to_dict()["gate"]["passed"] == ("yes" if verdict.passed else "no")


@pytest.mark.parametrize(
    "text", [None, "", "{}", '{"gate": {"passed": "maybe", "reason": ""}}', '{"gate": "yes"}']
)
def test_what_is_no_verdict_is_never_taken_for_a_yes(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "gate.json").write_text(text)
    with pytest.raises(UserError, match=r"gate\.json: no verdict of the gate can be read"):
        Verdict.read(tmp_path / "gate.json")


def test_every_yes_is_the_same_to_what_depends_on_it(tmp_path: Path) -> None:
    path = tmp_path / "refusal.txt"
    write_refusal(path, Verdict(True, "roc_auc 0.7 is at least 0.65."))
    before = path.read_bytes()
    write_refusal(path, Verdict(True, "it says of every row what the champion says."))
    assert path.read_bytes() == before
    assert read_refusal(path) is None
    write_refusal(path, Verdict(False, "too bad."))
    assert read_refusal(path) == "too bad."


def beside(
    champion: float | None, low: float | None, high: float | None, metric: str = "roc_auc"
) -> Comparison:
    """A comparison in which the champion reaches a figure, and the difference has this interval."""
    value = None if low is None or high is None else (low + high) / 2
    figure = {"value": champion, "low": champion, "high": champion}
    return Comparison(
        {metric: figure}, {}, {metric: {"value": value, "low": low, "high": high}}, {}
    )


@pytest.mark.parametrize(
    ("metric", "comparison", "asked", "passed", "reason"),
    [
        ("roc_auc", beside(0.7, -0.006, 0.002), {}, True, "0.0060 worse to 0.0020 better, and less than 0.0070 worse"),
        ("roc_auc", beside(0.7, -0.008, 0.012), {}, False, "0.0080 worse to 0.0120 better, and less than 0.0070 worse"),
        ("roc_auc", beside(0.7, -0.03, -0.02), {}, False, "0.0300 worse to 0.0200 worse"),
        ("roc_auc", beside(0.7, 0.001, 0.02), {"superiority": True}, True, "0.0010 better to 0.0200 better"),
        ("roc_auc", beside(0.7, 0.0, 0.02), {"superiority": True}, False, "equal to 0.0200 better, and better beyond chance"),
        ("roc_auc", beside(0.7, -0.001, 0.02), {"superiority": True}, False, "better beyond chance is asked"),
        ("roc_auc", beside(0.7, -0.006, 0.002), {"tolerance": 0.0}, False, "less than 0.0000 worse"),
        ("log_loss", beside(0.5, -0.004, 0.1, "log_loss"), {}, True, "less than 0.0050 worse"),
        ("log_loss", beside(0.5, -0.006, 0.1, "log_loss"), {}, False, "0.0060 worse to 0.1000 better"),
        ("roc_auc", beside(0.65, -0.006523, 0.002), {}, False, "0.00652 worse to 0.00200 better, and less than 0.00650 worse"),
        ("roc_auc", beside(0.649, -0.006495, 0.002), {}, False, "0.006495 worse to 0.002000 better, and less than 0.006490 worse"),
        ("roc_auc", beside(0.5, -0.005, 0.002), {}, False, "0.0050 worse to 0.0020 better, and less than 0.0050 worse"),
        ("roc_auc", beside(0.7, 0.00001, 0.02), {"superiority": True}, True, "0.00001 better to 0.02000 better"),
        ("roc_auc", beside(0.7, -0.00001, 0.02), {"superiority": True}, False, "0.00001 worse to 0.02000 better"),
        ("roc_auc", beside(0.7, None, None), {}, False, "too few to compare roc_auc with the champion's"),
        ("roc_auc", Comparison({}, {}, {}, {}, identical=True), {"superiority": True}, True, "what the champion says"),
        ("roc_auc", Comparison.hindered("the rows lack the column dest"), {}, False, "cannot be compared: the rows lack the column dest; gate.champion.compare=false"),
    ],
)  # fmt: skip
def test_a_model_must_stand_beside_the_champion(
    metric: str, comparison: Comparison, asked: dict, passed: bool, reason: str
) -> None:
    gate = Gate(better_than_baseline=False, champion=AgainstChampion(**asked))
    verdict = judge(details(roc_auc=0.7, log_loss=0.5), gate, problem("binary", metric), comparison)
    assert verdict.passed is passed
    assert reason in verdict.reason


def test_without_a_champion_the_thresholds_alone_decide() -> None:
    gate = Gate(thresholds={"roc_auc": 0.65}, better_than_baseline=False)
    assert judge(details(roc_auc=0.68), gate, problem(), None) == Verdict(
        True, "roc_auc 0.680 is at least 0.65."
    )


def test_a_champion_does_not_make_up_for_a_missed_threshold() -> None:
    gate = Gate(thresholds={"roc_auc": 0.7}, better_than_baseline=False)
    same = Comparison({}, {}, {}, {}, identical=True)
    assert judge(details(roc_auc=0.68), gate, problem(), same) == Verdict(
        False, "roc_auc 0.680 is below the threshold 0.7."
    )
