"""What a bundle's Dockerfile says, done by hand: install, verify, serve and ask, with no repository around."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from seedbed.config.imports import BEYOND_SERVING

from support import started, wait_for

# One worker of `pytest -n` installs the image for all tests.
pytestmark = pytest.mark.xdist_group("deployed")
DEVELOPING = {
    "dvc", "hydra-core", "omegaconf", "great-expectations", "matplotlib", "gto", "jinja2",
    "hydra-joblib-launcher", "optuna", "skrub", "duckdb", "pytest",
}  # fmt: skip
MISSING = """
import ast, importlib.util, sys
from pathlib import Path
import seedbed

root = Path(seedbed.__file__).parents[1]
beyond = tuple(sys.argv[1:])
modules = [path for path in root.glob("seedbed/**/*.py")]
assert len(modules) > 50
for path in modules:
    tree = ast.parse(path.read_text())
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    skipped = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names if id(node) not in skipped else ():
            name = name if name.startswith("seedbed") else name.partition(".")[0]
            if not name.startswith(beyond) and importlib.util.find_spec(name) is None:
                print(path, name)
"""
"""Prints what the installed modules of seedbed import, in functions too, and is not installed."""


class Instruction(NamedTuple):
    stage: int
    word: str
    text: str

    @property
    def command(self) -> list[str]:
        """The words of an instruction in exec form, or of the shell that runs it."""
        with suppress(ValueError):
            return list(json.loads(self.text))
        return ["sh", "-c", self.text]


def read_dockerfile(path: Path) -> list[Instruction]:
    lines = [line for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    found: list[Instruction] = []
    stage = 0
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        word, _, text = line.partition(" ")
        stage += word == "FROM"
        found.append(Instruction(stage, word, text.strip()))
    return found


class Image:
    """Folders that stand for those of an image, in which its commands are run."""

    def __init__(self, context: Path, folder: Path) -> None:
        self.steps = read_dockerfile(context / "Dockerfile")
        self.folders = {path: folder / path[1:] for path in ("/opt/seedbed", "/bundle", "/tmp")}
        for path in self.folders.values():
            path.mkdir(parents=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = str(free.getsockname()[1])

    def of(self, stage: int, word: str) -> list[Instruction]:
        return [step for step in self.steps if (step.stage, step.word) == (stage, word)]

    def here(self, text: str) -> str:
        """Return a command's word with folders and port of this test."""
        places = "|".join(self.folders)
        text = re.sub(rf"(?<![\w/])({places})\b", lambda found: str(self.folders[found[0]]), text)
        return text.replace("8000", self.port)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the last stage, and no others."""
        (step,) = self.of(2, "ENV")
        found = dict(re.findall(r'(\w+)="([^"]*)"', step.text))
        return {
            name: self.here(value.replace("$PATH", "/usr/bin:/bin"))
            for name, value in found.items()
        }

    def run(self, command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        """Run a command of the last stage, in a folder with nothing around it."""
        words = [self.here(word) for word in command]
        words[0] = str(shutil.which(words[0], path=self.environment["PATH"]))
        return subprocess.run(
            words,
            cwd=self.folders["/tmp"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def image(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The bundle of the prepared repository, installed as its Dockerfile says."""
    base = tmp_path_factory.mktemp("deployed")
    context = base / "context"
    shutil.copytree(prepared / "models/bundle", context)
    (context / "note.txt").write_text("no file of the bundle")
    made = Image(context, base / "image")
    bundle = made.folders["/bundle"]
    for step in made.of(1, "COPY"):
        source, target = step.text.split()
        copy = shutil.copytree if (context / source).is_dir() else shutil.copy
        copy(context / source, bundle / target)
    # The packages come from the registry that this machine is set up for.
    path = f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"
    for step in made.of(1, "RUN"):
        words = [made.here(word) for word in step.command]
        done = subprocess.run(
            words,
            cwd=bundle,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(bundle)
    everything, *kept = (context / ".dockerignore").read_text().splitlines()
    assert everything == "*"
    ignored = shutil.ignore_patterns(
        *({file.name for file in context.iterdir()} - {name[1:] for name in kept})
    )
    shutil.copytree(context, bundle, ignore=ignored)
    return made


@pytest.mark.slow
def test_the_image_verifies_its_bundle(image: Image) -> None:
    (step,) = image.of(2, "RUN")
    done = image.run(step.command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "50 sample rows, answered as in training, to the last bit" in done.stdout
    (image.folders["/bundle"] / "added.txt").touch()
    try:
        assert image.run(step.command).returncode == 1, "else an image with other files were built"
    finally:
        (image.folders["/bundle"] / "added.txt").unlink()


@pytest.mark.slow
def test_nothing_is_installed_that_only_developing_needs(image: Image) -> None:
    listed = "from importlib.metadata import distributions; print(*(d.name.lower() for d in distributions()))"
    installed = set(image.run(["python", "-c", listed]).stdout.split())
    assert {"seedbed", "uvicorn", "scikit-learn"} <= installed
    assert installed.isdisjoint({*DEVELOPING, "pip", "setuptools"})


@pytest.mark.slow
def test_all_that_serving_imports_is_installed(image: Image) -> None:
    # No column of flights is an image: Pillow is not needed.
    done = image.run(["python", "-c", MISSING, *BEYOND_SERVING, "PIL"])
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.slow
def test_the_image_serves_and_answers_as_in_training(image: Image, tmp_path: Path) -> None:
    samples = json.loads((image.folders["/bundle"] / "samples.json").read_text())
    (entry,), (cmd,), (health,) = (
        image.of(2, word) for word in ("ENTRYPOINT", "CMD", "HEALTHCHECK")
    )
    check = list(json.loads(health.text.partition("CMD ")[2]))
    assert image.run(check).returncode != 0, "nothing is served yet"
    command = [image.here(word) for word in [*json.loads(entry.text), *json.loads(cmd.text)]]
    command[0] = str(image.folders["/opt/seedbed"] / "bin" / command[0])
    log = tmp_path / "log"
    whole = [
        "env",
        "-i",
        *(f"{name}={value}" for name, value in image.environment.items()),
        *command,
    ]
    with started(whole, log, cwd=image.folders["/tmp"]) as process:
        wait_for(lambda: image.run(check).returncode == 0, "the server never answered", limit=60)
        request = urllib.request.Request(
            f"http://127.0.0.1:{image.port}/predict",
            json.dumps({"rows": samples["rows"]}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert json.load(response)["answers"] == samples["answers"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0, log.read_text()
    names = (image.folders["/bundle"] / ".dockerignore").read_text().split()
    left = {f"!{file.name}" for file in image.folders["/bundle"].iterdir()}
    assert left == {*names} - {"*"}, "nothing is written into the bundle"


@pytest.mark.slow
def test_the_image_scores_a_table(image: Image) -> None:
    samples = json.loads((image.folders["/bundle"] / "samples.json").read_text())
    table = image.folders["/tmp"] / "rows.csv"
    pd.DataFrame(samples["rows"]).to_csv(table, index=False)
    done = image.run(["seedbed", "score", "rows.csv", "answers.csv", "--bundle", "/bundle"])
    assert done.returncode == 0, done.stdout + done.stderr
    answers = pd.read_csv(table.with_name("answers.csv"), float_precision="round_trip")
    assert answers["score"].tolist() == [row["score"] for row in samples["answers"]]
