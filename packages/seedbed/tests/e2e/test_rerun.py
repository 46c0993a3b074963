"""What runs again after a change: the stages that the change reaches, and nothing above them."""

import json
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from support import EXPERIMENTS, Project, stages_in

FROM_TRAIN = ["compose", "train", "evaluate", "gate", "package"]


def importers(root: Path) -> dict[str, set[str]]:
    """Return for each module the stages that import it, found in their bytecode by the standard library.

    A module without code is left out: it cannot change what a stage does.
    """
    stages: dict[str, set[str]] = {
        file.relative_to(root).as_posix(): set()
        for file in (root / "src").rglob("*.py")
        if file.read_text(encoding="utf-8").strip()
    }
    for stage in OmegaConf.load(root / "dvc.yaml").stages:
        finder = ModuleFinder(path=[str(root / "src")])
        finder.run_script(str(root / f"src/project/stages/{stage}.py"))
        for module in finder.modules.values():
            name = Path(module.__file__).relative_to(root).as_posix() if module.__file__ else ""
            if name in stages:
                stages[name].add(stage)
    # compose imports the resolver by its name, which no bytecode tells.
    stages["packages/seedbed/src/hydra_plugins/seedbed_conf_hash.py"].add("compose")
    return stages


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_choice_of_training_runs_train_and_what_follows(explored: Path, name: str) -> None:
    assert stages_in((explored.parent / f"{name}.log").read_text(encoding="utf-8")) == FROM_TRAIN


def test_an_edit_of_a_models_file_runs_train_and_what_follows(project: Project) -> None:
    project.edit(
        "conf/model/hist_gradient_boosting.yaml", "learning_rate: ", "learning_rate: 0.005  # not "
    )
    assert project.stages_run() == FROM_TRAIN
    assert "learning_rate: 0.005\n" in (project.root / "params.yaml").read_text(encoding="utf-8")
    assert project.stages_run() == []


def test_an_edit_of_a_module_is_an_edit_of_the_stages_that_import_it(project: Project) -> None:
    expected = importers(project.root)
    for name in [*expected, "src/stage.sh"]:
        with (project.root / name).open("a", encoding="utf-8") as module:
            module.write("# edited\n")
    # All are edited at once: DVC names for each stage the files by which it has changed.
    status = json.loads(project.dvc("status", "--json"))
    found: dict[str, set[str]] = {name: set() for name in [*expected, "src/stage.sh"]}
    for stage, changes in status.items():
        for name in changes[0]["changed deps"]:
            found[name].add(stage)
    assert len(found.pop("src/stage.sh")) == 10
    wrong = {
        name: (found[name], expected[name]) for name in expected if found[name] != expected[name]
    }
    assert wrong == {}, "module: (stages that DVC would run, stages that import it)"
    assert sum(map(bool, found.values())) > 40


def test_a_new_file_among_the_sources_is_seen(project: Project) -> None:
    (project.root / "data/source/flights.csv").write_text("year\n2013\n")
    assert project.stages_run() == ["ingest"]


def test_an_edit_of_a_module_runs_the_stages_that_import_it(project: Project) -> None:
    file = project.root / "packages/seedbed/src/seedbed/data/cleaning.py"
    file.write_text(file.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    # What clean writes stays the same, so featurize and those after it have nothing to do; gate and package import it.
    assert project.stages_run() == ["clean", "gate", "package"]
    assert (
        project.git("status", "--porcelain")
        == "M dvc.lock\n M packages/seedbed/src/seedbed/data/cleaning.py"
    )


def test_an_edit_that_no_stage_reads_runs_nothing(project: Project) -> None:
    for file in (
        "README.md",
        "packages/seedbed/src/seedbed/workbench.py",
        "tests/conftest.py",
        "Makefile",
        "notebooks/note.txt",
    ):
        with (project.root / file).open("a", encoding="utf-8") as opened:
            opened.write("# edited\n")
    assert project.stages_run() == []
