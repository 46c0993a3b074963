"""A prepared repository with two experiments in it, made once."""

import shutil
from pathlib import Path

import pytest
from filelock import FileLock

from support import EXPERIMENTS, Project


@pytest.fixture(scope="session")
def explored(prepared: Path, shared_folder: Path) -> Path:
    """The prepared repository after two experiments, what DVC said of each in <name>.log; only to be copied."""
    target = shared_folder / "explored"
    with FileLock(shared_folder / "explored.lock"):
        if not (target / "done").exists():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(prepared, target, symlinks=True)
            (target / "done").unlink()
            project = Project(target)
            for name, choice in EXPERIMENTS.items():
                log = project.dvc("exp", "run", "--name", name, "-S", choice)
                (target.parent / f"{name}.log").write_text(log, encoding="utf-8")
            project.git("checkout", "--quiet", "--", ".")
            project.dvc("checkout")
            (target / "done").touch()
    return target


@pytest.fixture
def with_experiments(explored: Path, tmp_path: Path) -> Project:
    """A copy of the prepared repository with two experiments: `linear` and `second`; the work tree is the commit's."""
    target = tmp_path / "project"
    shutil.copytree(explored, target, symlinks=True)
    return Project(target)
