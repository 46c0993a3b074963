"""A slot is one worker's checkout of the pinned state; what is made in it becomes an experiment of the repository."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from dvc.config import Config

from seedbed.errors import UserError
from seedbed.sweeps.pin import Pin
from seedbed.sweeps.slots import (
    FOLDER,
    Slot,
    experiment_ref,
    find_by_digest,
    find_experiment,
    held,
    read_file,
)

from support import Project


@pytest.fixture
def pin(small: Project) -> Pin:
    """Of uncommitted work: one file edited, one added, one removed."""
    (small.root / "conf/config.yaml").write_text("seed: 2\n")
    (small.root / "conf/new.yaml").write_text("new: true\n")
    small.git("add", "conf/new.yaml")
    small.git("rm", "--quiet", "notes.md")
    return Pin.take(small.root, lambda baseline, tree: "sweep")


@pytest.fixture
def slot(small: Project, pin: Pin) -> Iterator[Slot]:
    slot = Slot.acquire(small.root)
    slot.reset(pin)
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
    small: Project, pin: Pin, slot: Slot
) -> None:
    assert slot.root == small.root / FOLDER / "0"
    assert work_tree(slot.root) == work_tree(small.root)
    assert git(slot, "rev-parse", "HEAD") == pin.baseline
    assert git(slot, "write-tree") == pin.tree


def test_the_repository_does_not_notice_its_slots(small: Project, pin: Pin) -> None:
    before = (
        small.git("status", "--porcelain"),
        small.git("diff", "--cached"),
        small.git("for-each-ref"),
    )
    slot = Slot.acquire(small.root)
    slot.reset(pin)
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


def test_what_a_job_left_is_gone_after_a_reset_but_for_ignored_data(pin: Pin, slot: Slot) -> None:
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
    slot.reset(pin)
    assert work_tree(slot.root) == {**before, "data/rows.csv": "kept"}


def test_a_slot_serves_sweeps_of_other_states(small: Project, pin: Pin, slot: Slot) -> None:
    small.commit("went on")
    (small.root / "src/code.py").write_text("3\n")
    later = Pin.take(small.root, lambda baseline, tree: "later")
    for one in (later, pin, later):
        slot.reset(one)
        assert git(slot, "rev-parse", "HEAD") == one.baseline
        assert git(slot, "write-tree") == one.tree
    assert work_tree(slot.root) == work_tree(small.root)


def test_what_a_killed_process_half_made_is_made_anew(small: Project, pin: Pin) -> None:
    half = small.root / FOLDER / "0"
    (half / ".git/objects/info").mkdir(parents=True)
    (half / "left").write_text("x")
    slot = Slot.acquire(small.root)
    slot.reset(pin)
    slot.release()
    assert work_tree(slot.root) == work_tree(small.root)


def test_what_cannot_be_reset_is_made_anew(pin: Pin, slot: Slot) -> None:
    before = work_tree(slot.root)
    (slot.root / ".git/index").write_text("half")
    with pytest.raises(UserError, match="index"):
        slot.reset(pin)
    slot.prepare(pin)
    assert work_tree(slot.root) == before


def test_who_asks_is_told_whether_a_sweep_runs(small: Project, slot: Slot) -> None:
    assert held(small.root)
    assert "a sweep is running" in small.refused(sys.executable, "-m", "seedbed", "idle")
    slot.release()
    assert not held(small.root)


@pytest.mark.parametrize(
    ("where", "settings", "cache"),
    [
        ("config", "", "small/.dvc/cache"),
        ("config", "[cache]\n    dir = ../../shared\n", "shared"),
        ("config.local", "[cache]\n    dir = ../../shared\n", "shared"),
    ],
)
def test_dvc_in_a_slot_uses_the_repositorys_cache_and_remembers_in_the_slot(
    small: Project, tmp_path: Path, where: str, settings: str, cache: str
) -> None:
    (small.root / ".dvc" / where).write_text(settings + '[remote "mine"]\n    url = /far/away\n')
    small.commit("settings")
    slot = Slot.acquire(small.root)
    slot.reset(Pin.take(small.root, lambda baseline, tree: "sweep"))
    slot.release()
    found = Config(dvc_dir=str(slot.root / ".dvc"))
    assert Path(found["cache"]["dir"]).resolve() == tmp_path / cache
    assert Path(found["core"]["site_cache_dir"]) == slot.root / ".dvc/tmp/site"
    assert found["remote"]["mine"]["url"] == "/far/away"


def test_local_settings_that_are_taken_back_are_taken_back_in_the_slot(
    small: Project, pin: Pin, slot: Slot
) -> None:
    local = small.root / ".dvc/config.local"
    local.write_text("[core]\n    autostage = true\n")
    slot.reset(pin)
    assert Config(dvc_dir=str(slot.root / ".dvc"))["core"].get("autostage") is True
    local.unlink()
    slot.reset(pin)
    assert not Config(dvc_dir=str(slot.root / ".dvc"))["core"].get("autostage")


def test_a_commit_is_an_experiment_on_the_baseline(small: Project, pin: Pin, slot: Slot) -> None:
    (slot.root / "reports").mkdir()
    (slot.root / "reports/metrics.json").write_text('{"a": 1}\n')
    (slot.root / "src/code.py").unlink()
    (slot.root / "data").mkdir()
    (slot.root / "data/rows.csv").write_text("ignored")
    before = (small.git("status", "--porcelain"), small.git("rev-parse", "HEAD"))
    assert slot.commit(pin, "mlp-1a2b", "seedbed: model=mlp") is False
    commit = find_experiment(pin, "mlp-1a2b")
    assert commit is not None
    assert (
        small.git("rev-parse", f"refs/exps/{pin.baseline[:2]}/{pin.baseline[2:]}/mlp-1a2b")
        == commit
    )
    assert small.git("show", "--no-patch", "--format=%P %an <%ae> %s", commit) == (
        f"{pin.baseline} Tester <tester@example.org> seedbed: model=mlp"
    )
    listed = small.git("ls-tree", "-r", "--name-only", commit).splitlines()
    assert "reports/metrics.json" in listed
    assert "conf/new.yaml" in listed
    assert not {"src/code.py", "notes.md", "data/rows.csv", ".dvc/config.local"} & set(listed)
    assert read_file(pin, commit, "reports/metrics.json") == '{"a": 1}'
    assert (small.git("status", "--porcelain"), small.git("rev-parse", "HEAD")) == before


def test_an_experiment_needs_nothing_of_its_slot(small: Project, pin: Pin, slot: Slot) -> None:
    (slot.root / "src/code.py").write_text("made in the slot\n")
    slot.commit(pin, "one", "one")
    shutil.rmtree(slot.root)
    assert small.git("fsck", "--no-dangling") == ""
    assert read_file(pin, experiment_ref(pin, "one"), "src/code.py") == "made in the slot"


def test_an_experiment_that_is_there_is_never_moved(pin: Pin, slot: Slot) -> None:
    slot.commit(pin, "one", "first")
    first = find_experiment(pin, "one")
    (slot.root / "src/code.py").write_text("other\n")
    assert slot.commit(pin, "one", "second") is True
    assert find_experiment(pin, "one") == first


def test_a_name_that_git_does_not_allow_is_an_error(pin: Pin, slot: Slot) -> None:
    with pytest.raises(UserError, match="update-ref"):
        slot.commit(pin, "no..name", "x")


def test_experiments_of_other_baselines_are_not_found(small: Project, pin: Pin, slot: Slot) -> None:
    slot.commit(pin, "one", "one")
    small.commit("went on")
    later = Pin.take(small.root, lambda baseline, tree: "later")
    assert find_experiment(later, "one") is None
    assert find_experiment(pin, "on") is None


def test_an_experiment_is_found_by_the_hash_that_its_name_ends_in(pin: Pin, slot: Slot) -> None:
    slot.commit(pin, "mlp-seed1-0a1b2c", "one")
    slot.commit(pin, "0a1b", "the hash alone")
    assert find_by_digest(pin, "0a1b2c") == (
        "mlp-seed1-0a1b2c",
        find_experiment(pin, "mlp-seed1-0a1b2c"),
    )
    assert find_by_digest(pin, "0a1b") == ("0a1b", find_experiment(pin, "0a1b"))
    assert find_by_digest(pin, "1b2c") is None


def test_a_file_that_an_experiment_does_not_hold_is_an_error(pin: Pin, slot: Slot) -> None:
    slot.commit(pin, "one", "one")
    with pytest.raises(UserError, match=r"nowhere\.json"):
        read_file(pin, experiment_ref(pin, "one"), "nowhere.json")
