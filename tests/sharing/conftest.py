"""A small repository that DVC and Git share with others in a moment: a folder of files and one stage."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import Place, s3_place
from sharing_support import Machine, new_machine


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small repository; only to be copied."""
    return new_machine(tmp_path_factory.mktemp("small"), files=12).root


@pytest.fixture
def first(made: Path, tmp_path: Path) -> Machine:
    """A machine with a copy of the small repository and a bare Git remote."""
    machine = Machine.copied(made, tmp_path / "first")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(tmp_path / "git")], check=True)
    machine.git("remote", "add", "origin", str(tmp_path / "git"))
    return machine


@pytest.fixture
def shared(first: Machine, tmp_path: Path) -> Machine:
    """The machine after it has pushed to a directory."""
    first.set_up(Place(str(tmp_path / "store")))
    first.seedbed("push")
    return first


@pytest.fixture
def second(shared: Machine, tmp_path: Path) -> Machine:
    """Another machine that has cloned it, and not pulled yet."""
    return shared.cloned(tmp_path / "second")


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[Place]:
    """An S3 server of this test."""
    with s3_place(tmp_path / "s3") as place:
        yield place
