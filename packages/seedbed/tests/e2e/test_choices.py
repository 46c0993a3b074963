"""Every choice that conf/ offers can be made, alone and in the named overlays."""

from pathlib import Path

import pytest

from seedbed.config.schema import Params
from seedbed.config.yaml_files import load_yaml
from seedbed.errors import UserError

from support import EVERY_STAGE, REPOSITORY, Project, composed, copy_repository, stages_in

GROUPS = sorted(folder.name for folder in (REPOSITORY / "conf").iterdir() if folder.is_dir())
CHOICES = [
    (group, file.stem)
    for group in GROUPS
    if group in Params.model_fields
    for file in sorted((REPOSITORY / "conf" / group).glob("*.yaml"))
]
EXPERIMENTS = sorted(file.stem for file in (REPOSITORY / "conf/experiment").glob("*.yaml"))
FILES = sorted(
    file.relative_to(REPOSITORY / "conf").as_posix()
    for file in (REPOSITORY / "conf").rglob("*.yaml")
)
ALSO = {"csv": ["source.path=somewhere"], "parquet": ["source.path=somewhere"]}
"""What a choice leaves to the person (???)."""


@pytest.fixture(autouse=True)
def inside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)


@pytest.mark.parametrize(("group", "name"), CHOICES)
def test_a_choice_composes(group: str, name: str) -> None:
    if (group, name) == ("split", "group"):
        with pytest.raises(UserError, match=r"columns\.group is not set .*-S columns\.group="):
            composed("split=group")
        composed("split=group", "columns.group=tailnum")
        return
    also = (
        [f"dataset={name}"] if ("dataset", name) in CHOICES else ALSO.get(name, [])
    )  # a gate or a suite goes with its dataset
    params = composed(f"{group}={name}", *also)
    chosen = getattr(params, group).model_dump()
    given = load_yaml(REPOSITORY / "conf" / group / f"{name}.yaml")
    given = given.get(group, {}) if group in given else given
    given = {
        key: value
        for key, value in given.items()
        if value != "???" and not isinstance(value, dict | list)
    }
    assert {key: chosen[key] for key in given} == given


@pytest.mark.parametrize("model", [name for group, name in CHOICES if group == "model"])
@pytest.mark.parametrize("dataset", [name for group, name in CHOICES if group == "dataset"])
def test_a_model_goes_with_every_dataset(dataset: str, model: str) -> None:
    params = composed(f"dataset={dataset}", f"model={model}")
    assert (params.dataset.name, params.model.name) == (dataset, model)


@pytest.mark.parametrize("dataset", [name for group, name in CHOICES if group == "dataset"])
def test_the_gate_asks_what_the_dataset_calls_success(dataset: str) -> None:
    params = composed(f"dataset={dataset}")
    assert set(params.gate.thresholds) == {params.problem.metric}
    assert f" {params.gate.thresholds[params.problem.metric]:g} " in params.problem.card[-1]


def test_a_space_to_search_is_named_after_a_model() -> None:
    spaces = {file.stem for file in (REPOSITORY / "conf/search").glob("*.yaml")}
    assert spaces <= {name for group, name in CHOICES if group == "model"}


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_overlay_composes_and_changes_something(name: str) -> None:
    assert composed(f"+experiment={name}") != composed()


@pytest.mark.parametrize("name", FILES)
def test_a_file_opens_with_what_it_is_and_the_command_that_uses_it(name: str) -> None:
    lines = (REPOSITORY / "conf" / name).read_text(encoding="utf-8").splitlines()
    comment = []
    for line in lines[lines[0].startswith("# @package") :]:
        if not line.startswith("#"):
            break
        comment.append(line)
    said = " ".join(comment)
    assert any(
        command in said
        for command in ("dvc exp run -S", "python -m seedbed.sweep", "hydra/sweeper=")
    )
    group, _, choice = name.removesuffix(".yaml").rpartition("/")
    if group == "experiment":
        assert f"+experiment={choice}" in said


@pytest.mark.slow
def test_the_debug_overlay_runs_the_whole_graph(tmp_path: Path) -> None:
    project: Project = copy_repository(tmp_path)
    project.run("seedbed", "compose", "--reset")
    said = project.dvc("exp", "run", "--name", "look", "-S", "+experiment=debug")
    assert stages_in(said) == EVERY_STAGE
    assert (
        project.experiment_file("look", "reports/overrides.yaml").count("dataset.sample: 5000") == 1
    )
