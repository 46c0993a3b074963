"""A slot is one worker's checkout of the snapshot; what is made in it becomes an experiment."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from seedbed.errors import UserError
from seedbed.sweeps.slots import SLOTS, Slot, find_experiment, held
from seedbed.sweeps.snapshot import Sweep, take_snapshot

from support import Project, state


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
    files = [file for file in root.rglob("*") if file.is_file()]
    names = {file.relative_to(root).as_posix(): file for file in files}
    return {
        name: file.read_text()
        for name, file in names.items()
        if not name.startswith((".git/", ".dvc/"))
    }


def test_a_slot_holds_the_uncommitted_work_on_top_of_the_baseline(
    small: Project, sweep: Sweep
) -> None:
    before = state(small)
    slot = Slot.acquire(small.root)
    slot.reset(sweep)
    assert slot.root == small.root / SLOTS / "0"
    assert work_tree(slot.root) == work_tree(small.root)
    assert (git(slot, "rev-parse", "HEAD"), git(slot, "write-tree")) == (
        sweep.baseline,
        sweep.tree,
    )
    assert git(slot, "count-objects").startswith("0 objects"), "the repository's are borrowed"
    assert state(small) == before
    slot.release()


def test_each_holder_has_a_slot_of_its_own_and_the_first_free_one_is_taken(small: Project) -> None:
    hold = "import sys; from pathlib import Path; from seedbed.sweeps.slots import Slot; slot = Slot.acquire(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(small.root)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout.readline() == "held\n"
        other = Slot.acquire(small.root)
        process.kill()
    mine = Slot.acquire(small.root)
    assert (other.root.name, mine.root.name) == ("1", "0")
    assert held(small.root)
    assert "a sweep is running" in small.refused(sys.executable, "-m", "seedbed", "idle")
    for slot in (mine, other):
        slot.release()
    assert not held(small.root)


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
    (slot.root / "left/later").write_text("gone")
    for name in ("index.lock", "HEAD.lock", "config.lock"):
        (slot.root / ".git" / name).touch()
    (slot.root / ".dvc/tmp").mkdir(parents=True, exist_ok=True)
    (slot.root / ".dvc/tmp/rwlock").write_text("")  # killed while it wrote its locks
    slot.reset(sweep)
    assert not (slot.root / ".dvc/tmp/rwlock").exists()
    assert work_tree(slot.root) == {**before, "data/rows.csv": "kept"}


@pytest.mark.parametrize("left", [".git/objects/info/x", ".git/index"])
def test_what_a_killed_process_half_made_is_made_anew(
    small: Project, sweep: Sweep, left: str
) -> None:
    if left == ".git/index":
        first = Slot.acquire(small.root)
        first.reset(sweep)
        first.release()
    file = small.root / SLOTS / "0" / left
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("half")
    slot = Slot.acquire(small.root)
    slot.prepare(sweep)
    slot.release()
    assert work_tree(slot.root) == work_tree(small.root)


def test_a_commit_is_an_experiment_on_the_baseline(
    small: Project, sweep: Sweep, slot: Slot
) -> None:
    (slot.root / "reports").mkdir()
    (slot.root / "reports/metrics.json").write_text('{"a": 1}\n')
    (slot.root / "src/code.py").unlink()
    (slot.root / "data").mkdir()
    (slot.root / "data/rows.csv").write_text("ignored")
    before = state(small)
    assert slot.commit(sweep, "mlp-1a2b", "seedbed: model=ü") is False
    found = find_experiment(sweep, "*1a2b")
    assert found is not None
    assert found[0] == "mlp-1a2b"
    commit = small.git("rev-parse", f"refs/exps/{sweep.baseline[:2]}/{sweep.baseline[2:]}/mlp-1a2b")
    assert found[1] == commit
    about = small.git("show", "--no-patch", "--format=%P %an <%ae> %s", commit)
    assert about == f"{sweep.baseline} Tester <tester@example.org> seedbed: model=ü"
    listed = set(small.git("ls-tree", "-r", "--name-only", commit).splitlines())
    assert {"reports/metrics.json", "conf/new.yaml"} <= listed
    assert not {"src/code.py", "notes.md", "data/rows.csv", ".dvc/config.local"} & listed
    assert state(small) == before
    shutil.rmtree(slot.root)
    assert small.git("fsck", "--no-dangling") == "", "an experiment needs nothing of its slot"


def test_an_experiment_that_is_there_is_never_moved(sweep: Sweep, slot: Slot) -> None:
    slot.commit(sweep, "one", "first")
    first = find_experiment(sweep, "one")
    (slot.root / "src/code.py").write_text("other\n")
    assert slot.commit(sweep, "one", "second") is True
    assert find_experiment(sweep, "one") == first
    with pytest.raises(UserError, match="update-ref"):
        slot.commit(sweep, "no..name", "x")
