"""Retraining: an experiment on newer rows that the gate judges and that can be promoted; nothing else changes."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from seedbed.locks import lock

from support import Project, copied, made_once, started, state, wait_for

WINDOW = "  window: {start: '2013-01-01', end: '2013-04-01'}"
REFUSING = ("thresholds: {roc_auc: 0.0}", "thresholds: {roc_auc: 0.99}")
LENIENT = ("baseline: false\n", "baseline: false\n  champion: {tolerance: 0.5}\n")
"""Of a few hundred test rows nobody can tell whether a model is 1 % worse."""


@pytest.fixture(scope="session")
def in_use_once(prepared: Path, shared_folder: Path) -> Path:
    """A model of January to March, promoted; only to be copied."""

    def make(target: Path) -> None:
        project = copied(prepared, target)
        project.edit("conf/dataset/flights.yaml", "  window: {start: null, end: null}", WINDOW)
        project.edit("conf/experiment/tiny.yaml", *LENIENT)
        project.run("seedbed", "compose", "--reset")
        project.dvc("repro")
        project.commit("the first quarter")
        project.run("seedbed", "promote")

    return made_once(shared_folder, "first-quarter", make)


@pytest.fixture
def in_use(in_use_once: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    return copied(in_use_once, tmp_path / "project")


def retrain(project: Project, *arguments: str, code: int = 0, **options: object) -> str:
    """Retrain; return what it printed."""
    done = project.run("seedbed", "retrain", *arguments, check=False, **options)  # type: ignore[arg-type]
    assert done.returncode == code, done.stdout
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout


def whole_state(project: Project) -> list[object]:
    """Return all that a retraining must leave as it was: Git's view, tags, and each file's content."""
    files = {
        path.relative_to(project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for top in sorted(project.root.iterdir())
        if top.name not in (".git", ".dvc", ".venv")
        for path in ([top] if top.is_file() else sorted(top.rglob("*")))
        if path.is_file() and "__pycache__" not in path.parts and "retraining" not in path.parts
    }
    index = project.git("ls-files", "--stage")
    return [*state(project), project.git("for-each-ref", "refs/tags", "refs/heads"), index, files]


def only_experiment(project: Project) -> str:
    [name] = project.experiments()
    return name


def report(project: Project, name: str) -> str:
    return (project.root / f"reports/retraining/{name}.md").read_text("utf-8")


def test_an_accepted_model_is_an_experiment_that_can_be_promoted_and_rolled_back(
    in_use: Project,
) -> None:
    before = whole_state(in_use)
    printed = retrain(in_use, "--end", "2013-06-01")
    assert whole_state(in_use) == before
    name = only_experiment(in_use)
    assert re.fullmatch(r"retrain-2013-06-01-[0-9a-f]{10}", name)
    assert f"Report: reports/retraining/{name}.md" in printed
    params = yaml.safe_load(in_use.experiment_file(name, "params.yaml"))
    assert params["dataset"]["window"] == {"start": "2013-01-01", "end": "2013-06-01"}
    text = report(in_use, name)
    for words in (
        "accepted",
        "Window: [2013-01-01, 2013-06-01); before: [2013-01-01, 2013-04-01).",
        "| metric | champion v0.1.0 | challenger | better by |",
        "Nor was the champion",
        f"`seedbed promote --experiment {name}` makes it the champion",
        "`seedbed rollback v0.1.0` brings the champion of before back",
    ):
        assert words in text
    assert "was promoted" not in text

    assert "Accepted" in retrain(in_use, "--end", "2013-06-01"), "what is there is not made again"
    assert only_experiment(in_use) == name
    assert report(in_use, name) == text

    printed = in_use.run("seedbed", "promote", "--experiment", name).stdout
    assert "model v0.2.0 is in use" in printed
    assert in_use.git("status", "--porcelain") == ""
    assert in_use.git("log", "-1", "--format=%s") == "Promote model v0.2.0"
    assert in_use.stages_run() == []
    served = (in_use.root / "models/champion/bundle.json").read_bytes()
    assert served == (in_use.root / "models/bundle/bundle.json").read_bytes()
    assert "WRONG" not in in_use.run("seedbed", "lineage").stdout
    assert "nothing is new" in retrain(in_use, "--end", "2013-06-01", code=4)
    assert "v0.1.0 is in use again" in in_use.run("seedbed", "rollback", "v0.1.0").stdout
    assert "no experiment of this name" in in_use.refused(
        "seedbed", "promote", "--experiment", name
    )


def test_a_refused_model_changes_nothing(in_use: Project) -> None:
    in_use.edit("conf/experiment/tiny.yaml", *REFUSING)
    in_use.run("seedbed", "compose", "--reset")
    in_use.commit("ask for more")
    before = whole_state(in_use)
    printed = retrain(in_use, "--end", "2013-05-01", "--promote", code=3)
    assert "Refused: roc_auc" in printed and "below the threshold 0.99" in printed
    assert whole_state(in_use) == before
    name = only_experiment(in_use)
    assert "refused" in report(in_use, name)
    assert "the gate refused" in in_use.refused("seedbed", "promote", "--experiment", name)
    assert whole_state(in_use) == before


def test_promote_promotes_what_the_gate_accepts(in_use: Project) -> None:
    printed = retrain(in_use, "--end", "2013-05-01", "--sliding", "--promote")
    assert "Accepted" in printed and "model v0.2.0 is in use" in printed
    params = yaml.safe_load((in_use.root / "params.yaml").read_text("utf-8"))
    assert params["dataset"]["window"] == {"start": "2013-01-31", "end": "2013-05-01"}
    text = report(in_use, only_experiment(in_use))
    assert "model v0.2.0 is in use" in text and "`seedbed rollback v0.1.0`" in text
    assert in_use.git("status", "--porcelain") == ""
    assert in_use.stages_run() == []
    tags = in_use.git("tag", "--list", "model*").splitlines()
    assert tags == ["model#production#1", "model#production#2", "model@v0.1.0", "model@v0.2.0"]
    assert "nothing is new" in retrain(in_use, "--end", "2013-05-01", "--promote", code=4)


def test_without_a_champion_the_thresholds_decide(project: Project) -> None:
    project.edit("conf/dataset/flights.yaml", "  window: {start: null, end: null}", WINDOW)
    project.run("seedbed", "compose", "--reset")
    project.commit("a window, and no model of it yet")
    printed = retrain(project, "--end", "2013-05-01", "--promote")
    assert "model v0.1.0 is in use" in printed
    text = report(project, only_experiment(project))
    assert "There is no champion yet" in text and "no earlier champion to roll back to" in text
    assert project.git("status", "--porcelain") == ""
    assert project.stages_run() == []
