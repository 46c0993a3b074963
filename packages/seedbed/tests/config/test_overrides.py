"""How params.yaml differs from conf/: recorded, shown as it is typed after -S, and applied to another composition."""

from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from seedbed.config.overrides import (
    OVERRIDES,
    Overrides,
    as_override,
    as_overrides,
    find_overrides,
    read_overrides,
)

CASES: list[tuple[dict, dict, list[str]]] = [
    ({"a": {"b": 5}, "new": "x"}, {"a": {"b": 1, "gone": 2}}, ["a.b=5", "new=x", "~a.gone"]),
    ({"a": {"b": [1, 2]}}, {"a": {"b": [1]}}, ["a.b=[1,2]"]),
    ({"a": {}}, {"a": {"b": 1}}, ["a={}", "~a.b"]),
    ({"a": {"b": 1}}, {"a": {}}, ["a.b=1"]),
    ({"a": {"c": 3}}, {"a": {"b": {"c": 1, "d": 2}}}, ["a.c=3", "~a.b.c", "~a.b.d"]),
    ({"a": {"b": 1}}, {"a": None}, ["a.b=1"]),
    ({"a": None}, {"a": {"b": 1}}, ["a=null"]),
    ({"t": {"x.y": "number", "z w": "time"}}, {"t": {}}, [r"t={x.y:number,z\ w:time}"]),
    ({"t": {"x.y": "number"}}, {"t": {"x.y": "time"}}, ["t={x.y:number}"]),
    ({"a": {"b": 1}}, {"a": {"b": 1}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("params", "plain", "shown"), CASES)
def test_what_differs_is_recorded_shown_and_applied(
    tmp_path: Path, params: dict, plain: dict, shown: list[str]
) -> None:
    found = find_overrides({**params, "conf_hash": "c2"}, {**plain, "conf_hash": "c1"})
    assert found.as_typed() == shown
    assert bool(found) == bool(shown)
    assert found.apply_to(plain) == params
    assert read_overrides(tmp_path) is None
    found.write(tmp_path)
    assert read_overrides(tmp_path) == found
    assert (tmp_path / OVERRIDES).read_text("utf-8").startswith("# Where params.yaml differs")


def test_they_are_applied_to_another_composition() -> None:
    overrides = Overrides("c1", {"a": {"x.y": 1}, "e": {}}, {"b": {"c": 1}})
    assert overrides.apply_to({"a": {"x": {"y": 2}}, "b": {"c": 3, "d": 4}, "e": {"f": 5}}) == {
        "a": {"x": {"y": 2}, "x.y": 1},
        "b": {"d": 4},
        "e": {"f": 5},
    }


def test_a_record_of_an_older_commit_is_shown() -> None:
    recorded = {"conf_hash": "c1", "changed": {"split.folds": 2}, "removed": ["gate.thresholds"]}
    assert as_overrides(recorded).as_typed() == ["split.folds=2", "~gate.thresholds"]


@pytest.mark.parametrize(
    "value",
    [1, 1e-5, True, None, "plain", "2013-12-01", "1e3", "null", "", "Wie groß?", "it's", 'a "b"',
     "a,b", "data/jürgen projekt/x.csv", [1, "zwei", ["three four"]], {"a": {"b": "c d"}, "e": []},
     {"mean.radius": "x", "mean radius": "y", "price [EUR]": "z"}],
    ids=str,
)  # fmt: skip
def test_an_override_is_read_by_hydra_as_the_same_value(value: Any) -> None:
    override = OverridesParser.create().parse_override(as_override("key", value))
    assert override.key_or_group == "key"
    assert override.value() == value
