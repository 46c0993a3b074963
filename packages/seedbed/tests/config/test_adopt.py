"""What an experiment brought in is written where a person would have put it, or not at all."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.config.adopt import adopt_overrides
from seedbed.config.compose import compose_anew, compose_text, read_overrides, update_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError


@pytest.fixture
def root(root: Path) -> Path:
    """A conf/ of few choices: every one of them is tried."""
    for pattern in (
        "model/[!dh]*",
        "*/wine.yaml",
        "*/diabetes.yaml",
        "source/[!p]*",
        "split/[!t]*",
        "features/basic.yaml",
    ):
        for file in (root / "conf").glob(pattern):
            file.unlink()
    return root


def bring_in(root: Path, *overrides: str) -> dict[str, Any]:
    """Write params.yaml as `dvc exp run -S` does; return it without the hash."""
    (root / "params.yaml").write_text(compose_text(root, list(overrides)), encoding="utf-8")
    update_params(root, {"DVC_EXP_NAME": "x"})
    return values(root)


def values(root: Path) -> dict[str, Any]:
    return {**load_yaml(root / "params.yaml"), "conf_hash": None}


def contents(root: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted((root / "conf").rglob("*.yaml"))}


def test_each_value_goes_where_a_person_would_look_for_it(root: Path) -> None:
    main = root / "conf/config.yaml"
    before = main.read_text(encoding="utf-8")
    wanted = bring_in(
        root,
        "model=dummy",
        "model.preprocessing.min_frequency=7",
        "problem.threshold=half",
        "seed=4",
        "+gate.thresholds.brier=0.2",
    )
    assert sorted(adopt_overrides(root)) == [
        "conf/config.yaml: gate.thresholds.brier: 0.2",
        "conf/config.yaml: model: dummy",
        "conf/config.yaml: seed: 4",
        "conf/dataset/flights.yaml: problem.threshold: half",
        "conf/model/dummy.yaml: preprocessing.min_frequency: 7",
    ]
    assert values(root) == wanted
    recorded = read_overrides(root)
    assert recorded is not None and not recorded
    assert update_params(root, {}) == "params.yaml is in step with conf/"
    after = main.read_text(encoding="utf-8")
    assert set(before.splitlines()) - set(after.splitlines()) == {
        line for line in before.splitlines() if line.startswith(("  - model:", "seed:"))
    }, "the comments of all other lines stay"


def test_an_overlay_is_added_to_the_defaults(root: Path) -> None:
    wanted = bring_in(root, "+experiment=debug")
    assert adopt_overrides(root) == ["conf/config.yaml: experiment: debug"]
    assert values(root) == wanted


def test_with_nothing_brought_in_nothing_is_edited(root: Path) -> None:
    compose_anew(root)
    before = contents(root)
    assert adopt_overrides(root) == ["nothing to adopt: params.yaml is what conf/ composes to"]
    assert contents(root) == before


def test_what_cannot_be_adopted_leaves_conf_as_it_was(root: Path) -> None:
    bring_in(root, "~gate.thresholds.roc_auc", "seed=4")
    before = contents(root)
    with pytest.raises(UserError, match=r"~gate\.thresholds\.roc_auc would stay apart"):
        adopt_overrides(root)
    assert contents(root) == before
