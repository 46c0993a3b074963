"""A worktree of the repository, in which nothing is activated; a clone on a second machine: test_two_machines.py."""

from pathlib import Path

import pytest

from support import Project, outputs, stages_in


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
