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


@pytest.fixture
def short(project: Project) -> Project:
    """The prepared project, where only compose is of interest."""
    return project


def test_repro_with_nothing_changed_runs_nothing(project: Project) -> None:
    assert project.stages_run() == []


@pytest.mark.parametrize(
    "mode", ["workspace", "--temp", pytest.param("--queue", marks=pytest.mark.slow)]
)
def test_an_experiment_keeps_its_overrides(short: Project, mode: str) -> None:
    options = [] if mode == "workspace" else [mode]
    short.dvc("exp", "run", *options, "-S", "split.folds=2", "-S", "seed=7", "-n", "odd", "compose")
    if mode == "--queue":
        # DVC's worker is found on the PATH, so here the environment must be active.
        short.run("dvc", "queue", "start", **short.active)
        wait_for(
            lambda: "odd" in short.dvc("exp", "list", "--name-only"),
            "the queue made no experiment",
            limit=90,
        )
    found = short.experiments()
    assert list(found) == ["odd"]
    assert params(short, found["odd"])["seed"] == 7
    assert params(short, found["odd"])["split"]["folds"] == 2
    recorded = OmegaConf.create(short.experiment_file("odd", "reports/overrides.yaml"))
    assert dict(recorded.changed) == {"seed": 7, "split.folds": 2}


@pytest.mark.parametrize("mode", [[], ["--temp"]])
def test_an_untracked_file_under_conf_is_named(short: Project, mode: list[str]) -> None:
    (short.root / "conf/model/mine.yaml").write_text((short.root / HGB).read_text())
    said = short.refused("dvc", "exp", "run", *mode, "-S", "seed=3", "compose") if mode else None
    if said is None:  # in the workspace the file is there, so all is in step
        assert stages_in(short.dvc("exp", "run", "-S", "seed=3", "compose")) == ["compose"]
    else:
        assert "conf/model/mine.yaml" in said
        assert "git add" in said


def test_no_hydra_after_an_edit_is_refused(short: Project) -> None:
    short.edit("conf/config.yaml", "seed: 0", "seed: 1")
    assert "--no-hydra" in short.refused(
        "dvc", "exp", "run", "--no-hydra", "-S", "split.folds=2", "compose"
    )


def test_no_hydra_with_a_word_for_a_section_is_refused(short: Project) -> None:
    said = short.refused("dvc", "exp", "run", "--no-hydra", "-S", "model=random_forest", "compose")
    assert "model" in said
    assert "random_forest" in said


def test_a_worktree_composes_its_own_conf(short: Project, tmp_path: Path) -> None:
    short.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    tree = Project(tmp_path / "tree")
    tree.edit("conf/config.yaml", "seed: 0", "seed: 5")
    done = short.run("dvc", "repro", "compose", cwd=tree.root)
    assert stages_in(done.stdout) == ["compose"]
    assert params(tree)["seed"] == 5
    assert params(short)["seed"] == 0
    assert short.git("status", "--porcelain") == ""


@pytest.mark.slow
def test_applied_then_repro_runs_nothing_more(project: Project) -> None:
    project.dvc("exp", "run", "--temp", "-S", "seed=2", "-n", "second")
    project.dvc("exp", "apply", "second")
    assert project.stages_run() == []
    assert params(project)["seed"] == 2


def test_applied_and_committed_then_conf_edited_stops_and_names_the_overrides(
    short: Project,
) -> None:
    short.dvc("exp", "run", "-S", "seed=2", "-n", "second", "compose")
    short.commit("take seed 2")
    short.edit("conf/config.yaml", "# Every choice", "# Each choice")
    said = short.refused("dvc", "repro", "compose")
    assert "seed=2" in said
    for way in ("seedbed adopt", "dvc exp run -S", "seedbed compose --reset"):
        assert way in said
    assert params(short)["seed"] == 2
    short.run("seedbed", "compose", "--reset")
    assert params(short)["seed"] == 0


def test_adopt_writes_the_overrides_into_conf(short: Project) -> None:
    short.dvc("exp", "run", "-S", "model=dummy", "-S", "split.folds=2", "-S", "seed=4", "compose")
    before = params(short)
    told = short.run("seedbed", "adopt").stdout
    assert "conf/config.yaml: model: dummy" in told
    assert "conf/split/time.yaml: folds: 2" in told
    after = params(short)
    assert {**after, "conf_hash": ""} == {**before, "conf_hash": ""}
    assert after["conf_hash"] != before["conf_hash"]
    assert (
        "# of training; split.seed is for splitting"
        in (short.root / "conf/config.yaml").read_text()
    )
    assert OmegaConf.load(short.root / "reports/overrides.yaml").changed == {}


@pytest.mark.slow
def test_adopt_keeps_what_was_edited_in_conf_since(short: Project) -> None:
    short.dvc("exp", "run", "-S", "seed=2", "compose")
    short.edit(
        "conf/model/hist_gradient_boosting.yaml", "learning_rate: 0.1", "learning_rate: 0.05"
    )
    assert "seedbed adopt" in short.refused("dvc", "repro", "compose")
    assert short.run("seedbed", "adopt").stdout.splitlines()[0] == "conf/config.yaml: seed: 2"
    assert params(short)["seed"] == 2
    assert params(short)["model"]["arguments"]["learning_rate"] == 0.05


def test_a_missing_params_file_is_asked_back_from_git(short: Project) -> None:
    (short.root / "params.yaml").unlink()
    assert "git checkout params.yaml" in short.refused("dvc", "repro", "compose")
    short.git("checkout", "params.yaml")
    assert short.stages_run("compose") == []


def test_a_missing_params_file_that_git_never_had_is_composed(short: Project) -> None:
    short.git("rm", "--quiet", "--cached", "params.yaml")
    short.git("commit", "--quiet", "-m", "forget")
    (short.root / "params.yaml").unlink()
    short.dvc("repro", "compose")
    assert params(short)["seed"] == 0


def test_repro_of_one_stage_composes_first(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 9")
    ran = project.stages_run("train")
    assert ran == ["compose", "train"]


@pytest.mark.slow
def test_a_merge_of_two_edits_of_conf_has_a_way_out(short: Project) -> None:
    short.git("switch", "--quiet", "-c", "ours")
    short.edit("conf/config.yaml", "seed: 0", "seed: 1")
    short.dvc("repro", "compose")
    short.commit("seed 1")
    short.git("switch", "--quiet", "main")
    short.edit("conf/split/time.yaml", "folds: 3", "folds: 2")
    short.dvc("repro", "compose")
    short.commit("two folds")
    assert short.run("git", "merge", "ours", check=False).returncode != 0
    for file in ("dvc.lock", "params.yaml", "reports/overrides.yaml"):
        short.git("checkout", "--ours", "--", file)
    short.run("seedbed", "compose", "--reset")
    short.dvc("repro", "compose")
    assert params(short)["seed"] == 1
    assert params(short)["split"]["folds"] == 2


def test_a_command_works_in_a_subfolder_and_without_activating(short: Project) -> None:
    short.edit("conf/config.yaml", "seed: 0", "seed: 6")
    assert "dvc.yaml' does not exist" in short.refused("dvc", "repro", cwd=short.root / "conf")
    done = short.run(
        "env",
        "-i",
        "PATH=/usr/bin:/bin",
        str(short.root / ".venv/bin/dvc"),
        "repro",
        "../dvc.yaml:compose",
        cwd=short.root / "conf",
    )
    assert [stage.rpartition(":")[2] for stage in stages_in(done.stdout)] == ["compose"]
    assert params(short)["seed"] == 6


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
