"""How params.yaml follows conf/ in real commands of DVC; its rules one by one: config/test_compose.py."""

import os
import signal
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from warm import warm

from support import Project, stages_in, started, wait_for

HGB = "conf/model/hist_gradient_boosting.yaml"


def params(project: Project, experiment: str | None = None) -> dict:
    text = (
        project.experiment_file(experiment, "params.yaml")
        if experiment
        else (project.root / "params.yaml").read_text(encoding="utf-8")
    )
    return OmegaConf.to_container(OmegaConf.create(text))  # type: ignore[return-value]


@pytest.mark.parametrize(
    "mode", [[], ["--temp"], pytest.param(["--queue"], marks=pytest.mark.slow)], ids=str
)
def test_an_experiment_keeps_its_overrides(project: Project, mode: list[str]) -> None:
    changes = ("-S", "split.folds=2", "-S", "seed=7")
    project.dvc("exp", "run", *mode, *changes, "-n", "odd", "compose")
    if mode == ["--queue"]:
        # DVC's worker is found on the PATH, so here the environment must be active.
        project.run("dvc", "queue", "start", **project.active)
        wait_for(lambda: "odd" in project.experiments(), "the queue made no experiment", limit=90)
    made = params(project, "odd")
    assert (made["seed"], made["split"]["folds"]) == (7, 2)
    recorded = OmegaConf.create(project.experiment_file("odd", "reports/overrides.yaml"))
    assert recorded.changed == {"seed": 7, "split": {"folds": 2}}


@pytest.mark.slow
def test_an_untracked_file_under_conf_is_named(project: Project) -> None:
    (project.root / "conf/model/mine.yaml").write_text((project.root / HGB).read_text())
    run = ("exp", "run", "-S", "seed=3", "compose")
    refused = project.refused("dvc", "exp", "run", "--temp", *run[2:])
    assert "conf/model/mine.yaml" in refused
    assert "git add" in refused
    # In the workspace the file is there, so all is in step.
    assert stages_in(project.dvc(*run)) == ["compose"]


@pytest.mark.parametrize(
    ("seed", "override", "named"),
    [(1, "split.folds=2", "--no-hydra"), (0, "model=random_forest", "random_forest")],
)
def test_no_hydra_that_would_lose_an_edit_or_a_section_is_refused(
    project: Project, seed: int, override: str, named: str
) -> None:
    project.edit("conf/config.yaml", "seed: 0", f"seed: {seed}")
    run = ("dvc", "exp", "run", "--no-hydra", "-S", override, "compose")
    assert named in project.refused(*run)


def test_an_edit_after_an_adopted_experiment_names_the_overrides_and_the_ways_on(
    project: Project,
) -> None:
    project.dvc("exp", "run", "-S", "seed=2", "-n", "second", "compose")
    project.commit("take seed 2")
    project.edit("conf/config.yaml", "# Every choice", "# Each choice")
    refused = project.refused("dvc", "repro", "compose")
    for words in ("seed=2", "seedbed adopt", "dvc exp run -S", "seedbed compose --reset"):
        assert words in refused
    assert params(project)["seed"] == 2
    project.run("seedbed", "compose", "--reset")
    assert params(project)["seed"] == 0


@pytest.mark.slow
def test_adopt_makes_an_experiment_the_default(project: Project) -> None:
    overrides = ("-S", "model=dummy", "-S", "split.folds=2", "-S", "seed=4")
    project.dvc("exp", "run", *overrides, "train")
    before = params(project)
    printed = project.run("seedbed", "adopt", "simple").stdout
    assert "conf/experiment/simple.yaml: model=dummy, split.folds=2, seed=4" in printed
    after = params(project)
    assert {**after, "conf_hash": ""} == {**before, "conf_hash": ""}
    assert after["conf_hash"] != before["conf_hash"]
    assert project.stages_run("train") == ["compose"]
    assert OmegaConf.load(project.root / "reports/overrides.yaml").changed == {}
    project.git("add", "conf")
    project.dvc("exp", "run", "--temp", "-S", "seed=5", "-n", "on-top", "compose")
    on_top = params(project, "on-top")
    assert (on_top["seed"], on_top["model"]["name"]) == (5, "dummy")


def test_a_command_works_in_a_subfolder_and_without_activating(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 6")
    inside = project.root / "conf"
    assert "dvc.yaml' does not exist" in project.refused("dvc", "repro", cwd=inside)
    bare = ["env", "-i", "PATH=/usr/bin:/bin", str(project.root / ".venv/bin/dvc"), "repro"]
    printed = project.run(*bare, "../dvc.yaml:compose", cwd=inside).stdout
    assert [stage.rpartition(":")[2] for stage in stages_in(printed)] == ["compose"]
    assert params(project)["seed"] == 6
    project.edit("conf/config.yaml", "seed: 6", "seed: 9")
    assert project.stages_run("train") == ["compose", "train"], "compose comes before one stage"


@pytest.mark.slow
def test_doctor_mends_a_killed_experiment(project: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [project.root / ".venv/bin/dvc", "exp", "run", "-S", "seed=8", "train"]
    with started(command, log, project.root, **warm()) as process:
        wait_for(lambda: "stage.sh train" in log.read_text(), "train did not begin", limit=90)
        assert "running" in project.refused("seedbed", "doctor")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "detached" in project.refused("seedbed", "doctor")
    project.run("seedbed", "doctor", "--mend")
    assert "nothing to mend" in project.run("seedbed", "doctor").stdout
    assert project.git("symbolic-ref", "--short", "HEAD") == "main"
    project.git("checkout", "HEAD", "--", ".")
    project.make("restore")
    assert project.stages_run() == []
