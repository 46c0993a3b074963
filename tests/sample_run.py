"""This project in a folder of its own, with the whole graph run on a sample."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[1]
SAMPLE = "debug"
"""The overlay of conf/experiment with which the whole graph runs on a few thousand rows."""
GIT = ["git", "-c", "user.name=tests", "-c", "user.email=tests@localhost"]


class SampleRun:
    """The project as it stands in the work tree, run on a sample in the folder `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self) -> None:
        """Copy the project, choose the sample, and run the graph."""
        root = self.root
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        listed = [*GIT, "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        for name in _output(listed, ROOT).split("\0"):
            # The champion's files may be in no cache here, and the overlay asks nothing of a model.
            if name and name != "models/champion.dvc" and (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        (root / "models/champion").mkdir(parents=True, exist_ok=True)
        (root / ".venv").symlink_to(ROOT / ".venv")
        config = root / "conf/config.yaml"
        text = config.read_text(encoding="utf-8")
        overlays = re.search(r"^  - experiment: \[?([^]#\n]*)]?.*\n", text, re.MULTILINE)
        chosen = f"{overlays[1].strip()}, {SAMPLE}" if overlays else SAMPLE
        text = text.replace(overlays[0], "") if overlays else text
        text = text.replace("  - _self_\n", f"  - _self_\n  - experiment: [{chosen}]\n")
        config.write_text(text, encoding="utf-8")
        _output([*GIT, "init", "--quiet"], root)
        _output([*GIT, "add", "--all"], root)
        _output([*GIT, "commit", "--quiet", "--no-verify", "-m", "begin"], root)
        self.run("seedbed", "repro")

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


def _output(command: list[str], folder: Path) -> str:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
