"""What the tests share: a repository with nothing in it but conf/."""

import shutil
from pathlib import Path

import pytest

from support import REPOSITORY


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with the conf/ of this one."""
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    shutil.copytree(REPOSITORY / "conf", root / "conf")
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    monkeypatch.chdir(root)
    return root
