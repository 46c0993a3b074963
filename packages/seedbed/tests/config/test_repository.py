"""The repository is the one that a command is called in."""

import subprocess
from pathlib import Path

import pytest

from seedbed.config.repository import (
    find_root,
    git,
    git_or_stop,
    inside_experiment,
    untracked_files,
)
from seedbed.errors import UserError


@pytest.mark.parametrize("folder", [".", "conf/model", "deep/er"])
def test_it_is_the_nearest_one_above_and_no_variable_changes_that(
    root: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(root.parent))
    for place in (root, root / "inner"):
        for name in (folder, ".dvc", "conf"):
            (place / name).mkdir(parents=True, exist_ok=True)
        assert find_root(place / folder) == place
        monkeypatch.chdir(place / folder)
        assert find_root() == place


def test_half_a_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    with pytest.raises(UserError, match=r"nor one above it holds \.dvc/ and conf/"):
        find_root(tmp_path)


@pytest.mark.parametrize(
    ("environment", "inside"),
    [({}, False), ({"DVC_EXP_NAME": "a"}, True), ({"SEEDBED_SLOT": "1"}, True)],
)
def test_an_experiment_is_known_by_its_environment(
    environment: dict[str, str], inside: bool
) -> None:
    assert inside_experiment(environment) is inside


def test_git_answers_or_fails_with_a_few_lines(root: Path) -> None:
    assert git(root, "rev-parse", "--is-inside-work-tree") == "true"
    assert git(root, "rev-parse", "no-such-thing") is None
    with pytest.raises(UserError, match=r"`git checkout a b c d` failed: error: .*1 more line"):
        git_or_stop(root, "checkout", "a", "b", "c", "d")


def test_untracked_files_are_those_git_neither_tracks_nor_ignores(root: Path) -> None:
    subprocess.run(["git", "add", "conf"], cwd=root, check=True)
    (root / ".gitignore").write_text("*.tmp\n")
    for name in ("conf/b.yaml", "conf/a.yaml", "conf/x.tmp", "elsewhere.yaml"):
        (root / name).touch()
    assert untracked_files(root, "conf") == ["conf/a.yaml", "conf/b.yaml"]
    found = ["conf/a.yaml", "conf/b.yaml", "conf/x.tmp"]
    assert untracked_files(root, "conf", ignored=True) == found


def test_names_beyond_ascii_stand_as_they_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    name = "conf/déjà vu.yaml"
    (root / name).write_text("größe: 1\n", encoding="utf-8")
    assert untracked_files(root, name) == [name]
    git_or_stop(root, "add", name)
    assert git(root, "diff", "--cached", "--name-only") == name
    assert git(root, "show", f":{name}") == "größe: 1"
