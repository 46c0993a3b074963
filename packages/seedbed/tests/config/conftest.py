"""A small repository to compose in."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seedbed.config.compose import compose_text, update_params
from seedbed.config.yaml_files import load_yaml

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


@pytest.fixture
def run_experiment(root: Path) -> Callable[..., dict[str, Any]]:
    """Writes params.yaml as `dvc exp run -S` does, and runs compose; returns the parameters without their hash."""

    def run(*overrides: str) -> dict[str, Any]:
        (root / "params.yaml").write_text(compose_text(root, list(overrides)), encoding="utf-8")
        update_params(root, {"DVC_EXP_NAME": "x"})
        return {**load_yaml(root / "params.yaml"), "conf_hash": None}

    return run
