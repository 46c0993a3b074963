"""Real models of the three kinds of problem, made by the real stages on few rows."""

import contextlib
import importlib
import inspect
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from seedbed.config.compose import compose_text
from seedbed.config.params import read_params

REPOSITORY = Path(__file__).parents[4]
STAGES = ("ingest", "clean", "featurize", "train", "evaluate", "gate", "package")
QUICK = [
    *("evaluation=quick", "evaluation.importance_rows=50", "evaluation.importance_repeats=1"),
    "gate.better_than_baseline=false",
]
LINEAR = "model=logistic_regression"
OVERRIDES = {
    "flights": [
        "dataset.sample=3000", "model.arguments.max_iter=10", "~gate.thresholds.roc_auc", *QUICK,
    ],
    "wine": ["dataset=wine", LINEAR, "~gate.thresholds.log_loss", *QUICK],
    "diabetes": ["dataset=diabetes", LINEAR, "~gate.thresholds.rmse", *QUICK],
}  # fmt: skip
SMALL = {"random_forest": ["model.arguments.n_estimators=10"]}
"""What makes a model of a kind a quick one."""


def _run_stages(root: Path, overrides: list[str], stages: tuple[str, ...] = STAGES) -> None:
    if overrides:
        (root / "params.yaml").write_text(compose_text(root, overrides), encoding="utf-8")
    with contextlib.chdir(root):
        for name in stages:
            stage = getattr(importlib.import_module(f"project.stages.{name}"), name)
            stage(**read_params(list(inspect.signature(stage).parameters)))


def _make_root(root: Path) -> None:
    shutil.copytree(REPOSITORY / "conf", root / "conf")
    shutil.copytree(REPOSITORY / "src", root / "src")
    shutil.copy(REPOSITORY / "requirements.lock", root)
    (root / ".dvc").mkdir()


@pytest.fixture
def new_root(tmp_path: Path) -> Path:
    """A folder that is a repository to the stages: conf/, src/, requirements.lock and .dvc/."""
    _make_root(tmp_path / "root")
    return tmp_path / "root"


@pytest.fixture(scope="session")
def run_stages() -> Callable[..., None]:
    """Return a function that runs stages in a folder, on what conf/ and overrides compose to."""
    return _run_stages


@pytest.fixture(scope="session")
def built(shared_folder: Path) -> Callable[..., Path]:
    """Return a function from a dataset's name to a repository with its bundle, only to be read.

    With the name of a model of conf/, the bundle is of that model.
    """

    def make(root: Path, name: str, model: str) -> None:
        if model:
            shutil.copytree(build(name), root)
            chosen = [each for each in OVERRIDES[name] if not each.startswith("model")]
            chosen += [f"model={model}", *SMALL.get(model, [])]
            _run_stages(root, chosen, ("train", "evaluate", "gate", "package"))
        else:
            _make_root(root)
            _run_stages(root, OVERRIDES[name])

    def build(name: str, model: str = "") -> Path:
        root = shared_folder / "built" / f"{name}{model and '-'}{model}"
        root.parent.mkdir(exist_ok=True)
        done = root.with_suffix(".done")
        with FileLock(root.with_suffix(".lock")):
            if not done.exists():
                shutil.rmtree(root, ignore_errors=True)
                make(root, name, model)
                done.touch()
        return root

    return build


@pytest.fixture
def bundle_copy(built: Callable[[str], Path], tmp_path: Path) -> Path:
    """A copy of the bundle of flights, to damage."""
    return Path(shutil.copytree(built("flights") / "models/bundle", tmp_path / "bundle"))
