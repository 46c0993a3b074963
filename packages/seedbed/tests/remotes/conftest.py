"""A small repository that DVC and Git share with others in a moment: a folder of files and one stage."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from remotes_support import Machine, new_machine
from servers import Place, s3_place


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small repository; only to be copied."""
    return new_machine(tmp_path_factory.mktemp("small"), files=12).root


def with_remote(machine: Machine, bare: Path) -> Machine:
    """Give a machine a bare Git remote."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    machine.git("remote", "add", "origin", str(bare))
    return machine


@pytest.fixture
def first(made: Path, tmp_path: Path) -> Machine:
    """A machine with a copy of the small repository and a bare Git remote."""
    return with_remote(Machine.copied(made, tmp_path / "first"), tmp_path / "git")


@pytest.fixture(scope="session")
def pushed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a machine that has pushed to a directory, and with both remotes; only to be copied."""
    folder = tmp_path_factory.mktemp("pushed") / "all"
    machine = with_remote(Machine.copied(made, folder / "first"), folder / "git")
    machine.set_up(Place("../store"))
    machine.seedbed("push")
    return folder


@pytest.fixture
def shared(pushed: Path, tmp_path: Path) -> Machine:
    """The machine after it has pushed to a directory."""
    shutil.copytree(pushed, tmp_path, symlinks=True, dirs_exist_ok=True)
    machine = Machine(tmp_path / "first")
    machine.git("remote", "set-url", "origin", str(tmp_path / "git"))
    return machine


@pytest.fixture
def second(shared: Machine, tmp_path: Path) -> Machine:
    """Another machine that has cloned it, and not pulled yet."""
    return shared.cloned(tmp_path / "second")


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[Place]:
    """An S3 server of this test."""
    with s3_place(tmp_path / "s3") as place:
        yield place
