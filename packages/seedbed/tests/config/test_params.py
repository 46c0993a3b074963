"""Every mistake in the parameters is told with its key, its value and the file to edit."""

import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from seedbed.config.compose import check_composed, compose_text
from seedbed.config.params import check_params, read_params
from seedbed.config.yaml_files import load_yaml
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
        place = place[int(parent)] if isinstance(place, list) else place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return copied


TIME, FLIGHTS = "conf/split/time.yaml", "conf/dataset/flights.yaml"
NUMBER = {"role": "feature", "type": "number"}


@pytest.mark.parametrize(
    ("key", "value", "words", "home"),
    [
        ("modle", {}, "no such key as modle (did you mean model?)", "conf/config.yaml"),
        ("split.fold", 3, "split.fold is not a known key (value 3) (did you mean folds?)", TIME),
        ("source.sample", 30, "source.sample is not a known key (value 30). Edit", "conf/source/"),
        ("dataset.tables.planes.fil", "x", "planes.fil is not a known key (value 'x') (did you mean file?)", FLIGHTS),
        ("split.folds", "three", "split.folds is 'three': input should be a valid integer", TIME),
        ("split.folds", 1, "split.folds is 1: input should be greater than or equal to 2", TIME),
        ("split.test", 0.9, "leave no train rows", TIME),
        ("split.validation", ..., "split.validation is missing", TIME),
        ("seed", "one", "seed is 'one'", "conf/config.yaml"),
        ("seed", True, "seed is True", "conf/config.yaml"),
        ("source.path", "???", "source.path is not set (???)", "-S source.path="),
        ("model.classification._target_", "os.system", "'os.system'", "conf/model/hist_gradient_boosting.yaml"),
        ("model.arguments.estimators", [["x", {"_target_": "subprocess.run"}]], "'subprocess.run'", "conf/model/"),
        ("model.calibration", "foo", "model.calibration is 'foo'", "conf/model/hist_gradient_boosting.yaml"),
        ("model", "random_forest", "model is 'random_forest'", "conf/model/hist_gradient_boosting.yaml"),
        ("expectations.suite.1.severity", "bad", "suite.1.severity is 'bad'", "conf/expectations/flights.yaml"),
        ("problem.target.column", "delay", "problem.target.column is 'delay'", FLIGHTS),
        ("problem.target.column", "dep_delay", "no column of role target", FLIGHTS),
        ("problem.task", "multiclass", "only a binary target is made by a limit", FLIGHTS),
        ("problem.metric", "auc", "'auc', which is not a known metric: for a binary problem choose one of roc_auc", FLIGHTS),
        ("problem.metric", "rmse", "'rmse', which is a metric of regression problems", FLIGHTS),
        ("problem.slices", ["Carrier"], "problem.slices names 'Carrier', which is not among columns (did you mean carrier?)", FLIGHTS),
        ("columns.arr_delay.type", "category", "the target must exceed 15: its type must be number", FLIGHTS),
        ("columns.time_hour.role", "ignore", "no column has the role time", "-S split=random"),
        ("columns.time_hour.type", "number", "its role is time: its type must be time too", FLIGHTS),
        ("columns.time_hour.role", "feature", "give it the role time and use features.time_parts", FLIGHTS),
        ("columns.hour.role", "time", "columns.hour.type is number, and its role is time", FLIGHTS),
        ("columns.then", {"role": "time", "type": "time"}, "columns.then.role is time, and so is that of time_hour", FLIGHTS),
        ("columns._key", NUMBER, "columns._key begins with _", FLIGHTS),
        ("columns.at_hour", NUMBER, "features.time_parts.hour takes the name of column at_hour", "conf/features/rich.yaml"),
        ("columns.carrier.role", "oracle", "columns.carrier.role is 'oracle'", FLIGHTS),
        ("split.kind", "group", "no column has the role group", "-S split=random"),
        ("dataset.base", "planets", "dataset.base is 'planets', which is not among dataset.tables (did you mean planes?)", FLIGHTS),
        ("dataset.joins.1.rename", {"tailnum": "tail"}, "dataset.joins.1.rename renames 'tailnum'", FLIGHTS),
        ("dataset.joins.1.keys", [], "dataset.joins.1.keys is []", FLIGHTS),
        ("dataset.window.start", "2014-01-01", "is not before end", FLIGHTS),
        ("dataset.window.start", "2013-01-01T00:00:00-05:00", "one has an offset", FLIGHTS),
        ("dataset.time_zone", "Foo/Bar", "'Foo/Bar' is no time zone", FLIGHTS),
        ("cleaning.valid_range.tmep", [0, 1], "there is none of that name under columns (did you mean temp?)", "conf/cleaning/flights.yaml"),
        ("cleaning.valid_range.carrier", [0, 1], "none of that name under columns. Edit", "conf/cleaning/flights.yaml"),
        ("cleaning.valid_range.temp", [130, -40], "[130, -40], whose lower end is above", "conf/cleaning/flights.yaml"),
        ("features.drop", ["gusts"], "features.drop names 'gusts', which is no feature", "conf/features/rich.yaml"),
        ("features.derived._x", {"kind": "is_missing", "columns": ["temp"]}, "features.derived._x begins with _", FLIGHTS),
        ("features.derived.x", {"kind": "is_missing", "columns": ["tmep"]}, "not among columns (did you mean temp?)", FLIGHTS),
        ("features.derived.x", {"kind": "combine", "columns": []}, "is a combine of 0 columns, and it takes 1 or more", FLIGHTS),
        ("features.derived.x", {"kind": "ratio", "columns": ["temp", "carrier"]}, "a ratio of carrier, whose type is category", FLIGHTS),
        ("features.derived.x", {"kind": "clock_minutes", "columns": ["time_hour"]}, "time_hour, whose type is time", FLIGHTS),
        ("gate.thresholds.auc", 0.7, "gate.thresholds.auc is not a known metric: for a binary", "conf/gate/flights.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(
    plain: dict[str, Any], key: str, value: Any, words: str, home: str
) -> None:
    values = (
        changed(plain, "dataset.window.end", "2013-12-01")
        if key == "dataset.window.start"
        else plain
    )
    with pytest.raises(UserError) as told:
        check_composed(changed(values, key, value), REPOSITORY)
    message = str(told.value)
    assert message.startswith("params.yaml")
    assert words in message
    # As with -S: another file of the group may have brought the value in.
    assert (home if home == "conf/config.yaml" else f"{home.rpartition('/')[0]}/") in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("overrides", "key", "value", "words"),
    [
        (
            ["dataset=diabetes"],
            "columns.target.type",
            "category",
            "the target is predicted as a number",
        ),
        (["dataset=wine"], "columns.target.type", "time", "a time is no target"),
        (["dataset=wine"], "problem.task", "binary", "problem.positive is not set"),
        (["dataset=wine"], "problem.metric", "f1", "'f1', which is a metric of binary problems"),
    ],
)
def test_a_mistake_in_a_dataset_of_another_kind_is_told(
    overrides: list[str], key: str, value: str, words: str
) -> None:
    values = OmegaConf.to_container(OmegaConf.create(compose_text(REPOSITORY, overrides)))
    with pytest.raises(UserError, match=words) as told:
        check_composed(changed(values, key, value), REPOSITORY)  # type: ignore[arg-type]
    assert "Edit the file of conf/dataset/ that is used, or correct the -S" in str(told.value)


@pytest.mark.parametrize("positive", [True, False, 1])
def test_a_positive_answer_that_yaml_does_not_take_for_text_is_told(positive: object) -> None:
    values: Any = OmegaConf.to_container(
        OmegaConf.create(compose_text(REPOSITORY, ["dataset=wine"]))
    )
    binary = changed(changed(values, "problem.task", "binary"), "columns.target.type", "category")
    with pytest.raises(
        UserError,
        match=f"problem.positive is {positive!r}, and target is a category.*unless .* in quotes",
    ):
        check_params(changed(binary, "problem.positive", positive), REPOSITORY)


def test_the_composed_configuration_is_right(plain: dict[str, Any]) -> None:
    assert check_params(plain, REPOSITORY).problem.metric == "roc_auc"


@pytest.mark.parametrize(
    "overrides",
    [[], ["dataset=wine"], ["dataset=diabetes"], ["+experiment=debug"], ["features=basic"]],
)
@pytest.mark.parametrize(
    "model", sorted(file.stem for file in (REPOSITORY / "conf/model").glob("*.yaml"))
)
def test_every_choice_fits_the_schema(
    overrides: list[str], model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPOSITORY)
    values = OmegaConf.to_container(
        OmegaConf.create(compose_text(REPOSITORY, [*overrides, f"model={model}"]))
    )
    assert check_params(values, REPOSITORY).model.name == model  # type: ignore[arg-type]


def test_a_stage_gets_what_it_asks_for_and_no_more(plain: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "params.yaml").write_text(
        OmegaConf.to_yaml(OmegaConf.create(changed(plain, "model", "broken")))
    )
    assert set(read_params(["split", "seed"], tmp_path)) == {"split", "seed"}
    with pytest.raises(UserError, match="model is 'broken'"):
        read_params(["model"], tmp_path)


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=f"params.yaml is missing in {tmp_path}, which is not the project's folder"
    ):
        read_params(["seed"], tmp_path)
    (tmp_path / "conf").mkdir()
    with pytest.raises(UserError, match="params.yaml is missing. Run `git checkout params.yaml`"):
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
