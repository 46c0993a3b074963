"""Retraining: an experiment on newer rows that the gate judges and that can be promoted; nothing else changes."""

import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import yaml

from seedbed.locks import lock

from support import LONG, Project, copied, made_once, started, state, wait_for

OPEN = "  window: {start: null, end: null}"
WINDOW = "  window: {start: '2013-01-01', end: '2013-04-01'}"
LENIENT = ("baseline: false\n", "baseline: false\n  champion: {tolerance: 0.5}\n")
"""Of a few hundred test rows nobody can tell whether a model is 1 % worse."""
JUNE = ("--end", "2013-06-01")
MAY = ("--end", "2013-05-01")


def recomposed(project: Project, *edits: tuple[str, str, str]) -> None:
    """Edit files of conf/, compose, and commit."""
    for edit in edits:
        project.edit(*edit)
    project.run("seedbed", "compose", "--reset")
    project.commit("other choices")


@pytest.fixture(scope="session")
def in_use_once(prepared: Path, shared_folder: Path) -> Path:
    """A model of January to March, promoted; only to be copied."""

    def make(target: Path) -> None:
        project = copied(prepared, target)
        window = ("conf/dataset/flights.yaml", OPEN, WINDOW)
        recomposed(project, window, ("conf/experiment/tiny.yaml", *LENIENT))
        project.dvc("repro")
        project.commit("the first quarter")
        project.run("seedbed", "promote")

    return made_once(shared_folder, "first-quarter", make)


@pytest.fixture
def in_use(in_use_once: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    return copied(in_use_once, tmp_path / "project")


@pytest.fixture(scope="session")
def accepted_once(in_use_once: Path, shared_folder: Path) -> Path:
    """The same, and a model of January to May that the gate accepted; only to be copied."""

    def make(target: Path) -> None:
        project = copied(in_use_once, target)
        before = whole_state(project)
        printed = retrain(project, *JUNE)
        assert whole_state(project) == before
        assert f"Report: reports/retraining/{only_experiment(project)}.md" in printed
        shutil.rmtree(project.root / ".dvc/tmp/slots")  # a socket cannot be copied

    return made_once(shared_folder, "accepted", make)


@pytest.fixture
def accepted(accepted_once: Path, tmp_path: Path) -> Project:
    """A copy of it."""
    return copied(accepted_once, tmp_path / "project")


def retrain(project: Project, *arguments: str, code: int = 0, **options: object) -> str:
    """Retrain; return what it printed."""
    command = ("seedbed", "retrain", *arguments)
    done = project.run(*command, check=False, **options)  # type: ignore[arg-type]
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
        if path.is_file() and not {"__pycache__", "retraining"}.intersection(path.parts[:-1])
    }
    index = project.git("ls-files", "--stage")
    return [*state(project), project.git("for-each-ref", "refs/tags", "refs/heads"), index, files]


def only_experiment(project: Project) -> str:
    [name] = project.experiments()
    return name


def report(project: Project, name: str) -> str:
    return (project.root / f"reports/retraining/{name}.md").read_text("utf-8")


def tags(project: Project) -> list[str]:
    return project.git("tag", "--list", "model*").splitlines()


PROMOTED = ["model#production#1", "model#production#2", "model@v0.1.0", "model@v0.2.0"]


@pytest.mark.slow
def test_an_accepted_model_is_reported_and_not_made_again(accepted: Project) -> None:
    name = only_experiment(accepted)
    assert re.fullmatch(r"retrain-2013-06-01-[0-9a-f]{10}", name)
    params = yaml.safe_load(accepted.experiment_file(name, "params.yaml"))
    assert params["dataset"]["window"] == {"start": "2013-01-01", "end": "2013-06-01"}
    text = report(accepted, name)
    for words in (
        f"# Retraining {name}: accepted",
        "Window: [2013-01-01, 2013-06-01); before: [2013-01-01, 2013-04-01).",
        "| metric | champion v0.1.0 | challenger | better by |",
        "Nor was the champion",
        f"`seedbed promote --experiment {name}` makes it the champion",
        "`seedbed rollback v0.1.0` brings v0.1.0 back again",
    ):
        assert words in text
    commit = accepted.experiment_commits()[name]
    assert "Accepted" in retrain(accepted, *JUNE)
    assert accepted.experiment_commits() == {name: commit}
    assert report(accepted, name) == text


@pytest.mark.slow
def test_ci_commits_an_accepted_model_on_a_branch_of_its_own(accepted: Project) -> None:
    accepted.git("update-ref", "refs/remotes/origin/main", "HEAD")
    how = f"seedbed retrain {' '.join(JUNE)}"
    accepted.run(".ci/retrain", SEEDBED_RETRAIN=how)
    assert accepted.git("branch", "--show-current").strip() == "retrain"
    assert accepted.git("log", "-1", "--format=%an %b").strip() == f"retrain {how}"
    params = yaml.safe_load(accepted.git("show", "HEAD:params.yaml"))
    assert params["dataset"]["window"]["end"] == "2013-06-01"
    assert accepted.stages_run() == [], "what was trained aside is here"
    again = accepted.run(".ci/retrain", SEEDBED_RETRAIN=f"{how} --expanding")
    assert "nothing to propose" in again.stdout, "there are no newer rows"


@pytest.mark.slow
def test_it_is_promoted_by_name_and_rolled_back(accepted: Project) -> None:
    name = only_experiment(accepted)
    printed = accepted.run("seedbed", "promote", "--experiment", name).stdout
    assert "model v0.2.0 is in use" in printed
    assert accepted.git("status", "--porcelain") == ""
    assert accepted.git("log", "-1", "--format=%s") == "Promote model v0.2.0"
    assert tags(accepted) == PROMOTED
    assert accepted.stages_run() == []
    served = (accepted.root / "models/champion/bundle.json").read_bytes()
    assert served == (accepted.root / "models/bundle/bundle.json").read_bytes()
    assert "WRONG" not in accepted.run("seedbed", "lineage").stdout
    before = whole_state(accepted)
    assert "Nothing is new" in retrain(accepted, *JUNE, "--promote", code=4)
    by_name = ("seedbed", "promote", "--experiment", name)
    assert "no experiment of this name was made of HEAD" in accepted.refused(*by_name)
    assert whole_state(accepted) == before
    assert "v0.1.0 is in use again" in accepted.run("seedbed", "rollback", "v0.1.0").stdout


@pytest.mark.slow
def test_a_promotion_by_name_makes_the_files_that_a_plain_one_makes(accepted: Project) -> None:
    name, other = only_experiment(accepted), copied(accepted.root, accepted.root.parent / "other")
    accepted.run("seedbed", "promote", "--experiment", name)
    other.dvc("exp", "apply", name)
    other.commit("take it")
    other.run("seedbed", "promote")
    trees = [project.git("rev-parse", "HEAD^{tree}") for project in (accepted, other)]
    assert trees[0] == trees[1]


@pytest.mark.slow
def test_a_refused_model_changes_nothing(in_use: Project) -> None:
    asked = (
        "conf/experiment/tiny.yaml",
        "thresholds: {roc_auc: 0.0}",
        "thresholds: {roc_auc: 0.99}",
    )
    recomposed(in_use, asked)
    before = whole_state(in_use)
    printed = retrain(in_use, *MAY, "--promote", code=3)
    assert "Refused: roc_auc" in printed and "below the threshold 0.99" in printed
    assert whole_state(in_use) == before
    name = only_experiment(in_use)
    assert "refused" in report(in_use, name) and "The champion stays" in report(in_use, name)
    by_name = ("seedbed", "promote", "--experiment", name)
    assert "the gate refused this model" in in_use.refused(*by_name)
    assert whole_state(in_use) == before


@pytest.mark.slow
def test_rows_that_the_champion_was_trained_on_are_not_compared(in_use: Project) -> None:
    recomposed(in_use, ("conf/split/time.yaml", "\ntest: 0.15", "\ntest: 0.5"))
    assert "it was trained or chosen on at least" in retrain(in_use, "--end", "2013-04-03", code=3)
    text = report(in_use, only_experiment(in_use))
    assert "They were not compared: it was trained or chosen on at least" in text
    assert "If the champion has seen test rows: wait until there are newer ones" in text


@pytest.mark.slow
def test_promote_promotes_what_the_gate_accepts(in_use: Project) -> None:
    printed = retrain(in_use, *MAY, "--sliding", "--promote")
    assert "Accepted" in printed and "model v0.2.0 is in use" in printed
    params = yaml.safe_load((in_use.root / "params.yaml").read_text("utf-8"))
    assert params["dataset"]["window"] == {"start": "2013-01-31", "end": "2013-05-01"}
    text = report(in_use, only_experiment(in_use))
    assert "model v0.2.0 is in use" in text and "`seedbed rollback v0.1.0`" in text
    assert in_use.git("status", "--porcelain") == ""
    assert in_use.stages_run() == []
    assert tags(in_use) == PROMOTED


@pytest.mark.slow
def test_without_a_champion_the_thresholds_decide(project: Project) -> None:
    recomposed(project, ("conf/dataset/flights.yaml", OPEN, WINDOW))
    assert "model v0.1.0 is in use" in retrain(project, *MAY, "--promote")
    text = report(project, only_experiment(project))
    assert "There is no champion yet" in text and "no earlier champion to roll back to" in text
    assert project.git("status", "--porcelain") == ""
    assert project.stages_run() == []


@pytest.mark.slow
def test_an_open_window_is_compared_with_the_raw_rows(project: Project) -> None:
    before = whole_state(project)
    assert "Nothing is new: no row comes after data/raw" in retrain(project, code=4)
    assert whole_state(project) == before
    assert project.experiments() == {}


def edit(project: Project) -> None:
    project.edit("conf/config.yaml", "seed: 0", "seed: 1")


def edit_and_commit(project: Project) -> None:
    edit(project)
    project.commit()


def untracked_source(project: Project) -> None:
    (project.root / "data/source/more.csv").write_text("a\n1\n")


def no_time(project: Project) -> None:
    column = ("conf/dataset/flights.yaml", "  time: time_hour", "  time: null")
    features = ("conf/config.yaml", "  - features: rich", "  - features: basic")
    split = ("conf/config.yaml", "  - split: time", "  - split: random")
    recomposed(project, column, features, split)


def no_champion_file(project: Project) -> None:
    for folder in ("models/champion", ".dvc/cache/files"):
        shutil.rmtree(project.root / folder)


def no_git(project: Project) -> None:
    shutil.rmtree(project.root / ".git")


def broken_stage(project: Project) -> None:
    stage = project.root / "src/project/stages/train.py"
    stage.write_text(
        f"{stage.read_text('utf-8')}\nraise ValueError('no training today')\n", "utf-8"
    )
    project.commit()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (edit, r"uncommitted changes \(conf/config.yaml\).*Commit that, or put it aside"),
        (edit_and_commit, r"params.yaml is not in step with conf/.*Run `dvc repro`"),
        (untracked_source, r"Git does not track data/source/more.csv.*Run `git add`"),
        (no_time, r"columns.time names no column. Name one in the conf/dataset file"),
        (no_champion_file, r"the champion is not in DVC's cache.*Run `dvc pull models/champion`"),
        (no_git, r"there is no Git repository.*Run `git init`"),
        (broken_stage, r"train.*no training today.*The log is .*\.dvc/tmp/retrain.log"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)  # fmt: skip
@pytest.mark.slow
def test_what_stands_in_the_way_is_one_paragraph(
    change: Callable[[Project], None], message: str, in_use: Project
) -> None:
    change(in_use)
    repository = (in_use.root / ".git").exists()
    before = whole_state(in_use) if repository else None
    printed = retrain(in_use, *MAY, code=1)
    *progress, paragraph = printed.strip().splitlines()
    assert re.search(message, paragraph), printed
    assert len(progress) == (change is broken_stage), printed
    if repository:
        assert whole_state(in_use) == before
        assert in_use.experiments() == {}


@pytest.mark.slow
@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("mount"), reason="only root can mount a small disk"
)
@pytest.mark.parametrize("size", ["64k", "1m"])
def test_a_full_disk_fails_and_changes_nothing(in_use: Project, size: str) -> None:
    before, small = whole_state(in_use), in_use.root / ".dvc/tmp"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        printed = retrain(in_use, *MAY, code=1)
        assert re.search(
            r"No space left on device|disk( is|/quota)? full|unable to write file", printed
        )
        assert len(printed) < 3000
    finally:
        subprocess.run(["umount", "-l", small], check=True)
    assert whole_state(in_use) == before
    assert in_use.experiments() == {}


def test_a_second_one_gives_way(project: Project) -> None:
    with lock(project.root / ".dvc/tmp/retrain.lock"):
        assert "Another retraining or promotion is running" in retrain(project, code=5)
        assert "is running here" in project.refused("seedbed", "promote", "--experiment", "x")


KILLED = """
import os, signal, subprocess

run, word, when = subprocess.run, os.environ["KILL_AT"], os.environ["KILL"]

def run_and_die(command, *arguments, **options):
    if word in command and when == "before":
        os.killpg(0, signal.SIGKILL)
    done = run(command, *arguments, **options)
    if word in command and when == "after":
        os.killpg(0, signal.SIGKILL)
    return done

subprocess.run = run_and_die
"""
"""Python runs it as it starts: all of the process group is killed before or after a command of Git or DVC."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("word", "when"),
    [("merge", "before"), ("merge", "amid"), ("merge", "after"), ("models/champion.dvc", "after"), ("--allow-missing", "after")],
)  # fmt: skip
def test_a_promotion_killed_at_any_step_is_done_by_the_same_command(
    word: str, when: str, accepted: Project, tmp_path: Path
) -> None:
    name, before = only_experiment(accepted), whole_state(accepted)
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(KILLED, "utf-8")
    command = [accepted.root / ".venv/bin/seedbed", "promote", "--experiment", name]
    hook = {"KILL_AT": word, "KILL": when.replace("amid", "before")}
    log = tmp_path / "killed.log"
    with started(command, log, accepted.root, PYTHONPATH=str(tmp_path / "hook"), **hook) as process:
        assert process.wait(240) == -signal.SIGKILL, log.read_text()
    if when == "amid":
        for file in ("params.yaml", "reports/verdict.json"):
            text = accepted.git("show", f"refs/seedbed/promotion:{file}")
            (accepted.root / file).write_text(text, "utf-8")
        (accepted.root / ".git/index.lock").touch()
    elif when == "before":
        assert whole_state(accepted) == before
    printed = accepted.run("seedbed", "promote", "--experiment", name).stdout
    assert "model v0.2.0 is in use" in printed
    assert tags(accepted) == PROMOTED
    assert accepted.git("status", "--porcelain") == ""
    assert accepted.git("log", "--format=%s").count("Promote model v0.2.0") == 1
    assert accepted.git("for-each-ref", "refs/seedbed") == ""
    assert accepted.stages_run() == []


def at_work(project: Project) -> list[psutil.Process]:
    """Return the processes that work in a slot of the project."""
    slots = project.root / ".dvc/tmp"
    processes = psutil.process_iter(["cwd"])
    return [each for each in processes if Path(each.info["cwd"] or "/").is_relative_to(slots)]


@pytest.mark.slow
def test_killed_at_random_moments_it_leaves_all_as_it_was(in_use: Project, tmp_path: Path) -> None:
    """Each time another day is the end, so that there is all to do; some are typed again."""
    before, moments = whole_state(in_use), random.Random(17)
    seedbed, log = in_use.root / ".venv/bin/seedbed", tmp_path / "killed.log"
    began = time.monotonic()
    with started([seedbed, "retrain", *JUNE], log, in_use.root) as process:
        assert process.wait(600) == 0, log.read_text()
    whole = time.monotonic() - began
    killed, kills = 0, 20 if LONG else 2
    for day in range(2, 32):
        command = ("retrain", "--end", f"2013-05-{day:02}")
        there = in_use.experiments()
        with started([seedbed, *command], log, in_use.root) as process:
            delay = moments.uniform(0.02, 0.9) * whole
            time.sleep(delay)
            if process.poll() is not None:
                whole = min(whole, delay)  # the machine has less to do than at first
                continue
            os.killpg(process.pid, signal.SIGKILL)
        killed += 1
        wait_for(lambda: not at_work(in_use), "something of the killed retraining goes on")
        assert whole_state(in_use) == before, f"killed at {command}"
        assert there.items() <= in_use.experiments().items()
        if killed in (10, kills):
            retrain(in_use, *command[1:], limit=600)
            assert whole_state(in_use) == before
            assert any(f"-{command[2]}-" in name for name in in_use.experiments())
        if killed == kills:
            break
    assert killed == kills
    assert "Traceback" not in log.read_text()
    assert in_use.git("fsck", "--no-dangling") == ""
