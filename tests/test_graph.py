"""dvc.yaml says what the code does: parameters, dependencies, and nothing else."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from seedbed.graph import first_party_imports, stale_stages, update_graph

from support import REPOSITORY

STAGES = OmegaConf.to_container(OmegaConf.load(REPOSITORY / "dvc.yaml"))["stages"]  # type: ignore[index,call-overload]


def test_there_are_ten_stages_one_module_each() -> None:
    modules = {file.stem for file in (REPOSITORY / "src/seedbed/stages").glob("*.py")} - {"__init__", "run"}
    assert list(STAGES) == [
        "compose",
        "ingest",
        "validate",
        "explore",
        "clean",
        "featurize",
        "train",
        "evaluate",
        "gate",
        "package",
    ]
    assert modules == set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_declared_parameters_are_those_the_stage_reads(stage: str) -> None:
    function = getattr(import_module(f"seedbed.stages.{stage}"), stage)
    assert sorted(STAGES[stage].get("params", [])) == sorted(inspect.signature(function).parameters)


def test_declared_code_is_what_the_stages_import() -> None:
    assert stale_stages(REPOSITORY) == {}


def test_an_edit_of_how_models_are_trained_runs_no_stage_that_only_measures_them() -> None:
    for module in ("cross_validation", "training"):
        assert [name for name in STAGES if f"src/seedbed/models/{module}.py" in STAGES[name]["deps"]] == ["train"]


def test_other_packages_are_other_data_another_model_and_another_bundle() -> None:
    assert [name for name in STAGES if "requirements.lock" in STAGES[name]["deps"]] == ["ingest", "train", "package"]


def test_imports_inside_functions_and_of_packages_count(tmp_path: Path) -> None:
    package = tmp_path / "src/seedbed"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("'''doc'''\n")
    (package / "a.py").write_text("def f():\n    from seedbed import b\n")
    (package / "b.py").write_text("import importlib\nimportlib.import_module('seedbed.c')\n")
    (package / "c.py").write_text("import seedbed.d\n")
    (package / "d.py").write_text("")
    assert first_party_imports(tmp_path, "seedbed.a") == {
        f"src/seedbed/{name}.py" for name in ("__init__", "a", "b", "c")
    }


def test_updating_keeps_comments_and_data(tmp_path: Path) -> None:
    stages = tmp_path / "src/seedbed/stages"
    stages.mkdir(parents=True)
    (stages / "one.py").write_text("x = 1\n")
    (tmp_path / "dvc.yaml").write_text(
        "# a graph\nstages:\n  one:\n    cmd: sh src/stage.sh one\n    deps:\n      - src/gone.py\n      - data/raw\n    params: [a]\n"
    )
    assert update_graph(tmp_path) == ["one"]
    text = (tmp_path / "dvc.yaml").read_text()
    assert text.startswith("# a graph\n")
    assert "      - src/seedbed/stages/one.py\n      - src/stage.sh\n      - data/raw\n" in text
    assert update_graph(tmp_path) == []
