"""The `seedbed` command prints what it did, and a person's mistake as one paragraph."""

import re
import sqlite3
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seedbed.cli.main import app, main
from seedbed.cli.serving import name_flags
from seedbed.config.compose import compose_text

from support import Project, copy_repository


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this repository, whose graph was not run, as the working directory."""
    folder = tmp_path / "root"
    folder.mkdir()
    copy_repository(folder)
    monkeypatch.chdir(folder)
    return folder


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_compose_says_what_it_did_and_what_it_dropped(root: Path) -> None:
    assert call("compose", "--reset").output == "params.yaml was composed from conf/\n"
    assert call("compose").output == "params.yaml is in step with conf/\n"
    (root / "params.yaml").write_text(compose_text(root, ["seed=7"]), encoding="utf-8")
    assert call("compose").output == "params.yaml is in step with conf/\n"
    done = call("compose", "--reset")
    assert done.output == "params.yaml was composed from conf/\ndropped: seed=7\n"
    assert "\nseed: 0\n" in (root / "params.yaml").read_text(encoding="utf-8")


def test_the_version_is_that_of_the_package() -> None:
    assert call("--version").output == f"{version('seedbed')}\n"


def test_doctor_tells_then_mends(root: Path) -> None:
    assert call("doctor").output == "nothing to mend\n"
    Project(root).git("update-ref", "refs/exps/exec/EXEC_MERGE", "HEAD")
    found = call("doctor")
    assert "refs/exps/exec/EXEC_MERGE" in found.output
    assert found.exit_code == 1
    done = call("doctor", "--mend")
    assert done.output == "removed refs/exps/exec/EXEC_MERGE\n"
    assert done.exit_code == 0
    assert call("doctor").output == "nothing to mend\n"


def test_status_names_what_made_a_stage_stale(project: Project) -> None:
    done = project.run("seedbed", "status").stdout
    assert done.startswith("every stage runs the code that code.yaml records\n")
    assert "Data and pipelines are up to date." in done
    edited = project.root / "packages/seedbed/src/seedbed/data/cleaning.py"
    edited.write_text(f"{edited.read_text(encoding='utf-8')}\nx = 1\n", encoding="utf-8")
    project.edit("requirements.lock", "pandas==3", "pandas==33")
    lines = project.run("seedbed", "status").stdout.splitlines()
    assert "stale: evaluate, explore, featurize, ingest, train, validate (pandas)" in lines
    assert "stale: clean, gate, package (pandas, seedbed/data/cleaning.py)" in lines
    assert "code:" in lines, "the output of dvc status follows"


def test_check_fails_where_something_is_out_of_step(root: Path) -> None:
    (root / "requirements.lock").unlink()
    done = call("check")
    assert done.exit_code == 1
    assert "requirements.lock is missing: run `make lock`." in done.output


def test_check_says_that_all_is_in_step(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    done = call("check")
    assert done.output == "params.yaml, code.yaml, dvc.lock and requirements.lock are in step\n"
    assert done.exit_code == 0


def test_outside_a_repository_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["seedbed", "compose"])
    with pytest.raises(SystemExit, match=r"seedbed: .*Call this inside the project\."):
        main()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("dataset", "add", "rows.csv", "--option", "separator=,"),
            "Here that is --option separator=...",
        ),
        (
            ("dataset", "add", "rows.csv", "--option", "encoding=utf-9"),
            "--option encoding is 'utf-9':",
        ),
        (
            ("dataset", "add", "cp1252.csv", "--option", "encoding=utf-8"),
            "Here that is --option encoding=...",
        ),
        (
            ("dataset", "add", "sqlite:///rows.sqlite", "--query", "SELECT 1 AS t"),
            "Edit the conf/source or conf/dataset file. Here that is --query",
        ),
        (
            ("dataset", "add", "sqlite:///rows.sqlite", "--table", "row"),
            "there is no table row. Correct dataset.tables or source.options.table. Here that is "
            "--table",
        ),
    ],
)
def test_a_mistake_in_a_flag_names_the_flag(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], words: str
) -> None:
    Path("rows.csv").write_text("a;b;t\n1;2;3\n4;5;6\n", encoding="utf-8")
    Path("cp1252.csv").write_text("a,b,t\nä,2,3\n4,5,6\n", encoding="cp1252")
    sqlite3.connect("rows.sqlite").close()
    monkeypatch.setattr(sys, "argv", ["seedbed", *arguments, "--target", "t"])
    with pytest.raises(SystemExit) as refused:
        main()
    assert str(refused.value).endswith(words) or f"{words} " in str(refused.value)


@pytest.mark.parametrize(
    ("command", "flag"),
    [("score", "--query"), ("monitor", "--option query=..."), ("outcomes", "--option query=...")],
)
def test_a_command_names_only_the_flags_that_it_has(command: str, flag: str) -> None:
    message = "source.options.query has no ORDER BY."
    assert name_flags(message, command) == f"{message} Here that is {flag}"
    assert name_flags(message, "repro") == message


@pytest.mark.parametrize(
    ("given", "large"),
    [
        ("small.csv", ""),
        ("rows.csv", "data/source/rows.csv"),
        ("many/*.csv", "data/source/many"),
        ("many", "data/source/many"),
        ("small.csv --table other=wide.csv --join small.a=other.a", "data/source/small"),
        ("data/source/there.csv", "data/source/there.csv"),
    ],
)
def test_what_is_too_large_for_git_goes_to_dvc(root: Path, given: str, large: str) -> None:
    for folder in ("many", "data/source"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    row, names = "".join(f"{row % 7},{row % 2}\n" for row in range(14)), "a,t\n"
    for file in ("rows.csv", "many/x.csv", "data/source/there.csv"):
        Path(file).write_text(names + row * 12_000, encoding="utf-8")
    for file in ("small.csv", "many/y.csv"):
        Path(file).write_text(names + row * 30, encoding="utf-8")
    wide = "".join(f"{row % 7},{row * 37 % 1000}\n" for row in range(100_000))
    Path("wide.csv").write_text(f"a,b\n{wide}", encoding="utf-8")
    done = call("dataset", "add", *given.split(), "--target", "t")
    assert done.exit_code == 0, done.output
    said = re.findall(r"^before `git add`: dvc add (\S+), since", done.output, re.MULTILINE)
    assert said == ([large] if large else [])


def test_alone_it_lists_its_commands_and_imports_no_large_package() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "seedbed"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    for name in ("compose", "adopt", "resolve", "status", "check", "doctor", "push", "promote"):
        assert f" {name} " in done.stdout + done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in imported
    assert not imported & {"dvc", "hydra", "matplotlib", "pandas", "pyarrow", "sklearn"}
