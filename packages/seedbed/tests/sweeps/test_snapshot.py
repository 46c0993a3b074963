"""A sweep is pinned to the work tree as it was, which it neither changes nor loses, and refuses what no job could use."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.sweeps.snapshot import Sweep, take_snapshot

from support import REPOSITORY, Project, state


def take(project: Project) -> Sweep:
    return take_snapshot(project.root)


def write(project: Project, name: str, text: str = "new\n") -> None:
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    (project.root / name).write_text(text, encoding="utf-8")


def test_without_uncommitted_work_the_commit_is_the_snapshot(small: Project) -> None:
    sweep = take(small)
    assert sweep.root == str(small.root)
    assert sweep.baseline == sweep.snapshot == small.git("rev-parse", "HEAD")
    assert sweep.tree == small.git("rev-parse", "HEAD^{tree}")
    assert small.git("for-each-ref", "refs/seedbed") == ""


def test_uncommitted_work_is_in_the_snapshot_and_stays_where_it_is(small: Project) -> None:
    write(small, "src/new.py")
    small.git("add", "src/new.py")
    write(small, "src/new.py", "newer\n")
    write(small, "conf/config.yaml", "seed: 2\n")
    small.git("rm", "--quiet", "notes.md")
    before = state(small)
    sweep = take(small)
    assert state(small) == before
    assert sweep.baseline == small.git("rev-parse", "HEAD") != sweep.snapshot
    assert small.git("show", f"{sweep.snapshot}:src/new.py") == "newer"
    assert small.git("show", f"{sweep.snapshot}:conf/config.yaml") == "seed: 2"
    assert "notes.md" not in small.git("ls-tree", "--name-only", sweep.tree).splitlines()


def test_the_snapshot_outlives_a_cleaning_by_git_until_it_is_let_go(small: Project) -> None:
    write(small, "conf/config.yaml")
    sweep = take(small)
    small.git("gc", "--quiet", "--prune=now")
    assert small.git("cat-file", "-t", sweep.snapshot) == "commit"
    assert small.git("for-each-ref", "--format=%(refname)", "refs/seedbed") == sweep.ref
    sweep.release()
    assert small.git("for-each-ref", "refs/seedbed") == ""
    sweep.release()


def test_work_of_which_git_makes_no_snapshot_is_refused(small: Project) -> None:
    write(small, "src/new.py", "new")
    small.git("add", "--intent-to-add", "src/new.py")
    with pytest.raises(UserError, match=r"no snapshot of the uncommitted work.*git add -N"):
        take(small)


@pytest.mark.parametrize(
    "name",
    ["conf/model/mine.yaml", "src/mine.py", "packages/seedbed/src/seedbed/mine.py", "conf/größe.yaml", "table.csv", "raw.csv.dvc", ".dvcignore"],
)  # fmt: skip
def test_an_untracked_file_that_a_job_would_miss_is_refused(small: Project, name: str) -> None:
    write(small, name)
    message = rf"Git does not track {re.escape(name)}, so no job would have it. Run `git add`"
    with pytest.raises(UserError, match=message):
        take(small)


@pytest.mark.parametrize(
    "name",
    ["scratch.md", "configuration/a.yaml", "sources.txt", "data/raw.csv", "conf/_mine.yaml", "src/.a.py.swp", "conf/model/.mlp.yaml.swp", "conf/model/mlp.yaml~", "conf/#mlp.yaml#", "conf/model/.a.tmp1"],
)  # fmt: skip
def test_an_untracked_file_that_no_stage_reads_is_left_alone(small: Project, name: str) -> None:
    shutil.copyfile(REPOSITORY / ".gitignore", small.root / ".gitignore")
    write(small, ".gitignore", (small.root / ".gitignore").read_text() + "/data\n")
    write(small, name)
    take(small)
    assert (small.root / name).exists()


def detach(project: Project, _: Path) -> Project:
    project.git("switch", "--quiet", "--detach")
    return project


def no_commit(project: Project, _: Path) -> Project:
    project.git("switch", "--quiet", "--orphan", "empty")
    return project


def shallow(project: Project, folder: Path) -> Project:
    project.git("commit", "--quiet", "--allow-empty", "-m", "second")
    project.git("clone", "--quiet", "--depth=1", f"file://{project.root}", str(folder / "clone"))
    return Project(folder / "clone")


def part_of_another(project: Project, _: Path) -> Project:
    write(project, "inner/dvc.yaml", "stages: {}\n")
    project.commit("a project inside")
    return Project(project.root / "inner")


def nobody(project: Project, _: Path) -> Project:
    for key in ("user.name", "user.email"):
        project.git("config", "--unset", key)
    project.git("config", "user.useConfigOnly", "true")
    return project


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (detach, "HEAD is detached at .* Run `git switch <branch>`"),
        (no_commit, "there is no commit yet.* Run `git add -A && git commit`"),
        (shallow, "shallow clone.* Run `git fetch --unshallow`"),
        (part_of_another, "a folder of a larger Git repository"),
        (nobody, "Git does not know who you are.* Run `git config user.name"),
    ],
)
def test_a_repository_on_which_no_experiment_could_hang_is_refused(
    small: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Project, Path], Project],
    message: str,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)
    spoilt = spoil(small, tmp_path)
    with pytest.raises(UserError, match=message):
        take(spoilt)
    assert spoilt.git("for-each-ref", "refs/seedbed", "refs/exps") == ""
