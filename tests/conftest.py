"""What the tests share: this project, run once on a sample in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[1]
SAMPLE = "  - experiment: debug\n"
"""Added to the defaults of conf/config.yaml: the whole graph on a few thousand rows."""


class Project:
    """A copy of this project with its outputs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str) -> str:
        """Run a command of the environment in the project; return what it printed."""
        done = subprocess.run(
            [self.root / ".venv/bin" / command[0], *command[1:]],
            cwd=self.root,
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
        return done.stdout

    def table(self, name: str) -> pd.DataFrame:
        """Return the rows of a stage's output: raw, clean, features or predictions."""
        return pd.read_parquet(self.root / "data" / name)

    def yaml(self, file: str) -> dict:
        """Return what a YAML or JSON file holds."""
        return yaml.load((self.root / file).read_text(encoding="utf-8"), yaml.CSafeLoader)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, with the whole graph run on a sample; not to be changed."""
    root = tmp_path_factory.mktemp("project") / "project"
    root.mkdir()
    git = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost"]
    listed = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    for name in _output([*git, *listed], ROOT).rstrip("\0").split("\0"):
        if (ROOT / name).is_file() and not name.startswith("models/champion.dvc"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    (root / ".venv").symlink_to(ROOT / ".venv")
    config = root / "conf/config.yaml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("  - _self_\n", f"  - _self_\n{SAMPLE}"), encoding="utf-8")
    _output([*git, "init", "--quiet"], root)
    _output([*git, "add", "--all"], root)
    _output([*git, "commit", "--quiet", "--no-verify", "-m", "begin"], root)
    made = Project(root)
    made.run("seedbed", "repro")
    return made


def _output(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
