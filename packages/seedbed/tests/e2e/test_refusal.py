"""A model that the gate refuses: an experiment records it, plain `dvc repro` stops at it."""

import pytest

from support import Project

DUMMY = ["-S", "model=dummy", "-S", "gate.better_than_baseline=true"]
REASON = "roc_auc does not beat the baseline's beyond chance"


def bundle_files(project: Project) -> list[str]:
    return sorted(file.name for file in (project.root / "models/bundle").glob("*"))


@pytest.mark.slow
def test_an_experiment_records_the_refusal_and_repro_then_stops(project: Project) -> None:
    project.dvc("exp", "run", "--name", "refused", *DUMMY)
    assert bundle_files(project) == ["verdict.json"]
    table = project.dvc("exp", "show", "--csv").splitlines()
    assert ",no," in next(line for line in table if line.startswith("refused,"))
    assert REASON in project.experiment_file("refused", "reports/refusal.txt")
    loading = 'from seedbed.serving import load_bundle; load_bundle("models/bundle")'
    assert REASON in project.run("python", "-c", loading, check=False).stdout
    assert REASON in project.refused("dvc", "repro")
    assert bundle_files(project) == [], "no bundle is left that could be served"


@pytest.mark.slow
def test_an_applied_experiment_that_was_refused_stops_repro(project: Project) -> None:
    project.dvc("exp", "run", "--queue", "--name", "refused", *DUMMY)
    project.dvc("exp", "run", "--run-all", **project.active)
    project.dvc("exp", "apply", "refused")
    assert bundle_files(project) == ["verdict.json"]
    assert REASON in project.refused("dvc", "repro")
    again = project.dvc("exp", "run", "--name", "again", *DUMMY)
    assert again.count("Running stage 'package'") == 1


@pytest.mark.slow
def test_repro_after_an_edit_of_conf_stops_where_an_experiment_recorded_the_refusal(
    project: Project,
) -> None:
    project.dvc("exp", "run", "--temp", *DUMMY)
    project.edit("conf/config.yaml", "  - model: hist_gradient_boosting", "  - model: dummy")
    tiny = "conf/experiment/tiny.yaml"
    project.edit(tiny, "better_than_baseline: false", "better_than_baseline: true")
    assert REASON in project.refused("dvc", "repro")
    assert bundle_files(project) == []
    project.git("checkout", "--", "conf")
    project.dvc("repro")
    assert "pipeline.skops" in bundle_files(project)
