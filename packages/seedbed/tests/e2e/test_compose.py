"""The nine rules by which params.yaml follows conf/: each failure below was once seen to happen."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from warm import warm

from support import Project, stages_in, wait_for

HGB = "conf/model/hist_gradient_boosting.yaml"


def params(project: Project, rev: str | None = None) -> dict:
    text = (
        project.git("show", f"{rev}:params.yaml")
        if rev
        else (project.root / "params.yaml").read_text()
    )
    return OmegaConf.to_container(OmegaConf.create(text))  # type: ignore[return-value]


def test_repro_with_nothing_changed_runs_nothing(project: Project) -> None:
    assert project.stages_run() == []


@pytest.mark.parametrize(
    "mode", ["workspace", "--temp", pytest.param("--queue", marks=pytest.mark.slow)]
)
def test_an_experiment_keeps_its_overrides(project: Project, mode: str) -> None:
    options = [] if mode == "workspace" else [mode]
    project.dvc(
        "exp", "run", *options, "-S", "split.folds=2", "-S", "seed=7", "-n", "odd", "compose"
    )
    if mode == "--queue":
        # DVC's worker is found on the PATH, so here the environment must be active.
        project.run("dvc", "queue", "start", **project.active)
        wait_for(
            lambda: "odd" in project.dvc("exp", "list", "--name-only"),
            "the queue made no experiment",
            limit=90,
        )
    found = project.experiments()
    assert list(found) == ["odd"]
    assert params(project, found["odd"])["seed"] == 7
    assert params(project, found["odd"])["split"]["folds"] == 2
    recorded = OmegaConf.create(project.experiment_file("odd", "reports/overrides.yaml"))
    assert recorded.changed == {"seed": 7, "split": {"folds": 2}}


def test_an_untracked_file_under_conf_is_named(project: Project) -> None:
    (project.root / "conf/model/mine.yaml").write_text((project.root / HGB).read_text())
    said = project.refused("dvc", "exp", "run", "--temp", "-S", "seed=3", "compose")
    assert "conf/model/mine.yaml" in said
    assert "git add" in said
    # In the workspace the file is there, so all is in step.
    assert stages_in(project.dvc("exp", "run", "-S", "seed=3", "compose")) == ["compose"]


def test_no_hydra_after_an_edit_is_refused(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 1")
    assert "--no-hydra" in project.refused(
        "dvc", "exp", "run", "--no-hydra", "-S", "split.folds=2", "compose"
    )


def test_no_hydra_with_a_word_for_a_section_is_refused(project: Project) -> None:
    said = project.refused(
        "dvc", "exp", "run", "--no-hydra", "-S", "model=random_forest", "compose"
    )
    assert "model" in said
    assert "random_forest" in said


def test_a_worktree_composes_its_own_conf(project: Project, tmp_path: Path) -> None:
    project.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    tree = Project(tmp_path / "tree")
    tree.edit("conf/config.yaml", "seed: 0", "seed: 5")
    done = project.run("dvc", "repro", "compose", cwd=tree.root)
    assert stages_in(done.stdout) == ["compose"]
    assert params(tree)["seed"] == 5
    assert params(project)["seed"] == 0
    assert project.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_applied_then_repro_runs_nothing_more(project: Project) -> None:
    project.dvc("exp", "run", "--temp", "-S", "seed=2", "-n", "second")
    project.dvc("exp", "apply", "second")
    assert project.stages_run() == []
    assert params(project)["seed"] == 2


def test_applied_and_committed_then_conf_edited_stops_and_names_the_overrides(
    project: Project,
) -> None:
    project.dvc("exp", "run", "-S", "seed=2", "-n", "second", "compose")
    project.commit("take seed 2")
    project.edit("conf/config.yaml", "# Every choice", "# Each choice")
    said = project.refused("dvc", "repro", "compose")
    assert "seed=2" in said
    for way in ("seedbed adopt", "dvc exp run -S", "seedbed compose --reset"):
        assert way in said
    assert params(project)["seed"] == 2
    project.run("seedbed", "compose", "--reset")
    assert params(project)["seed"] == 0


def test_adopt_makes_an_experiment_the_default(project: Project) -> None:
    overrides = ("-S", "model=dummy", "-S", "split.folds=2", "-S", "seed=4")
    project.dvc("exp", "run", *overrides, "train")
    before = params(project)
    said = project.run("seedbed", "adopt", "simple").stdout
    assert "conf/experiment/simple.yaml: model=dummy, split.folds=2, seed=4" in said
    after = params(project)
    assert {**after, "conf_hash": ""} == {**before, "conf_hash": ""}
    assert after["conf_hash"] != before["conf_hash"]
    assert project.stages_run("train") == ["compose"]
    assert OmegaConf.load(project.root / "reports/overrides.yaml").changed == {}
    project.git("add", "conf")
    project.dvc("exp", "run", "--temp", "-S", "seed=5", "-n", "on-top", "compose")
    on_top = params(project, project.experiments()["on-top"])
    assert (on_top["seed"], on_top["model"]["name"]) == (5, "dummy")


@pytest.mark.slow
def test_adopt_keeps_what_was_edited_in_conf_since(project: Project) -> None:
    project.dvc("exp", "run", "-S", "seed=2", "compose")
    project.edit(HGB, "learning_rate: 0.1", "learning_rate: 0.05")
    assert "seedbed adopt NAME" in project.refused("dvc", "repro", "compose")
    project.run("seedbed", "adopt", "second")
    assert params(project)["seed"] == 2
    assert params(project)["model"]["arguments"]["learning_rate"] == 0.05


def test_a_missing_params_file_is_asked_back_from_git(project: Project) -> None:
    (project.root / "params.yaml").unlink()
    assert "git checkout params.yaml" in project.refused("dvc", "repro", "compose")
    project.git("checkout", "params.yaml")
    assert project.stages_run("compose") == []


def test_a_missing_params_file_that_git_never_had_is_composed(project: Project) -> None:
    project.git("rm", "--quiet", "--cached", "params.yaml")
    project.git("commit", "--quiet", "-m", "forget")
    (project.root / "params.yaml").unlink()
    project.dvc("repro", "compose")
    assert params(project)["seed"] == 0


def test_repro_of_one_stage_composes_first(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 9")
    ran = project.stages_run("train")
    assert ran == ["compose", "train"]


def test_a_command_works_in_a_subfolder_and_without_activating(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 6")
    assert "dvc.yaml' does not exist" in project.refused("dvc", "repro", cwd=project.root / "conf")
    done = project.run(
        "env",
        "-i",
        "PATH=/usr/bin:/bin",
        str(project.root / ".venv/bin/dvc"),
        "repro",
        "../dvc.yaml:compose",
        cwd=project.root / "conf",
    )
    assert [stage.rpartition(":")[2] for stage in stages_in(done.stdout)] == ["compose"]
    assert params(project)["seed"] == 6


def test_doctor_mends_a_killed_experiment(project: Project) -> None:
    log = project.root.parent / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [project.root / ".venv/bin/dvc", "exp", "run", "-S", "seed=8", "train"],
            cwd=project.root,
            env={**os.environ, **warm()},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
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
