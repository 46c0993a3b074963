"""Every mistake in the parameters is reported with its key, its value and the file to edit."""

import copy
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from seedbed.config.compose import check_composed
from seedbed.config.composition import compose_conf
from seedbed.config.params import check_params, read_params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

from support import REPOSITORY


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(REPOSITORY)
        return compose_conf(REPOSITORY).values


def changed(values: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(values)
    place = copied
    *parents, last = key.split(".")
    for parent in parents:
        place = place[int(parent)] if isinstance(place, list) else place.setdefault(parent, {})
    if value is ...:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return copied


TIME, FLIGHTS = "conf/split/time.yaml", "conf/dataset/flights.yaml"
CLEANING, RICH = "conf/cleaning/", "conf/features/rich.yaml"


def derived(kind: str, *columns: str, name: str = "x") -> list[dict[str, Any]]:
    return [{"name": name, "kind": kind, "columns": list(columns)}]


def limits(column: str, low: float, high: float) -> list[dict[str, Any]]:
    return [{"column": column, "low": low, "high": high}]


def orders(**more: Any) -> dict[str, Any]:
    """A join of planes with figures."""
    return {"table": "planes", "keys": ["tailnum"], "aggregate": {"_rows": ["count"]}, **more}


@pytest.mark.parametrize(
    ("key", "value", "words", "file"),
    [
        ("modle", {}, "no such key as modle (did you mean model?)", "conf/config.yaml"),
        ("split.fold", 3, "split.fold is not a known key (value 3) (did you mean folds?)", TIME),
        ("source.sample", 30, "source.sample is not a known key (value 30). Edit", "conf/source/"),
        ("dataset.tables.2.fil", "x", "tables.2.fil is not a known key (value 'x') (did you mean file?)", FLIGHTS),
        ("dataset.tables.2.name", "weather", "two tables have one name", FLIGHTS),
        ("dataset.tables", [], "dataset.tables is []", FLIGHTS),
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
        ("expectations.suite.1.severity", "bad", "suite.1.severity is 'bad'", "conf/expectations/"),
        ("problem.task", "multiclass", "only a binary target is made by a limit", FLIGHTS),
        ("problem.metric", "auc", "'auc', which is not a known metric (did you mean roc_auc?): for a binary problem choose one of roc_auc", FLIGHTS),
        ("problem.metric", "rmse", "'rmse', which is a metric of regression problems", FLIGHTS),
        ("problem.slices", ["Carrier"], "problem.slices names 'Carrier', which is not among columns (did you mean carrier?)", FLIGHTS),
        ("problem.above", None, "problem.positive is not set: say which value of arr_delay", FLIGHTS),
        ("columns", [], "columns is []", FLIGHTS),
        ("columns.ignore", ["hour"], "columns.ignore is not a known key", FLIGHTS),
        ("columns.target", ..., "columns.target is missing", FLIGHTS),
        ("columns.target", "dep_delay", "columns.known_after_outcome takes dep_delay, and so does columns.target", FLIGHTS),
        ("columns.number", "distance", "columns.number is 'distance': input should be a valid array", "Edit "),
        ("columns.number", ["carrier"], "columns.category takes carrier, and so does columns.number", FLIGHTS),
        ("columns.number", ["_key"], "columns.number takes _key, and names that begin with _", FLIGHTS),
        ("columns.types.arr_delay", "category", "the target must exceed 15: its type must be number", FLIGHTS),
        ("columns.types.time_hour", "number", "columns.time names that column, so its type is time", FLIGHTS),
        ("columns.types.hour", "oracle", "columns.types.hour is 'oracle'", FLIGHTS),
        ("columns.move", {"dep_delay": "feature"}, "columns.move.dep_delay is 'feature'", FLIGHTS),
        ("columns.time", ["time_hour", "at"], "columns.time is ['time_hour', 'at']: one column at most", FLIGHTS),
        ("columns.time", None, "split.kind is time, and columns.time names no column", "-S split=random"),
        ("split.kind", "group", "columns.group names no column", "-S columns.group="),
        ("columns.boolean", ["at_hour"], "features.time_parts.hour takes the name of column at_hour", RICH),
        ("dataset.joins.1.table", "planets", "joins.1.table is 'planets', which is not among dataset.tables (did you mean planes?)", FLIGHTS),
        ("dataset.joins.1.rename", {"tailnum": "tail"}, "dataset.joins.1.rename renames 'tailnum'", FLIGHTS),
        ("dataset.joins.1.keys", [], "dataset.joins.1.keys is []", FLIGHTS),
        ("dataset.joins.1.keys", "tailnum", "dataset.joins.1.keys is 'tailnum': write names as a list, or as {column: column of the joined table}", FLIGHTS),
        ("dataset.joins.1.columns", ["tailnum"], "joins.1.columns names 'tailnum', which is a key of the join", FLIGHTS),
        ("dataset.joins.1.columns", [], "joins.1.columns and aggregate are both empty", FLIGHTS),
        ("dataset.joins.1.aggregate", {"seats": ["mean"]}, "joins.1.columns and aggregate are both set", FLIGHTS),
        ("dataset.joins.1", orders(aggregate={"seats": ["avg"]}), "joins.1.aggregate.seats.0 is 'avg': input should be 'count', 'mean'", FLIGHTS),
        ("dataset.joins.1", orders(aggregate={"seats": []}), "joins.1.aggregate.seats is []", FLIGHTS),
        ("dataset.joins.1", orders(aggregate={"_rows": ["mean"]}), "aggregate._rows is ['mean']: rows have a count only", FLIGHTS),
        ("dataset.joins.1", orders(rename={"planes_cuont": "n"}), "renames 'planes_cuont', which is not among the join's columns (did you mean planes_count?)", FLIGHTS),
        ("dataset.joins.1.time", "year", "joins.1.time is 'year', and only figures under aggregate go by time", FLIGHTS),
        ("dataset.tables.1.kind", "parket", "dataset.tables.1.kind is 'parket', and there is no such source (did you mean parquet?)", FLIGHTS),
        ("dataset.tables.1", {"name": "weather", "kind": "csv", "options": {"seperator": ";"}}, "dataset.tables.1.options.seperator is no option of source csv (did you mean separator?)", FLIGHTS),
        ("dataset.window.start", "2014-01-01", "is not before end", FLIGHTS),
        ("dataset.window.start", "2013-01-01T00:00:00-05:00", "one has an offset", FLIGHTS),
        ("dataset.time_zone", "Foo/Bar", "'Foo/Bar' is no time zone", FLIGHTS),
        ("cleaning.valid_range", limits("tmep", 0, 1), "valid_range.0 is for column tmep, and columns has no number of that name (did you mean temp?)", CLEANING),
        ("cleaning.valid_range", limits("carrier", 0, 1), "for column carrier, and columns has no number of that name. Edit", CLEANING),
        ("cleaning.valid_range", limits("temp", 130, -40), "of temp runs from 130 to -40: turn them round", CLEANING),
        ("features.drop", ["gusts"], "features.drop names 'gusts', which is no feature", RICH),
        ("features.derived", derived("is_missing", "temp", name="_x"), "features.derived.0 (_x) begins with _", FLIGHTS),
        ("features.derived", derived("is_missing", "temp", name="dest"), "(dest) takes the name of a column", FLIGHTS),
        ("features.derived", derived("is_missing", "tmep"), "not among columns (did you mean temp?)", FLIGHTS),
        ("features.derived", derived("combine"), "is a combine of 0 columns, and it takes 1 or more", FLIGHTS),
        ("features.derived", derived("ratio", "temp", "carrier"), "a ratio of carrier, whose type is category", FLIGHTS),
        ("features.derived", derived("clock_minutes", "time_hour"), "time_hour, whose type is time", FLIGHTS),
        ("features.derived", derived("ratio", "temp", "dep_delay"), "dep_delay, which has the role known_after_outcome", FLIGHTS),
        ("features.derived", derived("product", "temp"), "is a product of 1 columns, and it takes 2 or more", FLIGHTS),
        ("features.derived", derived("product", "temp", "time_hour"), "a product of time_hour, whose type is time", FLIGHTS),
        ("features.time_parts", ["week"], "features.time_parts.0 is 'week'", RICH),
        ("features.clip", [0.9, 0.1], "features.clip is [0.9, 0.1]: quantile 0.9 is not below 0.1", FLIGHTS),
        ("features.clip", [0.1], "features.clip is [0.1]: list should have at least 2 items", FLIGHTS),
        ("features.text", {"componets": 3}, "text.componets is not a known key (value 3) (did you mean components?)", FLIGHTS),
        ("features.selection", "best", "features.selection is 'best'", FLIGHTS),
        ("columns.date", ["time_hour"], "columns.date takes time_hour, and so does columns.time", FLIGHTS),
        ("model.target_transform", "log", "is log, and only the target of a regression", "conf/model/hist_gradient_boosting.yaml"),
        ("evaluation.second_baseline", "other", "evaluation.second_baseline is 'other'", "conf/evaluation/standard.yaml"),
        ("gate.thresholds.auc", 0.7, "gate.thresholds.auc is not a known metric (did you mean roc_auc?): for a binary", "conf/gate/flights.yaml"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported(
    plain: dict[str, Any], key: str, value: Any, words: str, file: str
) -> None:
    values = (
        changed(plain, "dataset.window.end", "2013-12-01")
        if key == "dataset.window.start"
        else plain
    )
    with pytest.raises(UserError) as error:
        check_composed(changed(values, key, value), REPOSITORY)
    message = str(error.value)
    assert message.startswith("params.yaml")
    assert words in message
    # As with -S: another file of the group may have brought the value in.
    assert (file if file == "conf/config.yaml" else f"{file.rpartition('/')[0]}/") in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("dataset", "changes", "words"),
    [
        ("diabetes", {"columns.types": {"target": "category"}}, "the target is predicted as a number"),
        ("wine", {"columns.types": {"target": "time"}}, "a time is no target"),
        ("wine", {"problem.task": "binary"}, "problem.positive is not set"),
        ("wine", {"problem.metric": "f1"}, "'f1', which is a metric of binary problems"),
        ("wine", {"problem.task": "binary", "problem.positive": True}, "True, and target is a category.*unless .* in quotes"),
        ("wine", {"problem.task": "binary", "problem.positive": 1}, "1, and target is a category.*unless .* in quotes"),
        ("wine", {"problem.task": "binary", "problem.positive": "yes", "columns.types": {}}, "'yes', and target is a number: add target: category"),
        ("diabetes", {"split.kind": "stratified"}, "split.kind is stratified, which spreads classes"),
        ("diabetes", {"columns.number": [], "problem.slices": []}, "leaves no feature for a model"),
        ("wine", {"dataset.joins": [{**orders(table="wine"), "time": "at"}]}, "joins.0.time is 'at'.*before columns.time.* names no column"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_dataset_of_another_kind_is_reported(
    dataset: str, changes: dict[str, Any], words: str
) -> None:
    values = compose_conf(REPOSITORY, [f"dataset={dataset}"]).values
    for key, value in changes.items():
        values = changed(values, key, value)
    with pytest.raises(UserError, match=words):
        check_params(values, REPOSITORY)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("features.derived", derived("difference", "wind_gust", "wind_speed")),
        ("features.drop", ["wind_dir"]),
        ("cleaning.valid_range", limits("wind_gust", 0, 200)),
        ("problem.slices", ["wind_dir"]),
    ],
)
def test_a_name_that_a_glob_takes_is_known_everywhere(
    plain: dict[str, Any], key: str, value: Any
) -> None:
    assert "wind_gust" not in str(plain["columns"])
    check_params(changed(plain, key, value), REPOSITORY)


MODELS = sorted(file.stem for file in (REPOSITORY / "conf/model").glob("*.yaml"))


@pytest.mark.parametrize(
    "overrides",
    ["dataset=wine split=stratified", "dataset=diabetes", "+experiment=debug", "features=basic", *(f"model={name}" for name in MODELS)],
)  # fmt: skip
def test_every_choice_fits_the_schema(overrides: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    check_params(compose_conf(REPOSITORY, overrides.split()).values, REPOSITORY)


def test_a_stage_gets_what_it_asks_for_and_no_more(plain: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    (tmp_path / "params.yaml").write_text(
        OmegaConf.to_yaml(OmegaConf.create(changed(plain, "model", "broken")))
    )
    assert set(read_params(["split", "seed"], tmp_path)) == {"split", "seed"}
    with pytest.raises(UserError, match="model is 'broken'"):
        read_params(["model"], tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "params.yaml is missing. Run `git checkout params.yaml`"),
        ("a: [1\n", "params.yaml: this is not a YAML file that can be read"),
        ("- 1\n", "params.yaml: a mapping of keys to values is expected"),
        ("a: 1\n", "the section seed is missing"),
    ],
)
def test_a_missing_or_broken_file_is_named(tmp_path: Path, text: str | None, words: str) -> None:
    with pytest.raises(UserError, match="missing in .*, which is not the project's folder"):
        read_params(["seed"], tmp_path)
    (tmp_path / "conf").mkdir()
    if text:
        (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        read_params(["seed"], tmp_path)


def test_small_exponents_are_numbers_and_dates_are_text(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1e-5\nday: 2013-01-01\n")
    assert load_yaml(tmp_path / "x.yaml") == {"a": 1e-5, "day": "2013-01-01"}
