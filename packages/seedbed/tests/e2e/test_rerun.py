"""What runs again after a change: the stages that the change reaches, and nothing above them."""

import re
from collections.abc import Iterable
from modulefinder import ModuleFinder
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.config.fingerprints import find_code, stale_stages
from seedbed.config.imports import BEYOND_SERVING, SERVING

from support import EXPERIMENTS, Project, stages_in

FROM_TRAIN = ["compose", "train", "evaluate", "gate", "package"]
RUNNER = "src/stage.sh"
SOURCES = ("src", "packages/seedbed/src")
BY_NAME = {
    # Imported by their names, which no bytecode tells.
    "packages/seedbed/src/hydra_plugins/seedbed_conf_hash.py": ["compose"],
}
EXTENSIONS = {
    # Imported by those who import the module that looks for what they register.
    "src/project/features.py": "packages/seedbed/src/seedbed/data/features.py",
}


# What a test run, a type check, a build or a measured coverage leaves beside the code.
LEFT_BY_TOOLS = (
    "packages/seedbed/.hypothesis/constants/a",
    "packages/seedbed/.pytest_cache/v/a",
    "packages/seedbed/build/lib/seedbed/a.py",
    "packages/seedbed/src/seedbed.egg-info/PKG-INFO",
    "packages/seedbed/src/seedbed/__pycache__/a.pyc",
    "packages/seedbed/.coverage",
    "src/.hypothesis/constants/a",
    "src/.mypy_cache/a.json",
    "src/project/.ruff_cache/a",
    "src/project/.ipynb_checkpoints/a.py",
)


def importers(root: Path) -> dict[str, set[str]]:
    """Return for each module the stages that import it, found in their bytecode by the standard library.

    A module without code is left out: it cannot change what a stage does.
    """
    stages: dict[str, set[str]] = {
        file.relative_to(root).as_posix(): set(BY_NAME.get(file.relative_to(root).as_posix(), ()))
        for source in SOURCES
        for file in (root / source).rglob("*.py")
        if file.read_text(encoding="utf-8").strip()
    }
    sources = [str(root / source) for source in SOURCES]
    for stage in OmegaConf.load(root / "dvc.yaml").stages:
        finders = [ModuleFinder(path=sources)]
        finders[0].run_script(str(root / f"src/project/stages/{stage}.py"))
        if stage == "package":  # what a bundle brings with it is read there, and never imported
            finders.append(ModuleFinder(path=sources, excludes=[*BEYOND_SERVING]))
            for name in SERVING:
                finders[1].import_hook(name)
        stages["src/project/__init__.py"].add(stage)  # the package that the script is in
        for module in (module for finder in finders for module in finder.modules.values()):
            name = Path(module.__file__).relative_to(root).as_posix() if module.__file__ else ""
            if name in stages:
                stages[name].add(stage)
    for name, finder_of in EXTENSIONS.items():
        stages[name] |= stages[finder_of]
    for users in stages.values():
        users.discard("code")  # which runs after every edit
    return stages


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_a_choice_of_training_runs_train_and_what_follows(explored: Path, name: str) -> None:
    assert stages_in((explored.parent / f"{name}.log").read_text(encoding="utf-8")) == FROM_TRAIN


@pytest.mark.slow
def test_an_edit_of_a_models_file_runs_train_and_what_follows(project: Project) -> None:
    project.edit(
        "conf/model/hist_gradient_boosting.yaml", "learning_rate: ", "learning_rate: 0.005  # not "
    )
    assert project.stages_run() == FROM_TRAIN
    assert "learning_rate: 0.005\n" in (project.root / "params.yaml").read_text(encoding="utf-8")
    assert project.stages_run() == []


def stale(project: Project) -> dict[str, list[str]]:
    """Return the stages whose code is not that of code.yaml, with the files that changed."""
    return stale_stages(find_code(project.root), project.root / "code.yaml")


@pytest.mark.slow
def test_an_edit_of_a_module_is_an_edit_of_the_stages_that_import_it(project: Project) -> None:
    expected = importers(project.root)
    expected[RUNNER] = {*OmegaConf.load(project.root / "dvc.yaml").stages} - {"code"}
    assert sum(map(bool, expected.values())) > 40
    before = {name: (project.root / name).read_bytes() for name in expected}

    def edit(names: Iterable[str]) -> dict[str, list[str]]:
        for name, content in before.items():
            text = content + b"# edited\n" if name in names else content
            (project.root / name).write_bytes(text)
        return stale(project)

    # All at once, and alone one of each set of modules that the same stages import.
    changed = edit(expected)
    parts = {name: re.sub(r"^(packages/seedbed/)?src/(?=\w+/)", "", name) for name in expected}
    found = {
        name: {stage for stage in changed if parts[name] in changed[stage]} for name in expected
    }
    assert found == expected
    for name in {frozenset(users): name for name, users in expected.items()}.values():
        assert edit([name]) == {stage: [parts[name]] for stage in expected[name]}
    assert edit([]) == {}


def test_a_new_file_among_the_sources_is_seen(project: Project) -> None:
    (project.root / "data/source/flights.csv").write_text("year\n2013\n")
    assert project.stages_run() == ["ingest"]


def test_an_edit_of_a_module_runs_the_stages_that_import_it(project: Project) -> None:
    file = project.root / "packages/seedbed/src/seedbed/data/cleaning.py"
    file.write_text(file.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    # What clean writes stays the same, so featurize and those after it have nothing to do.
    printed = project.run("seedbed", "status").stdout
    assert "stale: clean, gate, package (seedbed/data/cleaning.py)" in printed
    assert project.stages_run() == ["code", "clean", "gate", "package"]
    assert project.git("status", "--porcelain").split() == [
        "M", "code.yaml", "M", "dvc.lock", "M", "packages/seedbed/src/seedbed/data/cleaning.py"
    ]  # fmt: skip


def test_an_edit_that_no_stage_reads_runs_nothing(project: Project) -> None:
    def edit(*files: str) -> None:
        for file in files:
            with (project.root / file).open("a", encoding="utf-8") as opened:
                opened.write("# edited\n")

    edit("README.md", "packages/seedbed/tests/conftest.py", "Makefile", "notebooks/note.txt")
    for left in LEFT_BY_TOOLS:
        file = project.root / left
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text("left by a tool\n")
    assert project.stages_run() == []
    edit("packages/seedbed/src/seedbed/workbench.py", "pyproject.toml")
    assert project.stages_run() == ["code"]
