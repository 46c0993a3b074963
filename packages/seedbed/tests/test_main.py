"""The `seedbed` command says what it did, and a person's mistake in one paragraph."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seedbed.cli.main import app, main
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


def test_adopt_tells_each_edit(root: Path) -> None:
    call("compose", "--reset")
    assert call("adopt").output == "nothing to adopt: params.yaml is what conf/ composes to\n"


def test_doctor_tells_then_mends(root: Path) -> None:
    assert call("doctor").output == "nothing to mend\n"
    Project(root).git("update-ref", "refs/exps/exec/EXEC_MERGE", "HEAD")
    told = call("doctor")
    assert "refs/exps/exec/EXEC_MERGE" in told.output
    assert told.exit_code == 1
    done = call("doctor", "--mend")
    assert done.output == "removed refs/exps/exec/EXEC_MERGE\n"
    assert done.exit_code == 0
    assert call("doctor").output == "nothing to mend\n"


def test_graph_writes_the_imports_into_dvc_yaml(root: Path) -> None:
    call("graph")
    assert call("graph").output == "dvc.yaml is in step with the code\n"
    code = root / "src/project/stages/gate.py"
    code.write_text(
        code.read_text(encoding="utf-8") + "\nimport seedbed.workbench\n", encoding="utf-8"
    )
    assert call("graph").output == "dvc.yaml: updated gate\n"
    assert "packages/seedbed/src/seedbed/workbench.py" in (root / "dvc.yaml").read_text(
        encoding="utf-8"
    )


def test_check_fails_where_something_is_out_of_step(root: Path) -> None:
    (root / "requirements.lock").unlink()
    done = call("check")
    assert done.exit_code == 1
    assert "requirements.lock is missing: run `make lock`." in done.output


def test_check_says_that_all_is_in_step(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root)
    done = call("check")
    assert done.output == "params.yaml, dvc.yaml, dvc.lock and requirements.lock are in step\n"
    assert done.exit_code == 0


def test_outside_a_repository_it_says_where_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["seedbed", "compose"])
    with pytest.raises(SystemExit, match=r"seedbed: .*Call this inside the project\."):
        main()


def test_alone_it_lists_its_commands() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "seedbed"], capture_output=True, text=True, check=False
    )
    for command in ("compose", "adopt", "doctor", "graph", "check"):
        assert command in done.stdout + done.stderr
