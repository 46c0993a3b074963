"""When something fails: one clear paragraph, nothing lost, and the second try finishes. What is damaged is never served."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import zc.lockfile

from remotes_support import (
    TMPFS,
    Machine,
    add_files,
    content,
    damage,
    damaged_objects,
    missing_files,
)
from seedbed.remotes.data import Data, Moved
from seedbed.remotes.remote_damage import move_whole
from servers import SSHD, Place, place_of, s3_place, ssh_place

AGAIN = "run the same command again"


def test_without_a_remote_the_command_that_sets_one_up_is_told(first: Machine) -> None:
    for command in ("push", "pull"):
        if command == "pull":
            first.git("push", "-q", "origin", "main")
        assert "make remote URL=" in first.refused("seedbed", command)


def test_without_a_git_remote_the_command_that_adds_one_is_told(first: Machine) -> None:
    first.git("remote", "remove", "origin")
    assert "git remote add origin" in first.refused("seedbed", "push")


def test_a_git_remote_that_is_away_leaves_nothing_half_done(
    shared: Machine, tmp_path: Path
) -> None:
    add_files(shared, 2)
    (tmp_path / "git").rename(tmp_path / "away")
    assert "the Git remote cannot be reached" in shared.refused("seedbed", "push")
    (tmp_path / "away").rename(tmp_path / "git")
    assert "git: main to origin" in shared.seedbed("push")


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["s3", pytest.param("ssh", marks=pytest.mark.skipif(SSHD is None, reason="no sshd"))]
)
def test_a_server_that_goes_away_in_the_middle_is_told_and_the_second_try_finishes(
    kind: str, first: Machine, tmp_path: Path
) -> None:
    with place_of(kind, tmp_path / kind) as place:
        first.set_up(place)
        first.seedbed("push")
        port = int(
            place.options[1].rpartition(":")[2]
            if kind == "s3"
            else place.url.split(":")[2].partition("/")[0]
        )
        add_files(first, 800)
        before = first.git("ls-remote", "origin", "main")
        command = [str(first.root / ".venv/bin/seedbed"), "push"]
        environment = {**first.environment, "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            command,
            cwd=first.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as pushing:
            log = tmp_path / kind / "moto.log"
            size = log.stat().st_size if kind == "s3" else 0
            stored = tmp_path / kind / "store/files/md5"
            end = time.monotonic() + 60
            while time.monotonic() < end and pushing.poll() is None:
                if (
                    (log.stat().st_size > size + 20_000)
                    if kind == "s3"
                    else len(list(stored.glob("??/*"))) > 60
                ):
                    break
                time.sleep(0.02)
            place.kill()
            begin = time.monotonic()
            said, _ = pushing.communicate(timeout=120)
        assert pushing.returncode == 1, said
        assert "Traceback" not in said
        assert "does not answer" in said
        assert AGAIN in said
        assert time.monotonic() - begin < 60
        assert first.git("ls-remote", "origin", "main") == before
    with (s3_place if kind == "s3" else ssh_place)(tmp_path / kind, port):
        assert "git: main to origin" in first.seedbed("push")
        second = first.cloned(tmp_path / "second")
        second.seedbed("pull")
        assert content(second.root) == content(first.root)


@pytest.mark.skipif(not TMPFS, reason="needs the right to mount")
def test_a_pull_says_that_the_disk_of_this_machine_is_full(second: Machine) -> None:
    cache = second.root / ".dvc/cache"
    cache.mkdir()
    script = f"mount -t tmpfs -o size=40k tmpfs {cache} && {second.root}/.venv/bin/seedbed pull"
    said = second.refused("unshare", "-m", "sh", "-c", script)
    assert f"the disk of this machine, at {cache}" in said
    assert "is full" in said
    assert "make gc" in said
    assert "Traceback" not in said
    second.seedbed("pull")
    assert missing_files(second.root, "HEAD") == []


@pytest.mark.skipif(not TMPFS, reason="needs the right to mount")
def test_a_pull_from_a_read_only_place_works_and_says_that_damage_stays(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    store = tmp_path / "store"
    script = f"mount --bind {store} {store} && mount -o remount,ro,bind {store} && {second.root}/.venv/bin/seedbed pull"
    assert "data: " in second.run("unshare", "-m", "sh", "-c", script).stdout
    broken = shared.object_path("files/3")
    damage(store / "files/md5" / broken.parent.name / broken.name)
    second.object_path("files/3").unlink()
    told = second.refused("unshare", "-m", "sh", "-c", script)
    assert "can only be read" in told
    assert "it was not put aside there" in told


@pytest.mark.slow
def test_a_server_that_lets_nobody_in_or_is_gone_is_told_by_push_and_pull(
    first: Machine, s3: Place, tmp_path: Path
) -> None:
    first.set_up(s3)
    first.seedbed("push")
    second = first.cloned(tmp_path / "second")
    add_files(first, 1)
    nobody = {
        "AWS_ACCESS_KEY_ID": "",
        "AWS_SECRET_ACCESS_KEY": "",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for machine, command in ((first, "push"), (second, "pull")):
        told = machine.refused("seedbed", command, **nobody)
        assert "does not let you in" in told, command
        assert "AWS_ACCESS_KEY_ID" in told, command
    s3.kill()
    for machine, command in ((first, "push"), (second, "pull")):
        told = machine.refused("seedbed", command)
        assert "does not answer" in told, command
        assert AGAIN in told, command


@pytest.mark.skipif(not TMPFS, reason="needs the right to mount")
@pytest.mark.parametrize(("options", "told"), [("size=60k", "is full"), ("ro", "can only be read")])
def test_a_full_or_read_only_place_is_told_and_the_second_try_finishes(
    options: str, told: str, shared: Machine, tmp_path: Path
) -> None:
    add_files(shared, 30, size=2000)
    store, kept = tmp_path / "store", tmp_path / "kept"
    kept.mkdir()
    before = shared.git("ls-remote", "origin", "main")
    script = f"mount -t tmpfs -o {options} tmpfs {store} && {shared.root}/.venv/bin/seedbed push"
    said = shared.refused("unshare", "-m", "sh", "-c", script)
    assert told in said
    assert AGAIN in said
    assert "Traceback" not in said
    assert shared.git("ls-remote", "origin", "main") == before
    assert "git: main to origin" in shared.seedbed("push")
    assert damaged_objects(store) == []


def test_uncommitted_changes_stop_a_pull_where_git_would(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    shared.edit("params.yaml", "p: 1", "p: 2")
    shared.dvc("repro", "--quiet")
    shared.commit("p is 2")
    shared.seedbed("push")
    second.edit("params.yaml", "p: 1", "p: 3")
    told = second.refused("seedbed", "pull")
    assert "params.yaml" in told
    assert "git stash" in told
    assert "p: 3" in (second.root / "params.yaml").read_text(encoding="utf-8")
    second.git("checkout", "-q", "params.yaml")
    second.seedbed("pull")
    assert second.stages_run() == []


def test_data_changed_by_hand_are_not_overwritten(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    add_files(shared, 1)
    shared.seedbed("push")
    (second.root / "files/0").write_text("mine", encoding="utf-8")
    told = second.refused("seedbed", "pull")
    assert "files/0" in told
    assert "in no cache" in told
    assert (second.root / "files/0").read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
def test_two_experiments_of_one_name_are_both_kept(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    for machine, value in ((shared, 2), (second, 3)):
        machine.dvc("exp", "run", "--temp", "--quiet", "-n", "same", "-S", f"p={value}")
    shared.seedbed("push")
    mine = second.experiment_commits()["same"]
    assert "origin has another experiment of that name; the one here stays" in second.seedbed(
        "pull"
    )
    assert second.experiment_commits()["same"] == mine
    assert "dvc exp rename same" in second.refused("seedbed", "push")
    second.dvc("exp", "rename", "same", "mine")
    second.seedbed("push")
    second.seedbed("pull")
    assert set(second.experiments()) == {"same", "mine"}


def test_a_reference_without_its_data_stays_and_the_others_go(shared: Machine) -> None:
    shared.dvc("exp", "run", "--temp", "--quiet", "-n", "lost", "-S", "p=2")
    shared.dvc("exp", "run", "--temp", "--quiet", "-n", "kept", "-S", "p=3")
    lost = hashlib.md5(b"p: 2\n").hexdigest()
    (shared.root / ".dvc/cache/files/md5" / lost[:2] / lost[2:]).unlink()
    told = shared.refused("seedbed", "push")
    assert "lost stays here" in told
    assert "dvc exp remove lost" in told
    there = shared.git("ls-remote", "origin")
    assert "/kept" in there
    assert "/lost" not in there


def test_a_damaged_object_is_never_sent(shared: Machine, tmp_path: Path) -> None:
    add_files(shared, 3)
    damage(shared.object_path("files/more1"))
    kept = (shared.root / "files/more1").read_bytes()
    (shared.root / "files/more1").write_text("edited", encoding="utf-8")
    told = shared.refused("seedbed", "push")
    assert "main stays here" in told
    assert damaged_objects(tmp_path / "store") == []
    assert shared.git("ls-remote", "origin", "main").split()[0] != shared.git("rev-parse", "HEAD")

    (shared.root / "files/more1").write_bytes(
        kept
    )  # the good copy of the work tree takes its place
    assert "git: main to origin" in shared.seedbed("push")
    assert missing_files(shared.root, "HEAD") == []


def test_mending_keeps_what_somebody_has_edited(shared: Machine) -> None:
    damage(shared.object_path("files/3"))
    (shared.root / "files/3").write_text("edited", encoding="utf-8")
    shared.seedbed("doctor", "--mend")
    assert (shared.root / "files/3").read_text(encoding="utf-8") == "edited"


def test_doctor_names_a_damaged_object_and_takes_the_good_copy_of_the_work_tree(
    shared: Machine,
) -> None:
    assert shared.seedbed("doctor") == "nothing to mend\n"
    broken = shared.object_path("files/3")
    damage(broken)
    assert f"{broken.parent.name}{broken.name}" in shared.refused("seedbed", "doctor")
    assert "1 of them restored from the work tree" in shared.seedbed("doctor", "--mend")
    assert shared.seedbed("doctor") == "nothing to mend\n"
    assert damaged_objects(shared.root / ".dvc/cache") == []


def test_what_was_checked_out_from_a_damaged_object_is_taken_away_and_made_again(
    shared: Machine,
) -> None:
    before = content(shared.root)
    for file in ("files/3", "out/a"):
        damage(shared.object_path(file))
        (shared.root / file).unlink()
    shared.dvc("checkout")  # DVC trusts its cache
    assert content(shared.root) != before
    told = shared.seedbed("doctor", "--mend")
    assert "removed what was made from them: files/3, out/a" in told
    shared.seedbed("pull")
    assert content(shared.root) == before
    assert shared.stages_run() == []


def test_doctor_that_reads_all_finds_what_a_failing_disk_did(shared: Machine) -> None:
    assert (
        shared.seedbed("doctor") == "nothing to mend\n"
    )  # each object is hashed, and that is remembered
    broken = shared.object_path("files/3")
    status = broken.stat()
    damage(broken)
    os.utime(broken, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert shared.seedbed("doctor") == "nothing to mend\n"
    assert "damaged objects in DVC's cache" in shared.refused("seedbed", "doctor", "--read-all")


def test_a_damaged_object_of_this_cache_is_fetched_again(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    damage(second.object_path("files/3"))
    assert "data: 1 file " in second.seedbed("pull")
    assert damaged_objects(second.root / ".dvc/cache") == []


@pytest.mark.parametrize("which", ["file", "folder", "file of a remote set up by hand"])
def test_a_damaged_object_of_the_remote_is_noticed_and_sent_again(
    which: str, shared: Machine, second: Machine, tmp_path: Path
) -> None:
    if "by hand" in which:  # DVC's own default is to trust the remote
        second.dvc("remote", "modify", "--local", "storage", "verify", "false")
    oid = (shared.root / "files.dvc").read_text(encoding="utf-8").split("md5: ")[1].split()[0]
    if which != "folder":
        path = shared.object_path("files/3")
        oid = path.parent.name + path.name
    damage(tmp_path / "store/files/md5" / oid[:2] / oid[2:])
    told = second.refused("seedbed", "pull")
    assert f"1 object there damaged or lost ({oid})" in told
    assert damaged_objects(second.root / ".dvc/cache") == []

    assert "data: " in shared.seedbed("push")
    assert damaged_objects(tmp_path / "store") == []
    second.seedbed("pull")
    assert content(second.root) == content(shared.root)
    assert missing_files(second.root, "HEAD") == []


def test_a_push_replaces_the_damaged_list_of_a_folder_that_it_meets(
    shared: Machine, tmp_path: Path
) -> None:
    """DVC stops at such a list, and would send nothing."""
    oid = (
        (shared.root / "dvc.lock")
        .read_text(encoding="utf-8")
        .split("path: out\n")[1]
        .split("md5: ")[1]
        .split()[0]
    )
    damage(tmp_path / "store/files/md5" / oid[:2] / oid[2:])
    add_files(shared, 1)
    said = shared.seedbed("push")
    assert (
        f"1 object there damaged or lost ({oid}). What is damaged was not used, and lies in damaged/ there now"
        in said
    )
    assert "git: main to origin" in said
    assert damaged_objects(tmp_path / "store") == []
    assert (tmp_path / "store/damaged" / oid).exists()
    third = shared.cloned(tmp_path / "third")
    third.seedbed("pull")
    assert content(third.root) == content(shared.root)


def test_a_lock_that_cannot_be_read_keeps_its_reference_here(
    shared: Machine, second: Machine
) -> None:
    """DVC skips it with a warning: its data would not go along."""
    second.seedbed("pull")
    add_files(shared, 1)
    head = shared.git("rev-parse", "HEAD")
    lock = shared.root / "dvc.lock"
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text(encoding="utf-8"), encoding="utf-8")
    shared.commit("merged in a hurry")
    shared.git("tag", "hurry")
    shared.git("reset", "-q", "--hard", head)
    told = shared.refused("seedbed", "push")
    assert "git: main to origin" in told
    assert "hurry stays here: its dvc.lock, dvc.yaml or a .dvc file cannot be read" in told
    assert "git tag -d hurry" in told

    shared.git("reset", "-q", "--hard", "hurry")
    told = shared.refused("seedbed", "push")
    assert "main stays here" in told
    assert "seedbed resolve" in told
    assert shared.git("ls-remote", "origin", "main").split()[0] == head
    shared.git("push", "-q", "origin", "main", "hurry")
    told = second.refused("seedbed", "pull")
    assert (
        "hurry: its dvc.lock, dvc.yaml or a .dvc file cannot be read, so no data of it were fetched"
        in told
    )
    assert "so the work tree stays as it is" in told
    assert "seedbed resolve" in told


def test_what_came_damaged_is_left_at_a_remote_that_has_it_whole(
    shared: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk of a machine that pulls may be the bad one."""
    oids = {path.parent.name + path.name for path in (tmp_path / "store/files/md5").glob("??/*")}
    told: list[str] = []
    with shared.in_process(monkeypatch), Data(shared.root) as data:
        moved = move_whole(data, lambda _: Moved(broken=set(oids)), ["HEAD"], told.append)
    assert moved.broken == oids
    assert told == []
    assert {
        path.parent.name + path.name for path in (tmp_path / "store/files/md5").glob("??/*")
    } == oids


def test_a_remote_that_lost_an_object_is_told_and_the_work_tree_has_the_rest(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    path = shared.object_path("out/a")
    (tmp_path / "store/files/md5" / path.parent.name / path.name).unlink()
    told = second.refused("seedbed", "pull")
    assert f"1 object there damaged or lost ({path.parent.name}{path.name})" in told
    assert "dvc repro" in told
    assert (second.root / "files/3").exists()
    assert second.stages_run() == ["one"]
    assert content(second.root) == content(shared.root)
    assert "data: " in shared.seedbed("push")
    assert shared.cloned(tmp_path / "third").seedbed("pull")


def test_a_place_that_is_not_mounted_is_not_made_anew(shared: Machine, tmp_path: Path) -> None:
    add_files(shared, 1)
    (tmp_path / "store").rename(tmp_path / "away")
    for command in ("push", "pull"):
        assert "is not there. Mount it" in shared.refused("seedbed", command)
    assert not (tmp_path / "store").exists()


def test_a_command_of_dvc_that_is_at_work_is_told(shared: Machine) -> None:
    add_files(shared, 1)
    lock = zc.lockfile.LockFile(str(shared.root / ".dvc/tmp/lock"))
    try:
        told = shared.refused("seedbed", "push")
    finally:
        lock.close()
    assert "another command of DVC is at work in this repository: not all files were sent" in told
    assert "git: main to origin" in shared.seedbed("push")


def test_what_moved_before_a_failure_is_told(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    add_files(shared, 1)
    shared.seedbed("push")
    (tmp_path / "store").rename(tmp_path / "away")
    told = second.refused("seedbed", "pull")
    assert "git: main from origin" in told
    assert "is not there. Mount it" in told


def test_two_at_once_do_not_get_into_each_others_way(shared: Machine) -> None:
    with (shared.root / ".dvc/tmp/sharing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another push or pull is at work here" in shared.refused("seedbed", "push")
    assert shared.seedbed("push") == "nothing to push\n"


def test_what_a_killed_call_remembered_by_half_is_forgotten(
    shared: Machine, second: Machine
) -> None:
    """Half of a folder's content, remembered as the whole, would leave the other half unfetched."""
    from dvc_data.index import DataIndex

    second.seedbed("pull")
    shutil.rmtree(second.root / ".dvc/cache")
    memory = next(Path(second.environment["DVC_SITE_CACHE_DIR"]).glob("repo/*/index/sharing"))
    index = DataIndex.open(str(memory / "db.db"))
    for key in [key for key, _ in index.iteritems() if key[0] == "fetch" and key[-1] == "3"]:
        index.delete_node(key)
    index.commit()
    index.close()
    (memory / "unfinished").touch()
    second.seedbed("pull")
    assert missing_files(second.root, "HEAD") == []
