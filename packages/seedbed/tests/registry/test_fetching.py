"""A registered version is fetched beside the work tree, from the cache or the remote."""

import shutil
import subprocess
from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.registry.content import run_dvc
from seedbed.registry.fetching import fetch_version


def git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository below the top of Git's, whose champion was `one`, and is `two` now."""
    top = tmp_path / "top"
    root = top / "inside"
    (root / "models/champion").mkdir(parents=True)
    git(top, "init", "--quiet")
    git(top, "config", "user.name", "Tester")
    git(top, "config", "user.email", "tester@example.org")
    run_dvc(root, "init", "--quiet", "--subdir")
    run_dvc(root, "remote", "add", "--quiet", "--default", "store", str(tmp_path / "store"))
    for number, model in enumerate(("one", "two"), 1):
        (root / "models/champion/model.txt").write_text(model)
        run_dvc(root, "add", "--quiet", "models/champion")
        run_dvc(root, "push", "--quiet")
        git(top, "add", "--all")
        git(top, "commit", "--quiet", "--message", model)
        git(top, "tag", "--annotate", f"model@v0.{number}.0", "--message", model)
    return root


@pytest.mark.slow
@pytest.mark.parametrize(("name", "place"), [("v0.1.0", "remote"), ("model@v0.1.0", "cache")])
def test_a_version_is_fetched_and_the_champion_stays(root: Path, name: str, place: str) -> None:
    if place == "remote":
        shutil.rmtree(root / ".dvc/cache")
    folder = fetch_version(root, name)
    assert (folder / "model.txt").read_text() == "one"
    assert (root / "models/champion/model.txt").read_text() == "two"
    (folder / "model.txt").chmod(0o644)
    (folder / "model.txt").write_text("damaged")
    assert fetch_version(root, name) == folder
    assert (folder / "model.txt").read_text() == "one"
    shutil.rmtree(root / ".dvc/cache", ignore_errors=True)
    shutil.rmtree(root.parents[1] / "store")
    assert fetch_version(root, name) == folder, "what was fetched is not fetched again"


@pytest.mark.slow
def test_what_cannot_be_fetched_is_named(root: Path) -> None:
    with pytest.raises(UserError, match=r"no version 'v0.3.0' of model. There are v0.1.0, v0.2.0"):
        fetch_version(root, "v0.3.0")
    shutil.rmtree(root / ".dvc/cache")
    shutil.rmtree(root.parents[1] / "store")
    with pytest.raises(UserError, match="dvc get"):
        fetch_version(root, "v0.1.0")
