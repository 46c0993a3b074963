"""A search tries what Hydra's words for sweeps say, and each of several models only what its own file says."""

from pathlib import Path
from typing import Any

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FixedTrial

from seedbed.errors import UserError
from seedbed.sweeps.space import Dimension, make_plan, read_space, split_overrides

from support import REPOSITORY


def dimension(text: str) -> Dimension:
    _, (found,) = split_overrides([text])
    return found


def write_space(conf: Path, model: str, text: str) -> None:
    (conf / "search").mkdir(exist_ok=True)
    (conf / "search" / f"{model}.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("sweep", "expected", "chosen", "override"),
    [
        ("interval(0.2,1)", FloatDistribution(0.2, 1), 0.5, "0.5"),
        ("interval(1,10)", FloatDistribution(1, 10), 2.5, "2.5"),
        ("tag(log,interval(0.1,10))", FloatDistribution(0.1, 10, log=True), 0.1, "0.1"),
        ("int(interval(1,10))", IntDistribution(1, 10), 10, "10"),
        ("tag(log,int(interval(4,64)))", IntDistribution(4, 64, log=True), 4, "4"),
        ("range(5)", IntDistribution(0, 4), 0, "0"),
        ("range(50,301,50)", IntDistribution(50, 300, step=50), 300, "300"),
        ("range(50,300,100)", IntDistribution(50, 250, step=100), 150, "150"),
        ("range(10,0,-3)", IntDistribution(1, 10, step=3), 4, "4"),
        ("range(0,1,0.5)", CategoricalDistribution(("0.0", "0.5")), "0.5", "0.5"),
        (
            "choice([16],[32,16])",
            CategoricalDistribution(("[16]", "[32,16]")),
            "[32,16]",
            "[32,16]",
        ),
        ("a,b", CategoricalDistribution(("a", "b")), "b", "b"),
        ("1,2", CategoricalDistribution(("1", "2")), "1", "1"),
    ],
)
def test_a_sweep_is_what_optuna_is_asked(
    sweep: str, expected: BaseDistribution, chosen: Any, override: str
) -> None:
    trial = FixedTrial({"key": chosen})
    assert dimension(f"key={sweep}").suggest(trial) == f"key={override}"
    assert trial.distributions == {"key": expected}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model=glob(*)", r"model=glob\(\*\): .* Write choice\(\.\.\.\)"),
        ("seed=range(3,3)", r"seed=range\(3,3\): this range holds no value"),
        (
            "a=interval(1,0)",
            r"a=interval\(1,0\): this goes from no number to a larger one. Write it as in interval",
        ),
        ("a=interval(0,inf)", r"a=interval\(0,inf\): this goes from no number to a larger one"),
        (
            "a=tag(log,interval(0,1))",
            r"a=tag\(log,interval\(0,1\)\): a logarithmic scale has no 0.* above 0",
        ),
        ("a=tag(log,int(interval(0.5,9)))", r"a logarithmic scale has no 0\."),
    ],
)
def test_a_sweep_of_unknown_or_no_values_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        split_overrides([text])


def test_what_is_no_sweep_is_the_same_for_all_jobs() -> None:
    fixed, searched = split_overrides(
        ["model=mlp", "seed=1,2", "~gate.thresholds", "+a.b='x,y'", "c=[1,2]", "d=range(3)"]
    )
    assert fixed == ["model=mlp", "~gate.thresholds", "+a.b='x,y'", "c=[1,2]"]
    assert [one.key for one in searched] == ["seed", "d"]


def test_an_override_that_adds_a_key_still_adds_it() -> None:
    assert dimension("+x=1,2").suggest(FixedTrial({"+x": "1"})) == "+x=1"


def test_a_model_without_a_file_has_an_empty_space(tmp_path: Path) -> None:
    assert read_space(tmp_path, "dummy", "binary") == []


@pytest.mark.parametrize(
    ("task", "keys"),
    [
        ("binary", ["model.classification.C", "model.depth"]),
        ("multiclass", ["model.classification.C", "model.depth"]),
        ("regression", ["model.regression.alpha", "model.depth"]),
    ],
)
def test_keys_of_the_other_kind_of_task_are_passed_over(
    tmp_path: Path, task: str, keys: list[str]
) -> None:
    write_space(
        tmp_path,
        "m",
        "model.classification.C: 1,2\nmodel.regression.alpha: interval(0, 1)\nmodel.depth: range(9)\n",
    )
    assert [one.key for one in read_space(tmp_path, "m", task)] == keys


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key: 3", "m.yaml: key: 3 is one value. Write choice"),
        ("key: null", "m.yaml: key: None is one value"),
        ("key: interval(1)", "m.yaml: key: 'interval(1)' cannot be read"),
        ("key: interval(", "m.yaml: key: 'interval(' cannot be read"),
        ("key: glob(*)", "m.yaml: key=glob(*): a search needs the names themselves"),
        (
            "key: interval(1, 0)",
            "m.yaml: key=interval(1, 0): this goes from no number to a larger one",
        ),
        (
            "key: tag(log, interval(0, 1))",
            "m.yaml: key=tag(log, interval(0, 1)): a logarithmic scale has no 0",
        ),
        ("- interval(0, 1)", "m.yaml: a mapping of keys to values is expected here, not a list"),
        ("", "m.yaml: it must hold lines"),
        ("key: [1, 2", "m.yaml: this is not a YAML file that can be read"),
    ],
)
def test_a_mistake_in_a_space_is_told_with_its_file(tmp_path: Path, text: str, said: str) -> None:
    write_space(tmp_path, "m", text)
    with pytest.raises(UserError) as told:
        read_space(tmp_path, "m", "binary")
    assert said in str(told.value)


@pytest.mark.parametrize(
    "file", sorted((REPOSITORY / "conf/search").glob("*.yaml")), ids=lambda file: file.stem
)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_spaces_of_this_repository_can_be_searched(file: Path, task: str) -> None:
    found = read_space(REPOSITORY / "conf", file.stem, task)
    assert found
    assert (REPOSITORY / "conf/model" / file.name).exists(), (
        f"{file.name} is of a model that is not there"
    )


@pytest.fixture
def spaces(tmp_path: Path) -> Path:
    write_space(tmp_path, "linear", "model.C: interval(0, 1)\nmodel.size: range(3)\n")
    write_space(tmp_path, "forest", "model.size: range(10, 20)\n")
    return tmp_path


def choose(
    conf: Path, arguments: list[str], values: dict[str, Any], default: str = "linear"
) -> list[str]:
    return make_plan(arguments, default, conf, "binary").job(FixedTrial(values))


def test_a_trial_takes_the_space_of_the_model_it_has_chosen(spaces: Path) -> None:
    values = {
        "model": "forest",
        "forest:model.size": 12,
        "linear:model.C": 0.5,
        "linear:model.size": 1,
    }
    assert choose(spaces, ["model=linear,forest"], values) == ["model=forest", "model.size=12"]
    values["model"] = "linear"
    assert choose(spaces, ["model=linear,forest"], values) == [
        "model=linear",
        "model.C=0.5",
        "model.size=1",
    ]
    assert choose(spaces, ["model=linear,dummy", "seed=1"], {"model": "dummy"}) == [
        "seed=1",
        "model=dummy",
    ]


def test_without_a_choice_of_models_the_composed_one_counts(spaces: Path) -> None:
    assert choose(spaces, ["seed=1,2"], {"seed": "2", "forest:model.size": 19}, "forest") == [
        "seed=2",
        "model.size=19",
    ]


@pytest.mark.parametrize(
    ("typed", "job"),
    [
        ("model.size=range(5,9)", ["model.size=7", "model.C=0.25"]),
        ("model.size=7", ["model.size=7", "model.C=0.25"]),
        ("++model.size=7", ["++model.size=7", "model.C=0.25"]),
        ("~model.size", ["~model.size", "model.C=0.25"]),
    ],
)
def test_what_the_command_line_says_of_a_key_goes_before_the_file(
    spaces: Path, typed: str, job: list[str]
) -> None:
    assert choose(spaces, [typed], {"model.size": 7, "linear:model.C": 0.25}) == job


def test_a_space_that_is_edited_in_the_middle_of_a_sweep_stays_what_it_was(spaces: Path) -> None:
    plan = make_plan(["model.size=1"], "linear", spaces, "binary")
    write_space(spaces, "linear", "model.other: interval(0, 1)\n")
    assert plan.job(FixedTrial({"linear:model.C": 0.5})) == ["model.size=1", "model.C=0.5"]


@pytest.mark.parametrize(
    ("model", "arguments", "said"),
    [
        (
            "dummy",
            ["seed=1"],
            r"nothing to search: model=dummy has no conf/search/dummy\.yaml, and no override is a sweep",
        ),
        (
            "forest",
            ["model.size=3"],
            r"nothing to search: each key of conf/search/forest\.yaml has its value on the command",
        ),
    ],
)
def test_with_nothing_to_search_it_says_what_to_write(
    spaces: Path, model: str, arguments: list[str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        make_plan(arguments, model, spaces, "binary")


def test_the_examples_hold_each_key_of_each_model_and_each_choice(spaces: Path) -> None:
    plan = make_plan(
        ["seed=range(1000)", "model=linear,forest", "features=a,b,c", "x=1"],
        "linear",
        spaces,
        "binary",
    )
    assert list(plan.examples()) == [
        (model, ["x=1", "seed=0", f"model={model}", f"features={features}", *own])
        for model, own in {
            "linear": ["model.C=0.0", "model.size=0"],
            "forest": ["model.size=10"],
        }.items()
        for features in "abc"
    ]
