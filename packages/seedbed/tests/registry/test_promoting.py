"""A promotion or rollback is whole or not at all, and touches nothing that is somebody else's."""

import json
import shutil
import subprocess
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest
from dvc.cli import main as dvc_main
from dvc.repo import Repo

from seedbed.errors import UserError
from seedbed.registry import promoting
from seedbed.registry.content import path_hash, tracked_hash
from seedbed.registry.promoting import promote, roll_back
from seedbed.registry.versions import read_registry

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


def dvc(root: Path, *arguments: str) -> str:
    """Run DVC in this process, which is faster; return what it prints of the status."""
    with chdir(root):
        if arguments[0] == "status":
            with Repo() as repo:
                return json.dumps(repo.status(targets=[arguments[-1]], with_deps=True))
        if dvc_main([*arguments]) != 0:
            raise UserError(f"dvc {' '.join(arguments)} failed")
    return ""


def packaged(root: Path, model: str) -> None:
    """Package another model, and commit it."""
    (root / "model.txt").write_text(model)
    dvc(root, "repro", "--quiet", "package")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", model)


@pytest.fixture
def root(shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose champion is v0.2.0; v0.1.0 was before. Bundles are any folder."""
    monkeypatch.setattr(promoting, "load_bundle", lambda path: None)
    monkeypatch.setattr(promoting, "run_dvc", dvc)

    def make(root: Path) -> None:
        for folder in ("reports", "models/champion", "conf"):
            (root / folder).mkdir(parents=True)
        git(root, "init", "--quiet", "--initial-branch=main")
        git(root, "config", "user.name", "Tester")
        git(root, "config", "user.email", "tester@example.org")
        dvc(root, "init", "--quiet")
        for name, text in {
            "dvc.yaml": GRAPH, "conf/a.yaml": "a: 1\n", "notes.md": "notes\n",
            "models/champion/README.md": "none yet\n", "reports/refusal.txt": "none\n",
        }.items():  # fmt: skip
            (root / name).write_text(text)
        dvc(root, "repro", "--quiet", "gate")
        for model in ("one", "two"):
            packaged(root, model)
            promote(root)
            git(root, "checkout", "--", "notes.md")

    made = made_once(shared_folder, "small-registry", make)
    return Path(shutil.copytree(made, tmp_path / "root"))


def state(root: Path) -> list[str | None]:
    """Return HEAD, the version in use, the champion's content, and what is uncommitted."""
    changed = git(root, "status", "--porcelain", "--", ":!notes.md")
    content = path_hash(root / "models/champion")
    return [git(root, "rev-parse", "HEAD"), read_registry(root).in_use, content, changed]


@pytest.mark.parametrize("file", ["conf/mine.yaml", "src/mine.py", "models/mine.dvc"])
def test_a_file_that_no_clone_would_have_stops_a_promotion(file: str, root: Path) -> None:
    (root / file).parent.mkdir(exist_ok=True)
    (root / file).write_text("a: 2\n")
    before = state(root)
    with pytest.raises(UserError, match=f"uncommitted changes.*{file}"):
        promote(root)
    assert state(root) == before
    assert "v0.1.0 is in use again" in roll_back(root), "it was made of other files"


@pytest.mark.parametrize("run", [promote, roll_back])
def test_an_edit_and_a_detached_head_stop_both(run: Callable[[Path], str], root: Path) -> None:
    (root / "model.txt").write_text("edited")
    with pytest.raises(UserError, match=r"uncommitted changes \(model.txt\)"):
        run(root)
    git(root, "checkout", "--", "model.txt")
    git(root, "checkout", "--quiet", "--detach")
    with pytest.raises(UserError, match="HEAD is detached"):
        run(root)


STEPS = ["shutil.copytree", "run_dvc", "_commit", "register", "put_to_use"]


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", [False, True])
def test_a_promotion_killed_at_any_step_is_done_by_the_same_command(
    step: str, first: bool, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if first:
        git(root, "reset", "--quiet", "--hard", git(root, "log", "--format=%H", "--grep=^one$"))
        git(root, "tag", "--delete", *git(root, "tag").split())
        shutil.rmtree(root / "models/champion")
        git(root, "checkout", "--", "models/champion")
        dvc(root, "checkout", "--quiet", "--force")
    else:
        packaged(root, "three")
    with monkeypatch.context() as patch:
        patch.setattr(promoting, "_restore", lambda root: None)  # as after kill -9
        if step == "run_dvc":
            patch.setattr(promoting, step, lambda root, *words: killed() if "repro" in words else dvc(root, *words))  # fmt: skip
        else:
            patch.setattr(f"seedbed.registry.promoting.{step}", killed)
        with pytest.raises(KeyboardInterrupt):
            promote(root)
    git(root, "checkout", "--", "notes.md")
    version = "v0.1.0" if first else "v0.3.0"
    assert f"model {version} is in use" in promote(root)
    assert state(root)[1:] == [version, path_hash(root / "models/bundle"), ""]
    assert git(root, "log", "--format=%s").count(f"Promote model {version}") == 1


@pytest.mark.slow
@pytest.mark.parametrize("step", ["fetch_champion", "_commit", "put_to_use"])
def test_a_rollback_killed_at_any_step_is_done_by_the_same_command(
    step: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(promoting, "_restore", lambda root: None)
        patch.setattr(promoting, step, killed)
        with pytest.raises(KeyboardInterrupt):
            roll_back(root)
    git(root, "checkout", "--", "notes.md")
    assert "v0.1.0 is in use again, instead of v0.2.0" in roll_back(root)
    assert state(root)[1:] == ["v0.1.0", tracked_hash(root, "model@v0.1.0"), ""]
    git(root, "checkout", "--", "notes.md")
    with pytest.raises(UserError, match=r"no version was in use before model v0\.1\.0.*v0\.2\.0"):
        roll_back(root)


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
        assert read_registry(root).in_use == "v0.2.0"
    else:
        assert "v0.3.0 is in use" in promote(root)
    assert git(root, "status", "--porcelain") == " M notes.md"
    assert "saved meanwhile" in (root / "notes.md").read_text()
    assert path_hash(root / "models/champion") == tracked_hash(root, "HEAD")


@pytest.mark.parametrize("problem", ["missing", "damaged"])
@pytest.mark.parametrize("remote", [True, False])
def test_a_champion_that_is_not_whole_in_the_cache_is_fetched_or_refused(
    problem: str, remote: bool, root: Path
) -> None:
    if remote:
        dvc(root, "remote", "add", "--quiet", "--default", "store", str(root.parent / "store"))
        git(root, "commit", "--quiet", "--all", "--message", "a remote")
        shutil.copytree(root / ".dvc/cache", root.parent / "store")
    cached = next(
        file
        for file in (root / ".dvc/cache/files/md5").rglob("*")
        if file.is_file() and file.read_bytes() == b"one"
    )
    cached.chmod(0o644)
    cached.write_bytes(b"eno")
    cached.chmod(0o444)
    if problem == "missing":
        cached.unlink()
    before = state(root)
    if problem == "missing" and remote:
        assert "v0.1.0 is in use again" in roll_back(root)
        assert path_hash(root / "models/champion") == tracked_hash(root, "model@v0.1.0")
    else:
        with pytest.raises(UserError, match=r"model v0\.1\.0.*damaged.*`seedbed doctor --mend"):
            roll_back(root)
        assert state(root) == before
