"""The search space says what jobs may hold; what no job could use is refused before the first one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, open_dict
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FixedTrial

from seedbed.errors import UserError
from seedbed.sweeps.objective import read_objectives
from seedbed.sweeps.snapshot import Sweep
from seedbed.sweeps.space import check_job, plan_grid, plan_models, read_space

from support import REPOSITORY


@pytest.fixture
def spaces(tmp_path: Path) -> Path:
    write_space(tmp_path, "linear", "model.C: interval(0, 1)\nmodel.size: range(3)\n")
    write_space(tmp_path, "forest", "model.size: range(10, 20)\n")
    return tmp_path


def write_space(conf: Path, model: str, text: str) -> None:
    (conf / "search").mkdir(exist_ok=True)
    (conf / "search" / f"{model}.yaml").write_text(text, encoding="utf-8")


def choose(conf: Path, typed: list[str], values: dict[str, Any], model: str) -> list[str]:
    return plan_models(typed, model, conf, "binary").job(FixedTrial(values))


@pytest.mark.parametrize(
    ("sweep", "expected", "chosen", "override"),
    [
        ("interval(0.2,1)", FloatDistribution(0.2, 1), 0.5, "0.5"),
        ("interval(1,10)", FloatDistribution(1, 10), 2.5, "2.5"),
        ("tag(log,interval(0.1,10))", FloatDistribution(0.1, 10, log=True), 0.1, "0.1"),
        ("int(interval(1,10))", IntDistribution(1, 10), 10, "10"),
        ("tag(log,int(interval(4,64)))", IntDistribution(4, 64, log=True), 4, "4"),
        ("range(5)", IntDistribution(0, 4), 0, "0"),
        ("range(50,300,100)", IntDistribution(50, 250, step=100), 150, "150"),
        ("range(10,0,-3)", IntDistribution(1, 10, step=3), 4, "4"),
        ("range(0,1,0.5)", CategoricalDistribution(("0.0", "0.5")), "0.5", "0.5"),
        ("choice([16],[32,16])", CategoricalDistribution(("[16]", "[32,16]")), "[16]", "[16]"),
        ("a,'ü'", CategoricalDistribution(("a", "'ü'")), "'ü'", "'ü'"),
        ("1,2", CategoricalDistribution(("1", "2")), "1", "1"),
    ],
)
def test_a_sweep_is_what_optuna_is_asked(
    tmp_path: Path, sweep: str, expected: BaseDistribution, chosen: Any, override: str
) -> None:
    trial = FixedTrial({"+key": chosen})
    job = plan_models([f"+key={sweep}", "x='a,b'"], "m", tmp_path, "binary").job(trial)
    assert job == ["x='a,b'", f"+key={override}"]
    assert trial.distributions == {"+key": expected}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("glob(*)", r"key=glob\(\*\): .* Write choice\(\.\.\.\)"),
        ("range(3,3)", r"key=range\(3,3\): this range holds no value"),
        ("interval(1,0)", r"key=interval\(1,0\): an interval goes from a number to a larger"),
        ("interval(0,inf)", r"key=interval\(0,inf\): an interval goes from a number to a larger"),
        ("tag(log,interval(0,1))", r"a logarithmic scale begins above 0, not at 0"),
        ("tag(log,int(interval(0.5,9)))", r"a logarithmic scale begins above 0, not at 0"),
    ],
)
def test_a_sweep_of_unknown_or_no_values_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(UserError, match=f"^key.*{message}|{message}"):
        plan_models([f"key={text}"], "m", tmp_path, "binary")
    write_space(tmp_path, "m", f"key: {text}\n")
    with pytest.raises(
        UserError, match=rf"search/m\.yaml: key={'.*'}{message.removeprefix('key=')}"
    ):
        read_space(tmp_path, "m", "binary")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("key: 3", "m.yaml: key: 3 is one value. Write choice"),
        ("key: null", "m.yaml: key: None is one value"),
        ("key: interval(", "m.yaml: key: 'interval(' cannot be read"),
        ("- interval(0, 1)", "m.yaml: a mapping of keys to values is expected here, not a list"),
        ("", "m.yaml: it holds nothing. Write lines such as"),
        ("key: [1, 2", "m.yaml: this is not a YAML file that can be read"),
    ],
)
def test_a_mistake_in_a_file_is_reported_with_the_file(
    tmp_path: Path, text: str, message: str
) -> None:
    write_space(tmp_path, "m", text)
    with pytest.raises(UserError) as error:
        read_space(tmp_path, "m", "binary")
    assert message in str(error.value)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_spaces_of_this_repository_can_be_searched(task: str) -> None:
    for file in (REPOSITORY / "conf/search").glob("*.yaml"):
        assert (REPOSITORY / "conf/model" / file.name).exists(), f"{file.name} is of no model"
        space = read_space(REPOSITORY / "conf", file.stem, task)
        assert space
        other = "classification" if task == "regression" else "regression"
        assert not [key for key in space if key.startswith(f"model.{other}.")]


@pytest.mark.parametrize(
    ("typed", "values", "model", "job"),
    [
        (["model=linear,forest"], {"model": "forest", "forest:model.size": 12}, "linear", ["model=forest", "model.size=12"]),
        (["model=linear,forest"], {"model": "linear", "linear:model.C": 0.5, "linear:model.size": 1}, "linear", ["model=linear", "model.C=0.5", "model.size=1"]),
        (["model=linear,dummy", "seed=1"], {"model": "dummy"}, "linear", ["seed=1", "model=dummy"]),
        (["seed=1,2"], {"seed": "2", "forest:model.size": 19}, "forest", ["seed=2", "model.size=19"]),
        (["model.size=range(5,9)"], {"model.size": 7, "linear:model.C": 0.25}, "linear", ["model.size=7", "model.C=0.25"]),
        (["++model.size=7"], {"linear:model.C": 0.25}, "linear", ["++model.size=7", "model.C=0.25"]),
        (["~model.size"], {"linear:model.C": 0.25}, "linear", ["~model.size", "model.C=0.25"]),
    ],
)  # fmt: skip
def test_a_trial_takes_the_space_of_its_model_after_what_is_typed(
    spaces: Path, typed: list[str], values: dict[str, Any], model: str, job: list[str]
) -> None:
    assert choose(spaces, typed, values, model) == job


@pytest.mark.parametrize(
    ("model", "arguments", "message"),
    [
        ("dummy", ["seed=1"], r"conf/search/dummy\.yaml, it does not exist"),
        ("forest", ["model.size=3"], r"conf/search/forest\.yaml, each of its keys has a value"),
    ],
)
def test_with_nothing_to_search_it_says_what_to_write(
    spaces: Path, model: str, arguments: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=f"nothing to search.*{message}.*'seed=range"):
        plan_models(arguments, model, spaces, "binary")


def test_the_examples_hold_each_key_of_each_model_and_each_choice(spaces: Path) -> None:
    typed = ["seed=range(1000)", "model=linear,forest", "features=a,b,c", "x=1"]
    own = {"linear": ["model.C=0.0", "model.size=0"], "forest": ["model.size=10"]}
    assert list(plan_models(typed, "linear", spaces, "binary").examples()) == [
        ["x=1", "seed=0", f"model={model}", f"features={features}", *words]
        for model, words in own.items()
        for features in "abc"
    ]


@pytest.mark.parametrize(
    ("task", "jobs"),
    [
        ([], 1),
        (["seed=1"], 1),
        (["model=mlp,dummy", "seed=range(3)", "x=[1,2]"], 6),
        (["x=choice([1],[2,3])", "y='a,b'"], 2),
        (["seed=range(0,10,5)", "~gate.thresholds"], 2),
        (["x=range(1,2,0.5)"], 2),
        (["model=glob(*)", "seed=1,2"], None),
    ],
)
def test_the_jobs_of_a_grid_are_counted(task: list[str], jobs: int | None) -> None:
    plan = plan_grid(task)
    assert (plan and plan.jobs) == jobs


@pytest.fixture
def hydra() -> Iterator[None]:
    """Hydra, as an application of it has begun."""
    with initialize_config_dir(str(REPOSITORY / "conf"), version_base=None):
        yield


def check_grid(*task: str, fixed: tuple[str, ...] = ()) -> None:
    """Check a grid as before its first job: Hydra composes without what is swept."""
    composed: DictConfig = compose("sweep", list(fixed), return_hydra_config=True)
    with open_dict(composed):
        composed.hydra.job.config_name = "sweep"
    names = tuple(one.name for one in read_objectives(composed, REPOSITORY))
    found = plan_grid([*fixed, *task])
    assert found is not None
    for job in found.examples():
        check_job(composed, job, Sweep(str(REPOSITORY), "b", "s", "t", "x", names))


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (["+foo=1", "seed=1,2"], "there is no such key as foo"),
        (["+model.x=1"], "model.x is not a known key"),
        (["seed=1,abc"], "seed is 'abc'"),
        (["model.arguments=???"], r"model.arguments is not set \(\?\?\?\)"),
        (["seed=range(3)", "split=time,group"], "columns.group is not set"),
        (["seed=${nowhere}"], r"seed is '\$\{nowhere\}'"),
        (
            ["model=nowhere,mlp"],
            r"^model=nowhere: this job cannot be composed: there is no conf/model/nowhere.yaml. Choose one of .*mlp",
        ),
        (["sed=1,2"], r"^sed=1: this job cannot be composed: .*sed"),
        (["dataset=flights,diabetes"], r"^dataset=diabetes is judged by cv\.rmse, and the sweep"),
    ],
)
def test_what_no_job_could_use_is_refused(hydra: None, task: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        check_grid(*task)


def test_what_jobs_can_use_is_let_through(hydra: None) -> None:
    check_grid("model=mlp,dummy", "seed=range(100)")
    check_grid("dataset=flights,wine", fixed=("sweep.objective=cv.log_loss",))
