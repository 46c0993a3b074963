"""The report names window, rows, figures with intervals, decision and the commands that follow."""

import re
from typing import Any

import pandas as pd
import pytest

from seedbed.config.modelling import AgainstChampion, Gate
from seedbed.config.preparation import Split
from seedbed.config.schema import Window
from seedbed.models.gate import Verdict
from seedbed.retraining.challenger import Challenger, Part, describe_parts
from seedbed.retraining.report import write_report

BEFORE = Window(start="2013-01-01", end="2013-04-01")
AFTER = Window(start="2013-01-01", end="2013-05-01")
FIGURE = {"value": 0.7, "low": 0.65, "high": 0.75}
COMPARED = {
    "compared": True,
    "identical": False,
    "champion": {"log_loss": FIGURE, "roc_auc": FIGURE},
    "challenger": {"log_loss": FIGURE, "roc_auc": {**FIGURE, "value": 0.72}},
    "difference": {"log_loss": FIGURE, "roc_auc": {"value": 0.02, "low": 0.011, "high": 0.03}},
}


def challenger(passed: bool = True, **changed: Any) -> Challenger:
    parts = {"test": Part(1200, 900, "2013-04-20 05:00", "2013-04-30 23:00")}
    given: dict[str, Any] = {
        "metric": "roc_auc",
        "parts": parts,
        "test": {"log_loss": FIGURE, "roc_auc": FIGURE},
        "champion": COMPARED,
        "verdict": Verdict(passed, "roc_auc is good enough."),
        "split": Split(kind="time", validation=0.15, test=0.15, folds=3),
        "gate": Gate(),
    }
    return Challenger(**{**given, **changed})


def written(of: Challenger, in_use: str | None = "v0.3.0", promoted: str | None = None) -> str:
    return write_report("retrain-x", BEFORE, AFTER, of, in_use, promoted)


def test_an_accepted_model() -> None:
    text = written(challenger())
    for words in (
        "# Retraining retrain-x: accepted",
        "roc_auc is good enough.",
        "Window: [2013-01-01, 2013-05-01); before: [2013-01-01, 2013-04-01).",
        "| test | 1,200 | 900 | 2013-04-20 05:00 | 2013-04-30 23:00 |",
        "The test rows are the newest of the window.",
        "Nor was the champion",
        "| metric | champion v0.3.0 | challenger | better by |",
        "`seedbed promote --experiment retrain-x` makes it the champion",
        "`seedbed rollback v0.3.0` brings v0.3.0 back again",
    ):
        assert words in text
    rows = re.findall(r"^\| (\S+) \| 0\.7", text, re.M)
    assert rows == ["**roc_auc**", "log_loss"], "the metric that decides comes first"
    assert "0.720 (0.650 to 0.750) | 0.020 (0.011 to 0.030)" in text


@pytest.mark.parametrize(
    ("changed", "in_use", "words"),
    [
        ({"passed": False}, "v0.3.0", ["# Retraining retrain-x: refused", "The champion stays."]),
        ({"champion": {"compared": False, "why": "there is none"}}, None, ["There is no champion yet", "| metric | challenger |", "There is no earlier champion"]),
        ({"champion": {"compared": False, "why": "it has seen them"}, "passed": False}, "v0.3.0", ["not compared: it has seen them.", "If the champion has seen test rows"]),
        ({"champion": {"compared": False, "why": "there is none"}, "gate": Gate(champion=AgainstChampion(compare=False))}, "v0.3.0", ["conf/gate does not ask for a comparison with the champion, v0.3.0"]),
        ({"champion": {"compared": True, "identical": True}}, "v0.3.0", ["Both predict the same for every row."]),
        ({"split": Split(kind="random", validation=0.2, test=0.2, folds=3)}, "v0.3.0", ["spread over the window and are not the newest"]),
    ],
)  # fmt: skip
def test_what_else_may_come_of_it(changed: dict, in_use: str | None, words: list[str]) -> None:
    text = written(challenger(**changed), in_use)
    assert [word for word in words if word not in text] == []


def test_a_promoted_model_comes_with_the_way_back() -> None:
    text = written(challenger(), promoted="model v0.4.0 is in use.")
    assert "model v0.4.0 is in use." in text
    assert "`seedbed rollback v0.3.0`" in text
    assert "--experiment" not in text


def test_parts_are_counted_from_the_end_of_the_last_window() -> None:
    zone = "America/New_York"
    times = pd.to_datetime(["2013-01-01", "2013-02-01", "2013-03-01", "2013-04-01"]).tz_localize(
        zone
    )
    parts = ["train", "train", "validation", "test"]
    rows = pd.DataFrame({"_split": parts, "_time": times})
    found = describe_parts(rows, pd.Timestamp("2013-02-01", tz=zone), zone)
    assert found["train"] == Part(2, 1, "2013-01-01 00:00", "2013-02-01 00:00")
    assert [part.new for part in found.values()] == [1, 1, 1]
    assert describe_parts(rows, None, zone)["train"].new == 2
