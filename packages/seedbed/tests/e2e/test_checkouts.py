"""Other places to work in: without an activated environment, in a worktree, in a clone on a second machine."""

import csv
from pathlib import Path

import pytest

from support import ENVIRONMENT, Project, outputs, stages_in


def test_a_clone_has_nothing_to_run_and_gets_experiments_through_both_remotes(
    with_experiments: Project, tmp_path: Path
) -> None:
    here, server = with_experiments, str(tmp_path / "server")
    here.git("init", "--quiet", "--bare", "--initial-branch=main", server)
    here.git("remote", "add", "origin", server)
    here.git("push", "--quiet", "origin", "main")
    here.git("clone", "--quiet", server, str(tmp_path / "clone"))
    (tmp_path / "clone/.venv").symlink_to(ENVIRONMENT)
    clone = Project(tmp_path / "clone")
    for project in (here, clone):
        project.dvc("remote", "add", "--local", "--default", "storage", str(tmp_path / "storage"))
    here.dvc("push")

    clone.dvc("pull")
    assert outputs(clone.root) == outputs(here.root)
    assert clone.stages_run() == []
    assert "in step" in clone.run("seedbed", "check").stdout
    assert clone.git("status", "--porcelain") == ""

    here.dvc("exp", "push", "origin", "linear", "second")
    clone.dvc("exp", "pull", "origin", "linear", "second")
    shown = csv.DictReader(clone.dvc("exp", "show", "--csv").splitlines())
    assert {"linear", "second"} <= {row["Experiment"] for row in shown}
    clone.dvc("exp", "apply", "linear")
    clone.dvc("pull")
    assert clone.stages_run() == []
    assert "name: logistic_regression" in (clone.root / "params.yaml").read_text(encoding="utf-8")
    assert (clone.root / "models/bundle/pipeline.skops").is_file()


@pytest.mark.slow
def test_a_worktree_runs_what_changed_there_without_an_activated_environment(
    project: Project, tmp_path: Path
) -> None:
    project.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    tree = Project(tmp_path / "tree")
    bare = ["env", "-i", "PATH=/usr/bin:/bin", str(project.root / ".venv/bin/dvc")]
    # A worktree has a cache of its own, unless it is told to share one.
    tree.run(*bare, "cache", "dir", "--local", str(project.root / ".dvc/cache"))
    tree.run(*bare, "checkout")
    tree.edit("conf/config.yaml", "seed: 0", "seed: 5")
    before = outputs(project.root)
    ran = stages_in(tree.run(*bare, "repro").stdout)
    assert ran == ["compose", "train", "evaluate", "gate", "package"]
    assert outputs(project.root) == before
    assert project.git("status", "--porcelain") == ""
    model = "models/model/pipeline.skops"
    assert (tree.root / model).read_bytes() != (project.root / model).read_bytes()
