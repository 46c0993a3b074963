"""A small repository that DVC and Git share with others: a folder of files and one stage."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from remotes_support import Machine, new_machine
from servers import Place, s3_place


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a machine `first`, and the same after a push to a directory; to be copied."""
    folder = tmp_path_factory.mktemp("machines")
    new_machine(folder / "new/first").with_git_remote(folder / "new/git")
    shutil.copytree(folder / "new", folder / "pushed", symlinks=True)
    machine = Machine(folder / "pushed/first")
    machine.git("remote", "set-url", "origin", "../git")
    machine.set_up(Place("../store"))
    machine.seedbed("push")
    return folder


def _copied(source: Path, target: Path) -> Machine:
    shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
    machine = Machine(target / "first")
    machine.git("remote", "set-url", "origin", str(target / "git"))
    return machine


@pytest.fixture
def first(made: Path, tmp_path: Path) -> Machine:
    """A machine with a bare Git remote and no place for data."""
    return _copied(made / "new", tmp_path)


@pytest.fixture
def shared(made: Path, tmp_path: Path) -> Machine:
    """The machine after it has pushed to a directory."""
    return _copied(made / "pushed", tmp_path)


@pytest.fixture
def second(shared: Machine, tmp_path: Path) -> Machine:
    """Another machine that has cloned it, and not pulled yet."""
    return shared.cloned(tmp_path / "second")


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[Place]:
    """An S3 server of this test."""
    with s3_place(tmp_path / "s3") as place:
        yield place
