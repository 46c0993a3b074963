"""What a model costs is read from its experiment, wherever the work tree has gone since."""

from pathlib import Path

import pytest

from seedbed.sweeps.cost import model_size, prediction_time

from support import Project


@pytest.fixture
def emptied(project: Project) -> Path:
    """A repository whose outputs are in the cache only."""
    project.run("rm", "-r", "models/model", "data/features")
    return project.root


def test_the_size_is_that_of_the_files(prepared: Path, emptied: Path) -> None:
    files = (prepared / "models/model").rglob("*")
    assert model_size(emptied, "HEAD") == sum(file.stat().st_size for file in files)


def test_the_time_is_of_one_row_in_microseconds(emptied: Path) -> None:
    assert prediction_time(emptied, "HEAD") > 0
