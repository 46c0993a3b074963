"""A stage is handed the parameters it names, and a person's mistake is one paragraph."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from seedbed.config.schema import Dataset, Table
from seedbed.errors import UserError
from seedbed.stages import _with_file, load_stage, stage

from support import REPOSITORY

PARAMS = """\
seed: 3
split: {kind: random, validation: 0.2, test: 0.2, folds: 2, seed: 0}
model: broken
"""
HEAD = """\
from seedbed.errors import UserError
from seedbed.stages import stage
"""
CHURN = "[tool.seedbed]\npackage = 'churn'\n"
WORK, SETTINGS = "src/project/stages/work.py", "pyproject.toml, [tool.seedbed]"


def run(root: Path, name: str, code: str | None, settings: str = "") -> tuple[int, str]:
    """Run a stage of a project that holds nothing else; return exit code and output."""
    package = "churn" if "churn" in settings else "project"
    stages = root / "src" / package / "stages"
    stages.mkdir(parents=True)
    (stages.parent / "__init__.py").touch()
    (root / "conf").mkdir()
    (root / "params.yaml").write_text(PARAMS, encoding="utf-8")
    (root / "pyproject.toml").write_text(settings, encoding="utf-8")
    if code is not None:
        (stages / f"{name}.py").write_text(HEAD + code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "seedbed.stages", name],
        cwd=root,
        env={"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("code", "settings", "output"),
    [
        ("@stage\ndef work(split, seed):\n    print(split.kind, split.folds, seed)\n", "", "random 2 3\n"),
        ("@stage\ndef another_name():\n    print('done')\n", "", "done\n"),
        ("from churn import stages\n@stage\ndef work(seed):\n    print(stages.__name__)\n", CHURN, "churn.stages\n"),
    ],
    ids=["arguments", "no arguments", "package of another name"],
)  # fmt: skip
def test_a_stage_gets_what_its_arguments_name(
    tmp_path: Path, code: str, settings: str, output: str
) -> None:
    assert run(tmp_path, "work", code, settings) == (0, output)


@pytest.mark.parametrize(
    ("code", "settings", "message"),
    [
        ("@stage\ndef work(model): ...\n", "", "params.yaml: model is 'broken'"),
        ("@stage\ndef work(gate): ...\n", "", "params.yaml: the section gate is missing"),
        ("@stage\ndef work(sede): ...\n", "", "the stage asks for sede, which is no section of params.yaml (did you mean seed?)"),
        ("@stage\ndef work(seed):\n    raise UserError(f'row 7 is wrong ({seed}).')\n", "", "row 7 is wrong (3)."),
        (None, "", "there is no stage work: src/project/stages/work.py is missing."),
        ("", "", f"{WORK}: no function is marked with @stage."),
        ("import pandsa\n", "", f"{WORK}, line 3: ModuleNotFoundError: No module named 'pandsa'"),
        ("def work(:\n", "", f"{WORK}, line 3: SyntaxError: invalid syntax"),
        ("1 / 0\n", "", f"{WORK}, line 3: ZeroDivisionError"),
        ("@stage\ndef one(): ...\n@stage\ndef two(): ...\n", "", f"{WORK}, line 5: both one and two are marked with @stage"),
        ("", "[tool.seedbed]\npakage = 'churn'\n", f"{SETTINGS} pakage: there is no such key (did you mean package?)"),
        ("", "[tool.seedbed]\npackage = 'my churn'\n", f"{SETTINGS} package is 'my churn': write the name"),
        ("", "[tool.seedbed]\ntargets = 'lightgbm'\n", f"{SETTINGS} targets is 'lightgbm': write a list of names, such as ['lightgbm']"),
        ("", "[tool.seedbed]\ntargets = ['*']\n", f"{SETTINGS} targets is ['*']: write a list of names"),
        ("", "[tool.seedbed]\ntrusted = ['']\n", f"{SETTINGS} trusted is ['']: write a list of names, such as ['lightgbm.sk"),
        ("", "[tool]\nseedbed = 1\n", "pyproject.toml: tool.seedbed is 1: write a table"),
        ("", "[tool.seedbed\n", "pyproject.toml: this is not TOML"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_paragraph_and_exit_code_1(
    tmp_path: Path, code: str | None, settings: str, message: str
) -> None:
    exit_code, output = run(tmp_path, "work", code, settings)
    assert exit_code == 1
    assert output.startswith(f"work: {message}")
    assert output.count("\n") == 1


def test_without_an_environment_the_remedy_is_one_sentence(tmp_path: Path) -> None:
    venv.create(tmp_path / "other", with_pip=False)  # a python that lacks what stages import
    done = subprocess.run(
        ["sh", REPOSITORY / "src/stage.sh", "clean"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}/other/bin:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        "clean: there is no .venv, so the stage finds no packages: run `make setup`.\n"
    )


def test_an_error_in_the_work_itself_has_a_traceback(tmp_path: Path) -> None:
    exit_code, output = run(tmp_path, "work", "@stage\ndef work(seed):\n    return seed['a']\n")
    assert exit_code == 1
    assert "Traceback" in output
    assert "work.py" in output


def test_an_error_in_a_thread_ends_in_the_line_where_it_happened(tmp_path: Path) -> None:
    code = (
        "import joblib\ndef fit(row):\n    raise RuntimeError('no')\n"
        "@stage\ndef work(seed):\n"
        "    joblib.Parallel(2, backend='threading')(joblib.delayed(fit)(row) for row in range(3))\n"
    )
    exit_code, output = run(tmp_path, "work", code)
    assert exit_code == 1
    assert output.startswith("Traceback")
    assert output.splitlines()[-3].endswith('work.py", line 5, in fit')
    assert output.splitlines()[-1] == "RuntimeError: no"


def test_a_package_that_is_not_there_is_named_with_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text(CHURN, encoding="utf-8")
    words = r"pyproject\.toml, \[tool\.seedbed\] package is 'churn', and there is no src/churn\."
    with pytest.raises(UserError, match=words):
        load_stage("clean")


def test_a_module_holds_one_stage() -> None:
    def one() -> None: ...

    def two() -> None: ...

    stage(one)
    assert stage(one) is one, "a module may be imported again"
    with pytest.raises(UserError, match="both one and two are marked with @stage"):
        stage(two)


@pytest.mark.parametrize(
    ("names", "file"),
    [
        ({"rents": "rents"}, "conf/dataset/rents.yaml"),
        ({"cities": "rents", "flights": "flights"}, "conf/dataset/cities.yaml"),
        ({"rents": "rents", "rents_2024": "rents"}, "the conf/dataset file"),
        ({"flights": "flights"}, "the conf/dataset file"),
    ],
    ids=["of its name", "of another name", "two of one name", "none"],
)
def test_a_message_names_the_file_of_the_dataset_where_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: dict[str, str], file: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf/dataset").mkdir(parents=True)
    for stem, name in names.items():
        Path(f"conf/dataset/{stem}.yaml").write_text(f"dataset: {{name: {name}}}\n", "utf-8")
    found = composed_dataset("rents")
    monkeypatch.setattr("seedbed.stages.read_params", lambda asked: {"dataset": found})
    assert _with_file("Edit the conf/dataset file.") == f"Edit {file}."


def composed_dataset(name: str) -> Dataset:
    return Dataset(name=name, tables=[Table(name=name)])
