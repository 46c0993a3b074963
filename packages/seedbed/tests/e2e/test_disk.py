"""Cleaning up: `make gc` frees what nothing names and keeps what a branch, a tag or an experiment names."""

import hashlib
import re

import pytest

from support import Project, outputs

UNNAMED = "nothing names this.\n" * (1 << 20)
"""The content of a file of 20 MB."""


def add(project: Project, name: str, content: str) -> None:
    """Track a file with DVC, and remove it from the work tree again."""
    (project.root / name).write_text(content, encoding="utf-8")
    project.dvc("add", "--quiet", name)
    (project.root / name).unlink()


@pytest.fixture
def cluttered(with_experiments: Project) -> Project:
    """A project with two experiments, a file on a branch, one in a tag, and one that nothing names any more."""
    project = with_experiments
    for name, place in (("on_a_branch", ("branch", "other")), ("in_a_tag", ("tag", "kept"))):
        add(project, name, name)
        project.commit(name)
        project.git(*place)
        project.git("reset", "--quiet", "--hard", "HEAD~")
    add(project, "unnamed", UNNAMED)
    (project.root / "unnamed.dvc").unlink()
    project.git("checkout", "--", ".gitignore")
    return project


def is_cached(project: Project, name: str) -> bool:
    digest = hashlib.md5(name.encode()).hexdigest()
    return (project.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]).is_file()


@pytest.mark.slow
def test_gc_says_what_it_would_free_and_frees_nothing_unasked(cluttered: Project) -> None:
    printed = cluttered.make("gc", check=False)
    found = re.search(
        r"cached files that no branch, tag or experiment names: (\d+) \(20\.\d MB\)", printed
    )
    # DVC itself keeps a few bytes of each gate.json that nothing names.
    assert found and 1 <= int(found[1]) < 10, printed
    assert "Nothing was freed" in printed
    assert "make gc yes=1" in printed
    assert is_cached(cluttered, UNNAMED)


@pytest.mark.slow
def test_gc_frees_only_what_nothing_names(cluttered: Project) -> None:
    cluttered.make("gc", "yes=1")
    assert not is_cached(cluttered, UNNAMED)
    assert "names: 0 (0.0 MB)" in cluttered.make("gc")

    assert cluttered.stages_run() == []
    for place in ("other", "kept"):
        cluttered.git("checkout", "--quiet", place)
        name = "on_a_branch" if place == "other" else "in_a_tag"
        cluttered.dvc("checkout", f"{name}.dvc")
        assert (cluttered.root / name).read_text(encoding="utf-8") == name
    cluttered.git("checkout", "--quiet", "main")
    for name in ("linear", "second"):
        cluttered.dvc("exp", "apply", name)
        cluttered.dvc("checkout")
        assert (cluttered.root / "models/bundle/pipeline.skops").is_file()
        assert cluttered.stages_run() == []


def test_restore_brings_back_deleted_outputs(project: Project) -> None:
    before = outputs(project.root)
    for name in before:
        (project.root / name).unlink()
    project.make("restore")
    assert outputs(project.root) == before
    assert project.stages_run() == []
