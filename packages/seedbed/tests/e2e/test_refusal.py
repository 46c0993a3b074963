"""A model that the gate refuses: an experiment records it, plain `dvc repro` stops at it, however one comes by it."""

import json

import pytest

from support import Project

DUMMY = ["-S", "model=dummy", "-S", "gate.better_than_baseline=true"]
REASON = "roc_auc does not beat the baseline's beyond chance"


def bundle_files(project: Project) -> list[str]:
    return sorted(file.name for file in (project.root / "models/bundle").glob("*"))


def test_an_experiment_leaves_a_row_with_the_verdict_and_repro_then_stops(project: Project) -> None:
    project.dvc("exp", "run", "--name", "refused", *DUMMY)
    assert bundle_files(project) == ["verdict.json"]
    row = next(
        line
        for line in project.dvc("exp", "show", "--csv").splitlines()
        if line.startswith("refused,")
    )
    assert ",no," in row
    assert REASON in row
    loading = 'from seedbed.serving import load_bundle; load_bundle("models/bundle")'
    assert REASON in project.run("python", "-c", loading, check=False).stdout

    told = project.refused("dvc", "repro")
    assert REASON in told
    assert bundle_files(project) == [], "no bundle is left that could be served"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["--temp", "--queue"])
def test_an_applied_experiment_that_was_refused_stops_repro(project: Project, mode: str) -> None:
    project.dvc("exp", "run", mode, "--name", "refused", *DUMMY)
    if mode == "--queue":
        project.dvc("exp", "run", "--run-all", **project.active)
    verdict = json.loads(project.experiment_file("refused", "reports/gate.json"))
    assert verdict["gate"]["passed"] == "no"
    project.dvc("exp", "apply", "refused")
    assert bundle_files(project) == ["verdict.json"]
    assert REASON in project.refused("dvc", "repro")
    assert (
        project.dvc("exp", "run", "--name", "again", *DUMMY).count("Running stage 'package'") == 1
    )


@pytest.mark.slow
def test_repro_after_an_edit_of_conf_stops_even_when_an_experiment_recorded_the_refusal(
    project: Project,
) -> None:
    project.dvc("exp", "run", "--temp", *DUMMY)
    project.edit("conf/config.yaml", "  - model: hist_gradient_boosting", "  - model: dummy")
    project.edit(
        "conf/experiment/tiny.yaml", "better_than_baseline: false", "better_than_baseline: true"
    )
    assert REASON in project.refused("dvc", "repro")
    assert bundle_files(project) == []
    project.git("checkout", "--", "conf")
    project.dvc("repro")
    assert "pipeline.skops" in bundle_files(project)
