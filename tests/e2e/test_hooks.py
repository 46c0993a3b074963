"""What `git commit` refuses once `make hooks` was run, and what it lets through."""

from pathlib import Path

import pytest

from support import Project

AWS_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0\n"


@pytest.fixture
def hooked(project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Project:
    """A copy of the prepared repository with the hooks installed, whose caches lie beside it, and without a net."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    for proxy in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    project.make("hooks")
    return project


def write(project: Project, name: str, text: str) -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / name).write_text(text, encoding="utf-8")


def commit(project: Project, *names: str) -> tuple[bool, str]:
    """Stage the files and commit; return whether there is a new commit, and what Git said."""
    before = project.git("rev-parse", "HEAD")
    project.git("add", "--", *names)
    done = project.run("git", "commit", "-m", "change", check=False)
    assert "Traceback" not in done.stdout
    made = project.git("rev-parse", "HEAD") != before
    assert made == (done.returncode == 0)
    return made, done.stdout


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("notes/deploy.txt", PRIVATE_KEY, "Private Key"),
        ("src/seedbed/cloud.py", f'"""Cloud."""\n\nKEY = "{AWS_KEY}"\n', "AWS Access Key"),
        (".env", "PASSWORD=x\n", "Git keeps what was committed once for ever"),
        (".dvc/config.local", "['remote \"s3\"']\n", "Git keeps what was committed once for ever"),
        ("data/source/rows.csv", "1,2,3,4\n" * 260_000, "rows.csv (2032 KB) exceeds 500 KB"),
        ("src/seedbed/untidy.py", "import os\n", "F401"),
        ("src/seedbed/wrong.py", '"""Wrong."""\n\nx: int = "a"\n', "Incompatible types in assignment"),
    ],
    ids=["private key", "AWS key", "environment", "DVC's credentials", "large CSV", "style", "types"],
)
def test_a_commit_is_refused_with_the_reason(hooked: Project, name: str, text: str, reason: str) -> None:
    write(hooked, name, text)
    if ".local" in name:
        hooked.git("add", "--force", name)
    made, said = commit(hooked) if ".local" in name else commit(hooked, name)
    assert not made, said
    assert reason in said


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("conf/config.yaml", "seed: 0", "seed: 1", "params.yaml has conf_hash c"),
        ("params.yaml", "\nseed: 0", "\nseed: 1", "dvc.lock: stage train: changed deps: params.yaml (seed modified)"),
        ("dvc.yaml", "stage.sh gate", "stage.sh  gate", "dvc.lock: stage gate: changed command"),
    ],
)
def test_a_commit_of_what_is_out_of_step_is_refused(
    hooked: Project, file: str, old: str, new: str, reason: str
) -> None:
    hooked.edit(file, old, new)
    made, said = commit(hooked, file)
    assert not made, said
    assert reason in said


def test_what_is_not_staged_does_not_count(hooked: Project) -> None:
    hooked.edit("conf/config.yaml", "seed: 0", "seed: 1")
    write(hooked, "docs/note.md", "A note.\n")
    made, said = commit(hooked, "docs/note.md")
    assert made, said
    assert "seed: 1" in (hooked.root / "conf/config.yaml").read_text(encoding="utf-8")


def test_a_clean_change_is_accepted(hooked: Project) -> None:
    hooked.edit("conf/config.yaml", "# Every choice", "# Each choice")
    hooked.dvc("repro")
    write(hooked, "src/seedbed/tidy.py", '"""Tidy."""\n\nx: int = 1\n')
    made, said = commit(hooked, "conf", "params.yaml", "dvc.lock", "reports", "src")
    assert made, said
    assert said.count("Passed") >= 7, said


def test_every_file_of_the_repository_passes(hooked: Project) -> None:
    said = hooked.run("pre-commit", "run", "--all-files", **hooked.active).stdout
    assert "Failed" not in said
    assert hooked.git("status", "--porcelain") == ""
