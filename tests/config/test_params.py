"""Every mistake in the parameters is told with its key, its value and the file to edit."""

import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from seedbed.config.compose import compose_text
from seedbed.config.params import check_params, load_yaml, read_params
from seedbed.errors import UserError

from support import REPOSITORY


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return OmegaConf.to_container(OmegaConf.create(compose_text(REPOSITORY)))  # type: ignore[return-value]


def changed(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(values)
    place = copied
    *parents, last = key.split(".")
    for parent in parents:
        place = place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


@pytest.mark.parametrize(
    ("key", "value", "words", "home"),
    [
        ("modle", {}, "no such key as modle", "conf/config.yaml"),
        ("split.fold", 3, "split.fold is not a known key (value 3)", "conf/split/"),
        ("split.folds", "three", "split.folds is 'three': input should be a valid integer", "conf/split/"),
        ("split.folds", 1, "split.folds is 1: input should be greater than or equal to 2", "conf/split/"),
        ("split.test", 0.9, "leave no train rows", "conf/split/"),
        ("split.validation", ..., "split.validation is missing", "conf/split/"),
        ("seed", "one", "seed is 'one'", "conf/config.yaml"),
        ("seed", True, "seed is True", "conf/config.yaml"),
        ("source.path", "???", "source.path is not set (???)", "-S source.path="),
        ("model.classification._target_", "os.system", "'os.system'", "conf/model/"),
        ("model.arguments.estimators", [["x", {"_target_": "subprocess.run"}]], "'subprocess.run'", "conf/model/"),
        ("model", "random_forest", "model is 'random_forest'", "conf/model/"),
        ("problem.target.column", "delay", "problem.target.column is 'delay'", "conf/dataset/flights.yaml"),
        ("problem.target.column", "dep_delay", "no column of role target", "conf/dataset/flights.yaml"),
        ("problem.slices", ["planet"], "problem.slices names 'planet'", "conf/dataset/flights.yaml"),
        ("columns.time_hour.role", "ignore", "no column has the role time", "-S split=random"),
        ("split.kind", "group", "no column has the role group", "-S split=random"),
        ("dataset.base", "planets", "dataset.base is 'planets'", "conf/dataset/flights.yaml"),
        ("dataset.window.start", "2014-01-01", "is not before end", "conf/dataset"),
        ("dataset.window.start", "2013-01-01T00:00:00-05:00", "one has an offset", "conf/dataset"),
        ("dataset.time_zone", "Foo/Bar", "'Foo/Bar' is no time zone", "conf/dataset"),
        ("columns._key", {"role": "feature", "type": "number"}, "columns names _key", "conf/dataset/flights.yaml"),
        ("columns.carrier.role", "oracle", "columns.carrier.role is 'oracle'", "conf/dataset/flights.yaml"),
    ],
)
def test_a_mistake_is_told(plain: dict[str, Any], key: str, value: Any, words: str, home: str) -> None:
    values = changed(plain, "dataset.window.end", "2013-12-01") if key == "dataset.window.start" else plain
    with pytest.raises(UserError) as told:
        check_params(changed(values, key, value), REPOSITORY)
    message = str(told.value)
    assert message.startswith("params.yaml")
    assert words in message
    assert home in message
    assert "\n" not in message


def test_the_composed_configuration_is_right(plain: dict[str, Any]) -> None:
    assert check_params(plain, REPOSITORY).problem.metric == "roc_auc"


@pytest.mark.parametrize(
    "overrides", [[], ["dataset=wine"], ["dataset=diabetes"], ["+experiment=debug"], ["features=basic"]]
)
@pytest.mark.parametrize("model", sorted(file.stem for file in (REPOSITORY / "conf/model").glob("*.yaml")))
def test_every_choice_fits_the_schema(overrides: list[str], model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    values = OmegaConf.to_container(OmegaConf.create(compose_text(REPOSITORY, [*overrides, f"model={model}"])))
    assert check_params(values, REPOSITORY).model.name == model  # type: ignore[arg-type]


def test_a_stage_gets_what_it_asks_for_and_no_more(plain: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "params.yaml").write_text(OmegaConf.to_yaml(OmegaConf.create(changed(plain, "model", "broken"))))
    assert set(read_params(["split", "seed"], tmp_path)) == {"split", "seed"}
    with pytest.raises(UserError, match="model is 'broken'"):
        read_params(["model"], tmp_path)


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="params.yaml is missing"):
        read_params(["seed"], tmp_path)
    (tmp_path / "params.yaml").write_text("a: [1\n")
    with pytest.raises(UserError, match="not a YAML file that can be read"):
        load_yaml(tmp_path / "params.yaml")
    (tmp_path / "params.yaml").write_text("- 1\n")
    with pytest.raises(UserError, match="a mapping of keys"):
        load_yaml(tmp_path / "params.yaml")


def test_frozen(plain: dict[str, Any]) -> None:
    params = check_params(plain, REPOSITORY)
    with pytest.raises(ValueError, match="frozen"):
        params.split.folds = 9  # type: ignore[misc]


def test_small_exponents_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1e-5\nday: 2013-01-01\n")
    assert load_yaml(tmp_path / "x.yaml") == {"a": 1e-5, "day": "2013-01-01"}
