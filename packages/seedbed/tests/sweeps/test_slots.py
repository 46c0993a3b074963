"""A slot is one worker's checkout of the pinned state; what is made in it becomes an experiment of the repository."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.sweeps.slots import (
    SLOTS,
    Slot,
    find_experiment,
    held,
)
from seedbed.sweeps.snapshot import Sweep, take_snapshot

from support import Project


@pytest.fixture
def sweep(small: Project) -> Sweep:
    """Of uncommitted work: one file edited, one added, one removed."""
    (small.root / "conf/config.yaml").write_text("seed: 2\n")
    (small.root / "conf/new.yaml").write_text("new: true\n")
    small.git("add", "conf/new.yaml")
    small.git("rm", "--quiet", "notes.md")
    return take_snapshot(small.root)


@pytest.fixture
def slot(small: Project, sweep: Sweep) -> Iterator[Slot]:
    slot = Slot.acquire(small.root)
    slot.reset(sweep)
    yield slot
    slot.release()


def git(slot: Slot, *arguments: str) -> str:
    return Project(slot.root).git(*arguments)


def work_tree(root: Path) -> dict[str, str]:
    files = [
        file
        for file in root.rglob("*")
        if file.is_file() and not {".git", ".dvc"} & set(file.parts[len(root.parts) :])
    ]
    return {file.relative_to(root).as_posix(): file.read_text() for file in files}


def test_a_slot_holds_the_pinned_work_on_top_of_the_baseline(
    small: Project, sweep: Sweep, slot: Slot
) -> None:
    assert slot.root == small.root / SLOTS / "0"
    assert work_tree(slot.root) == work_tree(small.root)
    assert git(slot, "rev-parse", "HEAD") == sweep.baseline
    assert git(slot, "write-tree") == sweep.tree


def test_the_repository_does_not_notice_its_slots(small: Project, sweep: Sweep) -> None:
    before = (
        small.git("status", "--porcelain"),
        small.git("diff", "--cached"),
        small.git("for-each-ref"),
    )
    slot = Slot.acquire(small.root)
    slot.reset(sweep)
    slot.release()
    assert (
        small.git("status", "--porcelain"),
        small.git("diff", "--cached"),
        small.git("for-each-ref"),
    ) == before


def test_a_slot_copies_no_object_of_the_repository(slot: Slot) -> None:
    assert git(slot, "count-objects").startswith("0 objects")


def test_each_holder_has_a_slot_of_its_own_and_the_first_free_one_is_taken(small: Project) -> None:
    first, second = Slot.acquire(small.root), Slot.acquire(small.root)
    assert [slot.root.name for slot in (first, second)] == ["0", "1"]
    first.release()
    third = Slot.acquire(small.root)
    assert third.root.name == "0"
    second.release()
    third.release()


def test_the_slot_of_a_killed_process_is_free(small: Project) -> None:
    hold = "import sys; from pathlib import Path; from seedbed.sweeps.slots import Slot; slot = Slot.acquire(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(small.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        other = Slot.acquire(small.root)
        process.kill()
    assert other.root.name == "1"
    mine = Slot.acquire(small.root)
    assert mine.root.name == "0"
    for slot in (mine, other):
        slot.release()


def test_what_a_job_left_is_gone_after_a_reset_but_for_ignored_data(
    sweep: Sweep, slot: Slot
) -> None:
    before = work_tree(slot.root)
    (slot.root / "data").mkdir()
    (slot.root / "data/rows.csv").write_text("kept")
    (slot.root / "src/code.py").write_text("changed")
    (slot.root / "conf/config.yaml").unlink()
    (slot.root / "left/behind").mkdir(parents=True)
    (slot.root / "left/behind/file").write_text("gone")
    git(slot, "add", "--all")
    (slot.root / "left/later").mkdir()
    (slot.root / "left/later/file").write_text("gone")
    for name in ("index.lock", "HEAD.lock", "config.lock"):
        (slot.root / ".git" / name).touch()
    slot.reset(sweep)
    assert work_tree(slot.root) == {**before, "data/rows.csv": "kept"}


def test_a_slot_serves_sweeps_of_other_states(small: Project, sweep: Sweep, slot: Slot) -> None:
    small.commit("went on")
    (small.root / "src/code.py").write_text("3\n")
    later = take_snapshot(small.root)
    for one in (later, sweep, later):
        slot.reset(one)
        assert git(slot, "rev-parse", "HEAD") == one.baseline
        assert git(slot, "write-tree") == one.tree
    assert work_tree(slot.root) == work_tree(small.root)


def test_what_a_killed_process_half_made_is_made_anew(small: Project, sweep: Sweep) -> None:
    half = small.root / SLOTS / "0"
    (half / ".git/objects/info").mkdir(parents=True)
    (half / "left").write_text("x")
    slot = Slot.acquire(small.root)
    slot.reset(sweep)
    slot.release()
    assert work_tree(slot.root) == work_tree(small.root)


def test_what_cannot_be_reset_is_made_anew(sweep: Sweep, slot: Slot) -> None:
    before = work_tree(slot.root)
    (slot.root / ".git/index").write_text("half")
    with pytest.raises(UserError, match="index"):
        slot.reset(sweep)
    slot.prepare(sweep)
    assert work_tree(slot.root) == before


def test_who_asks_is_told_whether_a_sweep_runs(small: Project, slot: Slot) -> None:
    assert held(small.root)
    assert "a sweep is running" in small.refused(sys.executable, "-m", "seedbed", "idle")
    slot.release()
    assert not held(small.root)


def test_a_commit_is_an_experiment_on_the_baseline(
    small: Project, sweep: Sweep, slot: Slot
) -> None:
    (slot.root / "reports").mkdir()
    (slot.root / "reports/metrics.json").write_text('{"a": 1}\n')
    (slot.root / "src/code.py").unlink()
    (slot.root / "data").mkdir()
    (slot.root / "data/rows.csv").write_text("ignored")
    before = (small.git("status", "--porcelain"), small.git("rev-parse", "HEAD"))
    assert slot.commit(sweep, "mlp-1a2b", "seedbed: model=mlp") is False
    found = find_experiment(sweep, "*1a2b")
    assert found is not None
    assert found[0] == "mlp-1a2b"
    commit = found[1]
    assert (
        small.git("rev-parse", f"refs/exps/{sweep.baseline[:2]}/{sweep.baseline[2:]}/mlp-1a2b")
        == commit
    )
    assert small.git("show", "--no-patch", "--format=%P %an <%ae> %s", commit) == (
        f"{sweep.baseline} Tester <tester@example.org> seedbed: model=mlp"
    )
    listed = small.git("ls-tree", "-r", "--name-only", commit).splitlines()
    assert "reports/metrics.json" in listed
    assert "conf/new.yaml" in listed
    assert not {"src/code.py", "notes.md", "data/rows.csv", ".dvc/config.local"} & set(listed)
    assert small.git("show", f"{commit}:reports/metrics.json") == '{"a": 1}'
    assert (small.git("status", "--porcelain"), small.git("rev-parse", "HEAD")) == before


def test_an_experiment_needs_nothing_of_its_slot(small: Project, sweep: Sweep, slot: Slot) -> None:
    (slot.root / "src/code.py").write_text("made in the slot\n")
    slot.commit(sweep, "one", "one")
    shutil.rmtree(slot.root)
    assert small.git("fsck", "--no-dangling") == ""
    assert small.experiment_file("one", "src/code.py") == "made in the slot"


def test_an_experiment_that_is_there_is_never_moved(sweep: Sweep, slot: Slot) -> None:
    slot.commit(sweep, "one", "first")
    first = find_experiment(sweep, "one")
    (slot.root / "src/code.py").write_text("other\n")
    assert slot.commit(sweep, "one", "second") is True
    assert find_experiment(sweep, "one") == first


def test_a_name_that_git_does_not_allow_is_an_error(sweep: Sweep, slot: Slot) -> None:
    with pytest.raises(UserError, match="update-ref"):
        slot.commit(sweep, "no..name", "x")


def test_experiments_of_other_baselines_are_not_found(
    small: Project, sweep: Sweep, slot: Slot
) -> None:
    slot.commit(sweep, "one", "one")
    small.commit("went on")
    later = take_snapshot(small.root)
    assert find_experiment(later, "one") is None
    assert find_experiment(sweep, "on") is None


def test_an_experiment_is_found_by_the_hash_that_its_name_ends_in(sweep: Sweep, slot: Slot) -> None:
    slot.commit(sweep, "mlp-seed1-0a1b2c", "one")
    slot.commit(sweep, "0a1b", "the hash alone")
    for name, digest in (("mlp-seed1-0a1b2c", "0a1b2c"), ("0a1b", "0a1b")):
        found = find_experiment(sweep, f"*{digest}")
        assert found is not None
        assert found[0] == name
    assert find_experiment(sweep, "*1b2") is None
