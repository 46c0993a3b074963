"""What a killed experiment leaves behind is found and mended; what is alive or a person's own is left alone."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.doctor import examine_repository
from seedbed.errors import UserError

DEAD = 2**22 + 1  # above the largest process id that Linux gives
LOCK = ".dvc/tmp/rwlock"


def git(root: Path, *arguments: str) -> str:
    name = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"]
    done = subprocess.run(
        ["git", *name, *arguments], cwd=root, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / ".dvc/tmp/exps").mkdir(parents=True)
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "root")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "begin")
    return folder


@pytest.fixture
def other_process(request: pytest.FixtureRequest) -> Iterator[int]:
    """A living process whose command line ends in the word that the test gives."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", request.param])
    yield process.pid
    process.kill()
    process.wait()


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def write_lock(root: Path, pid: int, kind: str = "write", name: str = LOCK) -> None:
    holder = {"pid": pid, "cmd": "dvc exp run"}
    write(root / name, {kind: {"data/raw": [holder] if kind == "read" else holder}})


def mend(root: Path) -> list[str]:
    done = [fault.mend() for fault in examine_repository(root)]
    assert examine_repository(root) == []
    return done


def test_a_repository_in_order_has_nothing_to_mend(root: Path) -> None:
    write(root / LOCK, {})
    write(root / ".dvc/tmp/exps/rwlock", {})
    assert examine_repository(root) == []


def test_marks_are_removed_and_experiments_stay(root: Path) -> None:
    git(root, "update-ref", "refs/exps/exec/EXEC_BASELINE", "HEAD")
    git(root, "update-ref", "refs/exps/aa/bb/kept", "HEAD")
    assert "refs/exps/exec/EXEC_BASELINE" in examine_repository(root)[0].description
    assert mend(root) == ["removed refs/exps/exec/EXEC_BASELINE"]
    assert git(root, "for-each-ref", "--format=%(refname)", "refs/exps") == "refs/exps/aa/bb/kept"


def test_what_dvc_leaves_where_all_went_well_is_no_fault(root: Path) -> None:
    for name in ("EXEC_HEAD", "EXEC_APPLY"):
        git(root, "update-ref", f"refs/exps/exec/{name}", "HEAD")
    assert examine_repository(root) == []


def test_head_goes_back_to_the_branch_it_was_on(root: Path) -> None:
    git(root, "branch", "another")
    git(root, "switch", "--quiet", "-c", "work")
    git(root, "switch", "--quiet", "--detach")
    git(root, "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")
    (root / "edited.txt").write_text("mine")
    assert "it was on work" in examine_repository(root)[1].description
    assert "HEAD is on work again" in mend(root)[1]
    assert git(root, "symbolic-ref", "--short", "HEAD") == "work"
    assert (root / "edited.txt").read_text() == "mine"


def test_head_stays_detached_where_no_branch_ends(root: Path) -> None:
    git(root, "switch", "--quiet", "--detach")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "elsewhere")
    git(root, "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")
    assert "no branch ends there" in examine_repository(root)[1].description
    assert "choose one with `git switch`" in mend(root)[1]


def test_a_person_who_detached_head_is_left_alone(root: Path) -> None:
    git(root, "switch", "--quiet", "--detach")
    assert examine_repository(root) == []


@pytest.mark.parametrize("kind", ["read", "write"])
@pytest.mark.parametrize("name", [LOCK, ".dvc/tmp/exps/rwlock"])
def test_a_lock_of_a_dead_process_is_freed(root: Path, kind: str, name: str) -> None:
    write_lock(root, DEAD, kind, name)
    assert mend(root) == [f"freed {name}"]
    assert json.loads((root / name).read_text()) == {}


@pytest.mark.parametrize("half", ["", '{"read": {'])
def test_a_lock_that_a_killed_process_was_writing_is_freed(root: Path, half: str) -> None:
    (root / LOCK).write_text(half)
    assert mend(root) == [f"freed {LOCK}"]
    assert json.loads((root / LOCK).read_text()) == {}


@pytest.mark.parametrize("other_process", ["something-else"], indirect=True)
def test_a_lock_whose_number_another_program_has_now_is_freed(
    root: Path, other_process: int
) -> None:
    write_lock(root, other_process)
    assert mend(root) == [f"freed {LOCK}"]


@pytest.mark.parametrize("other_process", ["dvc"], indirect=True)
@pytest.mark.parametrize("trace", ["read", "write", "workspace"])
def test_an_experiment_that_runs_is_never_touched(
    root: Path, other_process: int, trace: str
) -> None:
    if trace == "workspace":
        write(root / ".dvc/tmp/exps/run/workspace/workspace.json", {"pid": other_process})
    else:
        write_lock(root, other_process, trace)
    git(root, "update-ref", "refs/exps/exec/EXEC_HEAD", "HEAD")
    with pytest.raises(UserError, match=rf"running here \(process {other_process}\)"):
        examine_repository(root)


@pytest.mark.parametrize("name", ["standalone/tmpabc", "tmpabc"])
def test_folders_of_killed_experiments_are_removed(root: Path, name: str) -> None:
    write(root / ".dvc/tmp/exps" / name / "data/raw.txt", "1")
    write(root / ".dvc/tmp/exps/run/kept.txt", "1")
    assert mend(root) == [f"removed .dvc/tmp/exps/{name}"]
    assert (root / ".dvc/tmp/exps/run/kept.txt").exists()


def test_a_folder_in_which_a_process_works_stays(root: Path) -> None:
    folder = root / ".dvc/tmp/exps/tmpabc/deep"
    folder.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], cwd=folder)
    try:
        assert examine_repository(root) == []
    finally:
        process.kill()
        process.wait()
    assert len(examine_repository(root)) == 1


def test_the_snapshot_of_a_killed_sweep_is_let_go(root: Path) -> None:
    git(root, "update-ref", f"refs/seedbed/sweeps/aa-bb-{DEAD}", "HEAD")
    git(root, "update-ref", f"refs/seedbed/sweeps/aa-bb-{os.getpid()}", "HEAD")
    assert mend(root) == [f"removed refs/seedbed/sweeps/aa-bb-{DEAD}"]
    assert git(root, "for-each-ref", "--format=%(refname)", "refs/seedbed").endswith(
        f"-{os.getpid()}"
    )


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"pid": null}'])
def test_a_broken_record_of_dvc_is_no_running_experiment(root: Path, content: str) -> None:
    write(root / ".dvc/tmp/exps/run/workspace/workspace.json", content)
    assert examine_repository(root) == []
