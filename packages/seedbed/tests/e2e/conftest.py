"""A prepared repository with two experiments in it, made once."""

from pathlib import Path

import pytest

from support import EXPERIMENTS, Project, copied, made_once


@pytest.fixture(scope="session")
def explored(prepared: Path, shared_folder: Path) -> Path:
    """The prepared repository after two experiments, what DVC printed of each in <name>.log; only to be copied."""

    def make(target: Path) -> None:
        project = copied(prepared, target)
        for name, choice in EXPERIMENTS.items():
            log = project.dvc("exp", "run", "--name", name, "-S", choice)
            (target.parent / f"{name}.log").write_text(log, encoding="utf-8")
        project.git("checkout", "--quiet", "--", ".")
        project.dvc("checkout")

    return made_once(shared_folder, "explored", make)


@pytest.fixture
def with_experiments(explored: Path, tmp_path: Path) -> Project:
    """A copy of the prepared repository with two experiments: `linear` and `second`; the work tree is the commit's."""
    return copied(explored, tmp_path / "project")
