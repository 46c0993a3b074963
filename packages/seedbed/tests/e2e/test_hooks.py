"""What `git commit` refuses once `make hooks` was run, and what it lets through."""

from pathlib import Path

import pytest

from support import Project

AWS_KEY = "AKIA" + "QYLPMN5HHHFPZAM2"
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA0\n"

ONE_AFTER_THE_OTHER = pytest.mark.xdist_group("hooks")
"""What mypy found out for one test serves the next."""


@pytest.fixture
def hooked(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared_folder: Path
) -> Project:
    """A copy of the prepared repository with the hooks installed, whose caches lie beside it, and without a net."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "pre-commit"))
    monkeypatch.setenv("MYPY_CACHE_DIR", str(shared_folder / "mypy"))
    for proxy in ("http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    project.make("hooks")
    return project


def write(project: Project, name: str, text: str) -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / name).write_text(text, encoding="utf-8")


def commit(project: Project, *names: str) -> tuple[bool, str]:
    """Stage the files and commit; return whether there is a new commit, and what Git printed."""
    before = project.git("rev-parse", "HEAD")
    project.git("add", *names)
    done = project.run("git", "commit", "-m", "change", check=False)
    assert "Traceback" not in done.stdout
    made = project.git("rev-parse", "HEAD") != before
    assert made == (done.returncode == 0)
    return made, done.stdout


PACKAGE = "packages/seedbed/src/seedbed"
PLANTED = {
    "notes/deploy.txt": (PRIVATE_KEY, "notes/deploy.txt:1", "Private Key"),
    f"{PACKAGE}/cloud.py": (f'"""Cloud."""\n\nKEY = "{AWS_KEY}"\n', "cloud.py:3", "AWS Access Key"),
    ".env": ("PASSWORD=x\n", "\n.env"),
    ".dvc/config.local": ("[core]\n    analytics = false\n", "\n.dvc/config.local"),
    f"{PACKAGE}/untidy.py": ("import os\n", "F401"),
    f"{PACKAGE}/wrong.py": ('"""Wrong."""\n\nx: int = "a"\n', "Incompatible types in assignment"),
}
"""What must not be committed: its text, and what the commit is refused with."""


@pytest.mark.slow
@ONE_AFTER_THE_OTHER
def test_secrets_bad_style_and_wrong_types_are_refused_with_the_reason(hooked: Project) -> None:
    for name, (text, *_) in PLANTED.items():
        write(hooked, name, text)
    made, printed = commit(hooked, "--force", *PLANTED)
    assert not made, printed
    reasons = [reason for _, *given in PLANTED.values() for reason in given]
    for reason in (*reasons, "Git keeps what was committed once for ever"):
        assert reason in printed


def test_a_large_file_is_refused_before_anything_else_looks_at_it(hooked: Project) -> None:
    write(hooked, "data/source/rows.csv", "1,2,3,4\n" * 260_000)
    made, printed = commit(hooked, "data/source/rows.csv")
    assert not made, printed
    assert "data/source/rows.csv (2032 KB) exceeds 500 KB" in printed
    assert "detect-secrets" not in printed


@pytest.mark.parametrize(
    ("file", "old", "new", "reason"),
    [
        ("conf/config.yaml", "seed: 0", "seed: 1", "params.yaml has conf_hash c"),
        ("dvc.yaml", "stage.sh gate", "stage.sh  gate", "dvc.lock: stage gate: changed command"),
    ],
)
def test_a_commit_of_what_is_out_of_step_is_refused(
    hooked: Project, file: str, old: str, new: str, reason: str
) -> None:
    hooked.edit(file, old, new)
    made, printed = commit(hooked, file)
    assert not made, printed
    assert reason in printed


def test_what_is_not_staged_does_not_count(hooked: Project) -> None:
    hooked.edit("conf/config.yaml", "seed: 0", "seed: 1")
    write(hooked, "docs/note.md", "A note.\n")
    made, printed = commit(hooked, "docs/note.md")
    assert made, printed
    assert "seed: 1" in (hooked.root / "conf/config.yaml").read_text(encoding="utf-8")


@pytest.mark.slow
@ONE_AFTER_THE_OTHER
def test_a_clean_change_is_accepted(hooked: Project) -> None:
    hooked.edit("conf/config.yaml", "# Every choice", "# Each choice")
    write(hooked, "src/project/tidy.py", '"""Tidy."""\n\nx: int = 1\n')
    hooked.dvc("repro")
    made, printed = commit(hooked, "conf", "params.yaml", "code.yaml", "dvc.lock", "reports", "src")
    assert made, printed
    assert printed.count("Passed") >= 7, printed


@pytest.mark.slow
@ONE_AFTER_THE_OTHER
def test_every_file_of_the_repository_passes(hooked: Project) -> None:
    printed = hooked.run("pre-commit", "run", "--all-files", **hooked.active).stdout
    assert "Failed" not in printed
    assert hooked.git("status", "--porcelain") == ""
