"""A promotion or rollback is whole or not at all, touches nothing that is somebody else's, and trusts no damaged file."""

import shutil
import subprocess
from contextlib import chdir
from pathlib import Path

import pytest
from dvc.cli import main as dvc_main

from seedbed.errors import UserError
from seedbed.registry import promoting
from seedbed.registry.content import path_hash, tracked_hash
from seedbed.registry.promoting import promote, roll_back
from seedbed.registry.versions import in_use

from support import made_once

GRAPH = """
stages:
  package:
    cmd: mkdir -p models/bundle && cp model.txt models/bundle/model.txt
    deps: [model.txt]
    outs: [models/bundle]
  gate:
    cmd: cat models/champion/* > reports/gate.json && echo saved meanwhile >> notes.md
    deps: [models/champion]
    outs:
      - reports/gate.json: {cache: false}
"""


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.rstrip()


def dvc(root: Path, *arguments: str) -> None:
    with chdir(root):
        if dvc_main([*arguments, "--quiet"]) != 0:
            raise UserError(f"dvc {' '.join(arguments)} failed")


def packaged(root: Path, model: str) -> None:
    """Package another model, and commit it."""
    (root / "model.txt").write_text(model)
    dvc(root, "repro", "package")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", model)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bundles be any folder, and DVC run in this process."""
    monkeypatch.setattr(promoting, "load_bundle", lambda path: None)
    monkeypatch.setattr(promoting, "_dvc", dvc)


@pytest.fixture
def root(shared_folder: Path, tmp_path: Path, quick: None) -> Path:
    """A repository whose champion is v0.2.0; v0.1.0 was before."""

    def make(root: Path) -> None:
        for folder in ("reports", "models/champion", "conf"):
            (root / folder).mkdir(parents=True)
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "config", "user.name", "Tester")
        git(root, "config", "user.email", "tester@example.org")
        dvc(root, "init")
        for name, text in {
            "dvc.yaml": GRAPH, "conf/a.yaml": "a: 1\n", "notes.md": "notes\n", "models/champion/README.md": "none yet\n",
            "reports/refusal.txt": "none\n",
        }.items():  # fmt: skip
            (root / name).write_text(text)
        for model in ("one", "two"):
            packaged(root, model)
            promote(root)
            git(root, "checkout", "--", "notes.md")

    return Path(
        shutil.copytree(made_once(shared_folder, "small-registry", make), tmp_path / "root")
    )


def state(root: Path) -> tuple[str, str | None, str | None, str]:
    """Return HEAD, the version in use, the content of the champion, and what is uncommitted."""
    return git(root, "rev-parse", "HEAD"), in_use(root), path_hash(root / "models/champion"), git(root, "status", "--porcelain")  # fmt: skip


@pytest.mark.parametrize(
    "file", ["conf/mine.yaml", "src/mine.py", "models/mine.dvc", "models/champion.dvc"]
)
def test_what_no_clone_would_have_is_refused(file: str, root: Path) -> None:
    git(root, "rm", "--quiet", "--cached", "models/champion.dvc")
    git(root, "commit", "--quiet", "--message", "as a promotion that was killed leaves it")
    if file != "models/champion.dvc":
        git(root, "checkout", "--quiet", "HEAD~", "--", "models/champion.dvc")
        git(root, "commit", "--quiet", "--message", "as it was")
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text("a: 2\n")
    before = state(root)
    with pytest.raises(UserError, match=f"something uncommitted.*{file}") as refusal:
        promote(root)
    assert ("git restore --staged --worktree" in str(refusal.value)) == (
        file == "models/champion.dvc"
    )
    assert state(root) == before
    if file != "models/champion.dvc":  # what is in use again was made of other files
        assert "v0.1.0 is in use again" in roll_back(root)
        return
    with pytest.raises(UserError, match=f"something uncommitted.*{file}"):
        roll_back(root)
    assert state(root) == before


def test_what_a_killed_promotion_leaves_is_undone_by_what_the_refusal_says(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged(root, "three")
    before = state(root)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(promoting, "_record", killed)
        patch.setattr(promoting, "_restore", lambda root: None)
        with pytest.raises(KeyboardInterrupt):
            promote(root)
    with pytest.raises(UserError, match="models/champion.dvc") as refusal:
        promote(root)
    restore, clean, checkout = str(refusal.value).split("`")[3::2]
    assert state(root) != before
    for command in (restore, clean):
        subprocess.run(command, shell=True, cwd=root, check=True)
    dvc(root, *checkout.split()[1:])
    assert state(root) == before


@pytest.mark.parametrize("fails", [False, True])
def test_what_an_editor_saves_meanwhile_is_neither_committed_nor_lost(
    fails: bool, root: Path
) -> None:
    packaged(root, "three")
    if fails:
        hook = root / ".git/hooks/pre-commit"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(0o755)
        with pytest.raises(UserError, match="git commit"):
            promote(root)
        assert in_use(root) == "v0.2.0"
    else:
        assert "v0.3.0 is in use" in promote(root)
    assert git(root, "status", "--porcelain") == " M notes.md"
    assert "saved meanwhile" in (root / "notes.md").read_text()
    assert path_hash(root / "models/champion") == tracked_hash(root, "HEAD")


def test_a_rollback_that_was_killed_before_the_tag_is_finished_by_the_same_command(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(promoting, "put_to_use", killed)
        with pytest.raises(KeyboardInterrupt):
            roll_back(root)
    git(root, "checkout", "--", "notes.md")
    commit = git(root, "rev-parse", "HEAD")
    assert "v0.1.0 is in use again, instead of v0.2.0" in roll_back(root)
    assert (git(root, "rev-parse", "HEAD"), in_use(root)) == (commit, "v0.1.0")
    with pytest.raises(
        UserError, match=r"no version was in use before model v0\.1\.0.*`seedbed rollback v0\.2\.0`"
    ):
        roll_back(root)


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("part", ["folder", "file"])
def test_a_champion_that_is_damaged_in_the_cache_is_fetched_or_refused(
    remote: bool, part: str, root: Path
) -> None:
    digest = str(tracked_hash(root, "model@v0.1.0"))
    if remote:
        dvc(root, "remote", "add", "--default", "store", str(root.parent / "store"))
        git(root, "commit", "--quiet", "--all", "--message", "a remote")
        shutil.copytree(root / ".dvc/cache", root.parent / "store")
    cache = root / ".dvc/cache/files/md5"
    listed = cache / digest[:2] / digest[2:]
    damaged = listed if part == "folder" else next(file for file in cache.rglob("*") if file.is_file() and file.read_bytes() == b"one")  # fmt: skip
    damaged.chmod(0o644)
    damaged.write_bytes(b"[]" if part == "folder" else b"eno")
    damaged.chmod(0o444)
    before = state(root)
    if remote:
        assert "v0.1.0 is in use again" in roll_back(root)
        assert path_hash(root / "models/champion") == digest
    else:
        with pytest.raises(
            UserError, match=r"model v0\.1\.0: DVC's cache lacks its files or holds them damaged"
        ):
            roll_back(root)
        assert state(root) == before


def test_the_only_version_has_none_to_go_back_to(root: Path) -> None:
    for tag in git(root, "tag", "--list").split():
        if "v0.1.0" not in tag and tag != "model#production#1":
            git(root, "tag", "--delete", tag)
    with pytest.raises(UserError, match=r"model v0\.1\.0 is the only version there is"):
        roll_back(root)


def test_promoting_says_when_nobody_else_can_have_the_champion(root: Path) -> None:
    packaged(root, "three")
    assert "on this machine alone" in promote(root)
    git(root, "checkout", "--", "notes.md")
    dvc(root, "remote", "add", "--default", "store", str(root.parent / "store"))
    git(root, "commit", "--quiet", "--all", "--message", "a remote")
    assert "`make push` hands it to the others" in roll_back(root)
