"""What an experiment brought in becomes an overlay that composes to the same values, or nothing changes."""

from pathlib import Path
from typing import Any

import pytest

from seedbed.config.adopt import adopt_overrides
from seedbed.config.compose import (
    compose_anew,
    compose_text,
    find_overrides,
    read_overrides,
    update_params,
)
from seedbed.config.composition import compose_conf
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError


@pytest.fixture
def root(root: Path) -> Path:
    """A conf/ of few choices: every one of them is tried."""
    unneeded = ("model/[!dh]*", "*/diabetes.yaml", "source/[!p]*", "features/basic.yaml")
    for file in [file for pattern in unneeded for file in (root / "conf").glob(pattern)]:
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


@pytest.mark.parametrize(
    ("overrides", "chosen", "held"),
    [
        (["seed=4"], None, {"seed": 4}),
        (["model=dummy"], [{"override /model": "dummy"}], {}),
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
    ],
)  # fmt: skip
def test_an_overlay_chooses_files_of_groups_and_holds_other_values(
    root: Path, overrides: list[str], chosen: list | None, held: dict
) -> None:
    wanted = bring_in(root, *overrides)
    main = (root / "conf/config.yaml").read_text(encoding="utf-8")
    adopt_overrides(root, "mine")
    overlay = load_yaml(root / "conf/experiment/mine.yaml")
    defaults = overlay.pop("defaults", None)
    assert (defaults and sorted(defaults, key=str), overlay) == (chosen, held)
    assert values(root) == wanted
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


def test_a_second_experiment_of_the_name_takes_the_place_of_the_first(root: Path) -> None:
    bring_in(root, "model=dummy", "seed=4")
    adopt_overrides(root, "mine")
    wanted = bring_in(root, "seed=5")
    lines = adopt_overrides(root, "mine")
    assert lines[0] == "conf/experiment/mine.yaml: model=dummy, seed=5"
    assert values(root) == wanted
    assert (root / "conf/config.yaml").read_text(encoding="utf-8").count("experiment/mine") == 1


def test_edits_of_conf_since_the_experiment_are_kept(root: Path) -> None:
    bring_in(root, "seed=4", "gate=none")
    path = root / "conf/split/time.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("folds: 3", "folds: 5"))
    adopt_overrides(root, "mine")
    params = values(root)
    assert (params["seed"], params["split"]["folds"], params["gate"]["thresholds"]) == (4, 5, {})


@pytest.mark.parametrize(
    ("overrides", "name", "words"),
    [
        ([], "mine", "nothing to adopt: params.yaml is what conf/ composes to"),
        (["~gate.thresholds.roc_auc"], "mine", r"~gate\.thresholds\.roc_auc would still differ"),
        (["seed=4"], "my forest", "'my forest' cannot be the name of an overlay"),
        (["seed=4"], "../x", "cannot be the name of an overlay"),
    ],
)
def test_what_cannot_be_adopted_leaves_conf_as_it_was(
    root: Path, overrides: list[str], name: str, words: str
) -> None:
    compose_anew(root)
    bring_in(root, *overrides)
    before = contents(root), values(root)
    with pytest.raises(UserError, match=words):
        adopt_overrides(root, name)
    assert (contents(root), values(root)) == before


def test_a_defaults_list_that_cannot_be_added_to_is_left_to_the_person(root: Path) -> None:
    main = root / "conf/config.yaml"
    lines = [line for line in main.read_text(encoding="utf-8").splitlines() if "  - " in line]
    entries = [line.partition("#")[0].strip().removeprefix("- ") for line in lines]
    rest = main.read_text(encoding="utf-8").partition("seed:")[2]
    flow = ", ".join(entry if entry == "_self_" else f"{{{entry}}}" for entry in entries)
    flow = flow.replace("${dataset}", "'${dataset}'")
    main.write_text(f"defaults: [{flow}]\nseed:{rest}", encoding="utf-8")
    bring_in(root, "seed=4")
    before = contents(root)
    with pytest.raises(UserError, match=r"whose last line is `- experiment/mine`"):
        adopt_overrides(root, "mine")
    assert contents(root) == before
    assert find_overrides(values(root), compose_conf(root).values).changed == {"seed": 4}
