"""The model card says what a person must know, in figures for people, and nothing that changes from run to run."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.serving.markdown import cell, figure, sentence, table, with_interval


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.68812, "0.688"),
        (-0.0123, "-0.012"),
        (0.00042, "0.00042"),
        (-0.001, "-0.001"),
        (-0.00001, "-1e-05"),
        (-0.0, "0.000"),
        (58.1234, "58.1"),
        (1234567.8, "1,234,568"),
        (None, "not defined"),
        (0, "0.000"),
    ],
)
def test_figures_are_for_people(value: float | None, text: str) -> None:
    assert figure(value) == text


def test_an_interval_stands_beside_its_value_and_may_be_missing() -> None:
    assert with_interval({"value": 0.5, "low": 0.4, "high": 0.6}) == "0.500 (0.400 to 0.600)"
    assert with_interval({"value": 0.5, "low": None, "high": None}) == "0.500"
    small = {"value": 0.00042, "low": 0.00031, "high": 0.00055}
    assert with_interval(small) == "0.00042 (0.00031 to 0.00055)"
    assert with_interval({"value": None, "low": None, "high": None}) == "not defined"


def test_text_cannot_break_a_table() -> None:
    assert table(["a"], [[cell("x | y\nz")]]) == "| a |\n| --- |\n| x \\| y z |"


@pytest.mark.parametrize(
    ("text", "ended"),
    [("Good", "Good."), ("Good.", "Good."), ("Good?", "Good?"), ("So\ngood.\n", "So good.")],
)
def test_a_sentence_ends_once(text: str, ended: str) -> None:
    assert sentence(text) == ended


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_card_has_every_part(built: Callable[[str], Path], name: str) -> None:
    root = built(name)
    card = (root / "models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    about = json.loads((root / "models/bundle/bundle.json").read_text(encoding="utf-8"))
    details = json.loads((root / "reports/evaluate/details.json").read_text(encoding="utf-8"))
    for line in (about["problem"]["question"], *about["problem"]["card"]):
        assert line in card
    for metric, found in details["test"].items():
        beside = [
            with_interval(found),
            with_interval(details["baseline"][metric]),
            with_interval(details["difference"][metric]),
        ]
        assert f"| {metric} | {' | '.join(beside)} |" in card
    for column in about["signature"]["columns"]:
        assert f"| {column['name']} | {column['type']} |" in card
    for head in (
        "## Data",
        "## Model",
        "## How good it is",
        "## Limitations",
        "## Input",
        "Intended use",
    ):
        assert head in card
    assert f"| test | {details['rows']['test']:,} |" in card
    assert ("### Parts of the test rows" in card) == bool(details["slices"])
    assert ("is decided as yes" in card) == (name == "flights")
    assert "What conf/gate asks on the test rows was reached" in card
    assert "with 95 % intervals from 40 bootstrap samples of " in card
    drawn = "whole stretches of time, 50 in all" if name == "flights" else "single rows"
    assert f"samples of {drawn}" in card
    assert ("the true intervals are wider" in card) == (name != "flights")
    assert "From 40 samples the ends of an interval are rough." in card


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_card_holds_no_path_no_placeholder_and_whole_tables(
    built: Callable[[str], Path], name: str
) -> None:
    card = (built(name) / "models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    assert not re.search(r"/(home|tmp|work|root)/|None|nan|\{|\[\]", card)
    for block in re.findall(r"(?:^\|.*\|\n?)+", card, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_the_card_of_flights_names_periods_what_leaks_and_where_the_model_is_weak(
    built: Callable[[str], Path],
) -> None:
    card = (built("flights") / "models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")
    assert re.search(
        r"\| train \| [\d,]+ \| 2013-01-01 \d\d:\d\d \| 2013-0\d-\d\d \d\d:\d\d \|", card
    )
    assert "dep_time, dep_delay, arr_time, air_time" in card
    assert "a sample of 3,000 rows" in card
    slices = json.loads(
        (built("flights") / "reports/evaluate/details.json").read_text(encoding="utf-8")
    )["slices"]["carrier"]
    told = re.search(r"Not shown to be better than the baseline.*: (.*)\.", card)
    assert told
    weak = {name for name, found in slices.items() if not (found["difference"]["low"] or 0) > 0}
    assert {
        part.removeprefix("carrier = ")
        for part in told[1].split(", ")
        if part.startswith("carrier")
    } == weak
