"""What an experiment brought in becomes an overlay that composes to the same values, or nothing changes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from seedbed.config.adopt import adopt_overrides
from seedbed.config.compose import compose_anew, update_params
from seedbed.config.composition import compose_conf
from seedbed.config.overrides import read_overrides
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

from support import slow_after

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def root(root: Path) -> Path:
    """A conf/ of few choices: every one of them is tried."""
    unneeded = ("model/[!dh]*", "*/diabetes.yaml", "source/[!p]*", "features/basic.yaml")
    for file in [file for pattern in unneeded for file in (root / "conf").glob(pattern)]:
        file.unlink()
    dummy = (root / "conf/model/dummy.yaml").read_text(encoding="utf-8")
    (root / "conf/model/größe.yaml").write_text(
        dummy.replace("name: dummy", "name: größe"), "utf-8"
    )
    return root


def params(root: Path) -> dict[str, Any]:
    return {**load_yaml(root / "params.yaml"), "conf_hash": None}


def contents(root: Path) -> dict[str, bytes]:
    files = [*sorted((root / "conf").rglob("*.yaml")), root / "params.yaml"]
    return {str(file): file.read_bytes() for file in files}


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / f"conf/{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("overrides", "chosen", "held"),
    slow_after(4, [
        (["seed=4"], None, {"seed": 4}),
        (["model=dummy"], [{"override /model": "dummy"}], {}),
        (["model='größe'"], [{"override /model": "größe"}], {}),
        (
            ["model=dummy", "model.preprocessing.min_frequency=7", "+gate.thresholds.brier=0.2"],
            [{"override /model": "dummy"}],
            {"model": {"preprocessing": {"min_frequency": 7}}, "gate": {"thresholds": {"brier": 0.2}}},
        ),
        (["dataset=wine", "split=random"], [{"override /dataset": "wine"}], {}),
        (
            ["+experiment=debug"],
            [{"override /evaluation": "quick"}, {"override /gate": "none"}],
            {"dataset": {"sample": 5000}},
        ),
        (["+columns.types={mean.radius:category}"], None, {"columns": {"types": {"mean.radius": "category"}}}),
    ]),
)  # fmt: skip
def test_an_overlay_chooses_files_of_groups_and_holds_other_values(
    root: Path, run_experiment: Run, overrides: list[str], chosen: list | None, held: dict
) -> None:
    wanted = run_experiment(*overrides)
    main = (root / "conf/config.yaml").read_text(encoding="utf-8")
    adopt_overrides(root, "mine")
    overlay = load_yaml(root / "conf/experiment/mine.yaml")
    defaults = overlay.pop("defaults", None)
    assert (defaults and sorted(defaults, key=str), overlay) == (chosen, held)
    assert params(root) == wanted
    assert not read_overrides(root)
    assert update_params(root, {}) == "params.yaml is in step with conf/"
    # Taken out of the defaults, it is an overlay as any other, and says so in its second line.
    assert (root / "conf/config.yaml").read_text(encoding="utf-8") == main.replace(
        "  - _self_\n", "  - _self_\n  - experiment/mine\n"
    )
    (root / "conf/config.yaml").write_text(main, encoding="utf-8")
    text = (root / "conf/experiment/mine.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[1].endswith(": dvc exp run -S +experiment=mine")
    with_it = compose_conf(root, ["+experiment=mine"]).values
    assert {**with_it, "conf_hash": None} == wanted


def test_a_second_experiment_of_the_name_takes_the_place_of_the_first(
    root: Path, run_experiment: Run
) -> None:
    run_experiment("model=dummy", "seed=4")
    adopt_overrides(root, "mine")
    wanted = run_experiment("seed=5")
    lines = adopt_overrides(root, "mine")
    assert lines[0] == "conf/experiment/mine.yaml: model=dummy, seed=5"
    assert params(root) == wanted
    assert (root / "conf/config.yaml").read_text(encoding="utf-8").count("experiment/mine") == 1


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("seed=4", "seed", 4),
        ("gate=none", "gate.thresholds", {}),
        ("+columns.types={mean.radius: category}", "columns.types", {"tailnum": "category", "at.hour": "number", "mean.radius": "category"}),
        ("~columns.types.tailnum", "columns.types", {"at.hour": "number"}),
    ],
)  # fmt: skip
def test_edits_of_conf_since_the_experiment_are_kept(
    root: Path, run_experiment: Run, override: str, key: str, value: Any
) -> None:
    run_experiment(override)
    edit(root, "split/time", "folds: 3", "folds: 5")
    edit(root, "dataset/flights", "types: {", "types: {at.hour: number, ")
    if override.startswith("~"):  # an overlay takes nothing away, so a person does
        edit(root, "dataset/flights", "tailnum: category", "")
    adopt_overrides(root, "mine")
    found = OmegaConf.load(root / "params.yaml")
    assert (found.split.folds, OmegaConf.select(found, key)) == (5, value)
    assert update_params(root, {}) == "params.yaml is in step with conf/"


def test_with_nothing_brought_in_nothing_is_written(root: Path) -> None:
    compose_anew(root)
    before = contents(root)
    assert adopt_overrides(root, "mine") == [
        "nothing to adopt: params.yaml is what conf/ composes to"
    ]
    assert contents(root) == before


@pytest.mark.parametrize(
    ("overrides", "name", "words"),
    [
        (["~columns.types"], "mine", r"~columns\.types\.tailnum would still differ"),
        (["seed=4"], "my forest", "'my forest' cannot be the name of an overlay"),
        (["seed=4"], "größe", "'größe' cannot be the name of an overlay"),
        (["seed=4"], "../x", "cannot be the name of an overlay"),
    ],
)
def test_what_cannot_be_adopted_leaves_conf_as_it_was(
    root: Path, run_experiment: Run, overrides: list[str], name: str, words: str
) -> None:
    run_experiment(*overrides)
    before = contents(root)
    with pytest.raises(UserError, match=words):
        adopt_overrides(root, name)
    assert contents(root) == before


def test_a_defaults_list_that_cannot_be_added_to_is_left_to_the_person(
    root: Path, run_experiment: Run
) -> None:
    listed = load_yaml(root / "conf/config.yaml")["defaults"]
    text = (root / "conf/config.yaml").read_text(encoding="utf-8")
    block = text[text.index("defaults:") : text.index("seed:")]
    edit(root, "config", block, f"defaults: {listed}\n".replace("${", "'${").replace("}'", "}''"))
    run_experiment("seed=4")
    before = contents(root)
    with pytest.raises(UserError, match=r"whose last line is `- experiment/mine`"):
        adopt_overrides(root, "mine")
    assert contents(root) == before
