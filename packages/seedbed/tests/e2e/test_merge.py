"""Two branches that both edited conf/ and ran the graph are merged: `seedbed resolve`, `dvc repro`, commit, and all is in step."""

import pytest
from omegaconf import OmegaConf

from support import Project

GENERATED = {"dvc.lock", "params.yaml", "reports/overrides.yaml", "reports/train/metrics.json"}


@pytest.fixture
def parted(project: Project) -> Project:
    """The prepared project with a second branch, `theirs`; each side edited conf/ and ran the graph."""
    edits = {
        "theirs": ("conf/split/time.yaml", "folds: 3", "folds: 2"),
        "main": (
            "conf/model/hist_gradient_boosting.yaml",
            "learning_rate: 0.1",
            "learning_rate: 0.2",
        ),
    }
    project.git("branch", "theirs")
    for branch, edit in edits.items():
        project.git("switch", "--quiet", branch)
        project.edit(*edit)
        project.dvc("repro")
        project.commit(branch)
    return project


@pytest.mark.slow
def test_a_merge_in_which_every_generated_file_conflicts_has_a_way_out(parted: Project) -> None:
    assert parted.run("git", "merge", "theirs", check=False).returncode != 0
    assert set(parted.git("diff", "--name-only", "--diff-filter=U").split()) >= GENERATED

    # What leads here: DVC cannot read the lock, and the docs quote what it says.
    assert "dvc.lock' is invalid" in parted.refused("dvc", "repro")

    printed = parted.run("seedbed", "resolve").stdout
    assert "params.yaml and reports/overrides.yaml: composed from conf/" in printed
    assert "next: `dvc repro`" in printed
    assert parted.git("diff", "--name-only", "--diff-filter=U") == ""

    ran = parted.stages_run()
    assert "train" in ran
    assert not {"ingest", "validate", "clean", "featurize"} & set(ran), (
        "what both sides share is not run again"
    )
    parted.git("add", "--update")
    parted.git("commit", "--quiet", "--no-edit")

    params = OmegaConf.load(parted.root / "params.yaml")
    assert (params.model.arguments.learning_rate, params.split.folds) == (0.2, 2)
    folds = (parted.root / "reports/train/plots/folds.csv").read_text(encoding="utf-8").splitlines()
    assert len(folds) == 1 + 2
    assert "are in step" in parted.run("seedbed", "check").stdout
    assert parted.git("status", "--porcelain") == ""
    assert parted.stages_run() == []
    assert len(parted.git("show", "--no-patch", "--format=%P", "HEAD").split()) == 2
