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
def test_it_is_found_from_any_folder_in_it(
    root: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    assert find_root(root / folder) == root
    monkeypatch.chdir(root / folder)
    assert find_root() == root


def test_it_is_the_nearest_one_and_no_variable_changes_that(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(root))
    inner = root / "inner"
    for name in (".dvc", "conf"):
        (inner / name).mkdir(parents=True)
    assert find_root(inner) == inner


def test_half_a_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    with pytest.raises(
        UserError, match=r"neither this folder nor one above it holds \.dvc/ and conf/"
    ):
        find_root(tmp_path)


@pytest.mark.parametrize(
    ("environment", "inside"),
    [({}, False), ({"DVC_EXP_NAME": "a"}, True), ({"SEEDBED_SLOT": "1"}, True)],
)
def test_an_experiment_is_known_by_its_environment(
    environment: dict[str, str], inside: bool
) -> None:
    assert inside_experiment(environment) is inside


def test_git_answers_or_says_nothing(root: Path, tmp_path: Path) -> None:
    assert git(root, "rev-parse", "--is-inside-work-tree") == "true"
    assert git(root, "rev-parse", "no-such-thing") is None


def test_untracked_files_are_those_git_neither_tracks_nor_ignores(root: Path) -> None:
    subprocess.run(["git", "add", "conf"], cwd=root, check=True)
    (root / ".gitignore").write_text("*.tmp\n")
    for name in ("b.yaml", "a.yaml", "x.tmp"):
        (root / "conf" / name).touch()
    (root / "elsewhere.yaml").touch()
    assert untracked_files(root, "conf") == ["conf/a.yaml", "conf/b.yaml"]
    assert untracked_files(root, "conf", ignored=True) == [
        "conf/a.yaml",
        "conf/b.yaml",
        "conf/x.tmp",
    ]


def test_names_beyond_ascii_stand_as_they_are(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    name = "conf/déjà vu.yaml"
    (root / name).write_text("größe: 1\n", encoding="utf-8")
    assert untracked_files(root, "conf/déjà vu.yaml") == [name]
    git_or_stop(root, "add", name)
    assert git(root, "diff", "--cached", "--name-only") == name
    assert git(root, "show", f":{name}") == "größe: 1"


def test_a_failing_git_is_an_error_of_a_few_lines(root: Path) -> None:
    with pytest.raises(UserError, match=r"`git checkout a b c d` failed: error: .*1 more line"):
        git_or_stop(root, "checkout", "a", "b", "c", "d")
