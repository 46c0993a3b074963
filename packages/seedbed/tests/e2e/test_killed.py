"""A `dvc repro` killed at any stage is taken up again by the next one, and ends in the same bytes."""

import signal

import psutil
import pytest

from support import Project, outputs, started, wait_for

SLOW = ["ingest", "explore", "clean", "featurize", "train", "evaluate", "gate", "package"]
KILLED_AT_THE_RENAME = """
import os, pathlib, signal
pathlib.Path.replace = lambda path, target: os.killpg(0, signal.SIGKILL)
"""
"""Python runs it as it starts: all of the process group is killed when an output is written, and not yet in its place."""


def at_work_in(project: Project) -> list[psutil.Process]:
    """Return the processes whose working directory is the project."""
    return [each for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(project.root)]


def half_written(project: Project) -> list[str]:
    """Return the outputs that are being written, or were when their stage was killed."""
    return [
        path.name
        for top in ("data", "models", "reports")
        for path in (project.root / top).rglob(".*.tmp")
        if path.exists()
    ]


def kill_while_writing(project: Project, stage: str) -> None:
    """Force the stage, killed with -9, and DVC with it, while its first output is half there."""
    hook = project.root.parent / "hook"
    hook.mkdir(exist_ok=True)
    (hook / "sitecustomize.py").write_text(KILLED_AT_THE_RENAME, encoding="utf-8")
    with started(
        [project.root / ".venv/bin/dvc", "repro", "--force", "--single-item", stage],
        project.root.parent / "killed.log",
        project.root,
        PYTHONPATH=str(hook),
    ) as process:
        assert process.wait(60) == -signal.SIGKILL, (project.root.parent / "killed.log").read_text()
    wait_for(lambda: not at_work_in(project), "something of the killed run goes on")


@pytest.mark.parametrize(
    "stage",
    ["compose", "validate", *(pytest.param(stage, marks=pytest.mark.slow) for stage in SLOW)],
)
def test_the_next_repro_recovers(project: Project, stage: str) -> None:
    lock, before = (project.root / "dvc.lock").read_bytes(), outputs(project.root)
    kill_while_writing(project, stage)
    assert half_written(project)
    project.dvc("repro")
    assert (project.root / "dvc.lock").read_bytes() == lock
    assert outputs(project.root) == before
    assert project.git("status", "--porcelain") == ""
    assert project.stages_run() == []


@pytest.mark.slow
def test_what_a_killed_stage_leaves_is_mended(project: Project) -> None:
    before = outputs(project.root)
    kill_while_writing(project, "train")
    assert outputs(project.root) != before, "DVC removes a stage's outputs before it runs"
    assert "half-written" in project.refused("seedbed", "doctor")
    project.run("seedbed", "doctor", "--mend")
    assert half_written(project) == []
    project.make("restore")
    assert outputs(project.root) == before
    assert project.stages_run() == []
