"""A small repository to compose in."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support import REPOSITORY


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The conf/ of this repository in a Git repository of its own, which is the working directory; nothing is committed."""
    folder = tmp_path / "root"
    shutil.copytree(REPOSITORY / "conf", folder / "conf")
    (folder / ".dvc").mkdir()
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    monkeypatch.chdir(folder)
    return folder
