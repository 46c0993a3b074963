"""The model card says what a person must know, in figures for people, the same in every run."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.models.intervals import with_interval
from seedbed.serving.card import cell

Built = Callable[[str], Path]


def card_of(root: Path) -> str:
    return (root / "models/bundle/MODEL_CARD.md").read_text(encoding="utf-8")


def test_text_cannot_break_a_table() -> None:
    assert cell("x | y\nz") == "x \\| y z"


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_card_has_every_part(built: Built, name: str) -> None:
    root = built(name)
    card, words = card_of(root), " ".join(card_of(root).split())
    about = json.loads((root / "models/bundle/bundle.json").read_text(encoding="utf-8"))
    details = json.loads((root / "reports/evaluate/details.json").read_text(encoding="utf-8"))
    for metric, found in details["test"].items():
        beside = [found, details["baseline"][metric], details["difference"][metric]]
        assert f"| {metric} | {' | '.join(map(with_interval, beside))} |" in card
    for column in about["signature"]["columns"]:
        assert f"| {column['name']} | {column['type']} |" in card
    drawn = "whole stretches of time, 50 in all" if name == "flights" else "single rows"
    for text in (
        about["problem"]["question"],
        *about["problem"]["card"],
        *("## Data", "## Model", "## How good it is", "## Limitations", "## Input"),
        "Intended use: To answer this question",
        f"| test | {details['rows']['test']:,} |",
        "What conf/gate asks on the test rows was reached",
        f"with 95 % intervals from 40 bootstrap samples of {drawn}",
        "From 40 samples the ends of an interval are rough.",
    ):
        assert text in words
    assert ("### Parts of the test rows" in card) == bool(details["slices"])
    assert ("is decided as yes" in card) == (name == "flights")
    assert ("the true intervals are wider" in card) == (name != "flights")


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_a_card_holds_no_path_no_placeholder_and_whole_tables(built: Built, name: str) -> None:
    card = card_of(built(name))
    assert not re.search(r"/(home|tmp|work|root)/|None|nan|\{|\[\]", card)
    assert "\n\n\n" not in card
    for block in re.findall(r"(?:^\|.*\|\n?)+", card, flags=re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
        assert len(widths) == 1, block


def test_the_card_of_flights_names_periods_what_leaks_and_where_the_model_is_weak(
    built: Built,
) -> None:
    root = built("flights")
    card = card_of(root)
    period = r"2013-01-01 \d\d:\d\d \| 2013-0\d-\d\d \d\d:\d\d"
    assert re.search(rf"\| train \| [\d,]+ \| {period} \|", card)
    assert "dep_time, dep_delay, arr_time, air_time" in card
    assert "a sample of 3,000 rows" in card
    details = json.loads((root / "reports/evaluate/details.json").read_text(encoding="utf-8"))
    named = re.search(r"Not shown to be better than the baseline.*: (.*)\.", card)
    assert named
    assert set(named[1].split(", ")) == {
        f"{column} = {value}"
        for column, group in details["slices"].items()
        for value, found in group.items()
        if not (found["difference"]["low"] or 0) > 0
    }
