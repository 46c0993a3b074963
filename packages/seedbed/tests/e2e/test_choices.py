"""Every choice that conf/ offers can be made, alone and in the named overlays."""

from itertools import takewhile
from pathlib import Path

import pytest

from seedbed.config.schema import Params
from seedbed.config.yaml_files import load_yaml

from support import EVERY_STAGE, REPOSITORY, composed, copy_repository, stages_in

CONF = REPOSITORY / "conf"


def names(folder: str) -> list[str]:
    return sorted(file.stem for file in (CONF / folder).glob("*.yaml"))


CHOICES = [
    (group.name, name)
    for group in sorted(CONF.iterdir())
    if group.name in Params.model_fields
    for name in names(group.name)
]
FILES = sorted(file.relative_to(CONF).as_posix() for file in CONF.rglob("*.yaml"))
ALSO = {
    **{
        name: ["source.path=somewhere"]
        for name in ("csv", "parquet", "excel", "json", "feather", "kafka")
    },
    "api": ["source.path=https://api.example.org/v1"],
    "sql": ["source.path=DATABASE_URL", "+source.options.table=flights"],
    "group": ["columns.group=tailnum"],
    # A gate or a suite goes with its dataset.
    **{name: [f"dataset={name}"] for name in names("dataset")},
}
"""What a choice leaves to the person (???), or is made for."""
COMMANDS = ("dvc exp run -S", "python -m seedbed.sweep", "hydra/sweeper=", "seedbed monitor")


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_a_choice_composes(group: str, name: str) -> None:
    params = composed(f"{group}={name}", *ALSO.get(name, []))
    chosen = getattr(params, group).model_dump()
    given = load_yaml(CONF / group / f"{name}.yaml")
    for key, value in given.get(group, given).items():
        if key in chosen and value != "???" and not isinstance(value, dict | list):
            assert chosen[key] == value, key


@pytest.mark.parametrize("dataset", names("dataset"))
def test_the_gate_asks_what_the_dataset_calls_success(dataset: str) -> None:
    params = composed(f"dataset={dataset}")
    assert set(params.gate.thresholds) == {params.problem.metric}
    assert f" {params.gate.thresholds[params.problem.metric]:g} " in params.problem.card[-1]


def test_a_space_to_search_is_named_after_a_model() -> None:
    assert set(names("search")) <= set(names("model"))


@pytest.mark.parametrize("name", names("experiment"))
def test_an_overlay_composes_and_changes_something(name: str) -> None:
    assert composed(f"+experiment={name}") != composed()


@pytest.mark.parametrize("name", FILES)
def test_a_file_opens_with_what_it_is_and_the_command_that_uses_it(name: str) -> None:
    text = (CONF / name).read_text(encoding="utf-8").removeprefix("# @package _global_\n")
    comment = "".join(takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True)))
    assert any(command in comment for command in COMMANDS)
    group, _, choice = name.removesuffix(".yaml").rpartition("/")
    assert group != "experiment" or f"+experiment={choice}" in comment


@pytest.mark.slow
def test_the_debug_overlay_runs_the_whole_graph(tmp_path: Path) -> None:
    project = copy_repository(tmp_path)
    project.run("seedbed", "compose", "--reset")
    printed = project.dvc("exp", "run", "--name", "look", "-S", "+experiment=debug")
    assert stages_in(printed) == EVERY_STAGE
    assert "sample: 5000" in project.experiment_file("look", "reports/overrides.yaml")
