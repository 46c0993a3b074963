"""A message names the file of conf/ that a value comes from, as Hydra composes it."""

from pathlib import Path

import pytest

from seedbed.config.composition import compose_conf, file_to_edit
from seedbed.errors import UserError

DEBUG = "conf/experiment/debug.yaml"


def edit(root: Path, name: str, old: str, new: str) -> None:
    path = root / f"conf/{name}.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("defaults", "key", "file"),
    [
        ({}, "seed", "conf/config.yaml"),
        ({}, "split.folds", "conf/split/time.yaml"),
        ({"split: time": "split: random"}, "split.folds", "conf/split/random.yaml"),
        ({"dataset: flights": "dataset: wine"}, "split.folds", "conf/split/random.yaml"),
        ({"dataset: flights": "dataset: wine"}, "problem.metric", "conf/dataset/wine.yaml"),
        ({"dataset: flights": "dataset: wine"}, "gate.thresholds", "conf/gate/wine.yaml"),
        ({}, "dataset.sample", "conf/dataset/flights.yaml"),
        ({"_self_": "_self_\n  - experiment/debug"}, "dataset.sample", DEBUG),
        ({"_self_": "_self_\n  - experiment: debug"}, "dataset.sample", DEBUG),
        ({}, "expectations.suite.2.severity", "conf/expectations/flights.yaml"),
        ({}, "gate.champion", "conf/gate/default.yaml"),
        ({}, "split.new", "conf/split/time.yaml"),
        ({}, "nothing.of.the.kind", "conf/config.yaml"),
    ],
)  # fmt: skip
def test_the_file_to_edit(root: Path, defaults: dict[str, str], key: str, file: str) -> None:
    for old, new in defaults.items():
        edit(root, "config", old, new)
    assert file_to_edit(key, root) == file
    assert file_to_edit(key, root, compose_conf(root).values) == file_to_edit(key, root)


def test_a_key_that_conf_does_not_set_is_named(root: Path) -> None:
    with pytest.raises(UserError) as refusal:
        compose_conf(root, ["modle=mlp"])
    assert str(refusal.value) == (
        "conf/ cannot be composed: conf/ sets no modle (did you mean model?); +modle=... would add "
        "one."
    )


@pytest.mark.parametrize(
    ("overrides", "key", "place"),
    [
        (["split=random"], "split.kind", "the file of conf/split/ that is used"),
        (["problem.metric=rmse"], "problem.metric", "the file of conf/dataset/ that is used"),
        (["seed=1"], "seed", "conf/config.yaml"),
    ],
)
def test_a_value_that_conf_does_not_give_came_with_an_override(
    root: Path, overrides: list[str], key: str, place: str
) -> None:
    values = compose_conf(root, overrides).values
    assert file_to_edit(key, root, values).startswith(f"{place}, or correct the -S override")


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("config", "model: hist", "model: mist", "mist_gradient_boosting"),
        ("split/time", "folds: 3", "folds: ${fold}", r"split\.folds is '\$\{fold\}': .*'fold' not found\. Edit conf/split/time\.yaml"),
        ("split/time", "folds: 3", "folds: [3", r"^conf/split/time\.yaml: this is not a YAML file.*line 6"),
    ],
)  # fmt: skip
def test_a_conf_that_cannot_be_composed_names_the_file(
    root: Path, file: str, old: str, new: str, words: str
) -> None:
    edit(root, file, old, new)
    with pytest.raises(UserError, match=words) as error:
        compose_conf(root)
    assert "\n" not in str(error.value)
