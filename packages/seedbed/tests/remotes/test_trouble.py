"""When something fails: one clear paragraph, nothing half done, and the same command finishes."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import zc.lockfile

from remotes_support import (
    Machine,
    add_files,
    content,
    damage,
    damaged_objects,
    md5,
    missing_objects,
    stored,
)

TMPFS = (
    shutil.which("unshare")
    and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    ).returncode
    == 0
)
needs_tmpfs = pytest.mark.skipif(not TMPFS, reason="needs the right to mount a small disk")
AGAIN = "run the same command again"


def oid_of(machine: Machine, file: str) -> str:
    """Return the object of a file, or of the list of a folder that DVC tracks."""
    if (machine.root / file).is_file():
        return md5((machine.root / file).read_bytes())
    text = (machine.root / f"{file}.dvc").read_text(encoding="utf-8")
    return text.split("md5: ")[1].split()[0]


def test_a_git_remote_that_is_away_leaves_nothing_half_done(
    shared: Machine, tmp_path: Path
) -> None:
    add_files(shared)
    (tmp_path / "git").rename(tmp_path / "away")
    for command in ("push", "pull"):
        assert "check `git remote -v`" in shared.refused("seedbed", command)
    (tmp_path / "away").rename(tmp_path / "git")
    assert "git: main to origin" in shared.seedbed("push")


def test_a_password_in_an_address_is_not_shown(shared: Machine) -> None:
    address = "http://user:hunter2@127.0.0.1:9/a"  # pragma: allowlist secret
    shared.dvc("remote", "modify", "--local", "storage", "url", address)
    add_files(shared)
    messages = [shared.refused("seedbed", "push")]
    shared.git("remote", "set-url", "origin", address)
    messages += [shared.refused("seedbed", command) for command in ("push", "pull")]
    for message in messages:
        assert "127.0.0.1:9" in message and "hunter2" not in message


def test_a_directory_that_is_not_mounted_is_not_made_anew(shared: Machine, tmp_path: Path) -> None:
    (tmp_path / "store").rename(tmp_path / "away")
    for command in ("push", "pull"):
        assert "is not there. Mount it" in shared.refused("seedbed", command)
    assert not (tmp_path / "store").exists()


@needs_tmpfs
@pytest.mark.parametrize(
    ("options", "message"), [("size=60k", "The disk is full"), ("ro", "can only be read")]
)
def test_a_place_that_cannot_be_written_leaves_the_git_remote_untouched(
    options: str, message: str, shared: Machine, tmp_path: Path
) -> None:
    shared.git("tag", "later")
    add_files(shared, 30, size=2000)
    store, before = tmp_path / "store", shared.references()
    script = f"mount -t tmpfs -o {options} tmpfs {store} && {shared.root}/.venv/bin/seedbed push"
    printed = shared.refused("unshare", "-m", "sh", "-c", script)
    assert message in printed and AGAIN in printed
    assert shared.references() == before
    assert "git: main to origin\ngit: tags later" in shared.seedbed("push")
    assert damaged_objects(store) == []


@needs_tmpfs
def test_a_full_disk_of_this_machine_is_told(second: Machine) -> None:
    cache = second.root / ".dvc/cache"
    cache.mkdir()
    script = f"mount -t tmpfs -o size=40k tmpfs {cache} && {second.root}/.venv/bin/seedbed pull"
    printed = second.refused("unshare", "-m", "sh", "-c", script)
    assert "The disk is full" in printed and "make gc" in printed
    second.seedbed("pull")
    assert missing_objects(second, "HEAD") == []


@pytest.mark.parametrize("is_lost", [False, True])
@pytest.mark.parametrize("file", ["files/3", "files"])
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_damaged_object_of_the_remote_is_noticed_and_can_be_replaced(
    file: str, is_lost: bool, by_hand: bool, shared: Machine, second: Machine, tmp_path: Path
) -> None:
    if by_hand:  # DVC's own default is to trust the remote
        second.dvc("remote", "modify", "--local", "storage", "verify", "false")
    broken = stored(tmp_path / "store", oid_of(shared, file))
    broken.unlink() if is_lost else damage(broken)
    message = second.refused("seedbed", "pull")
    assert f"damaged or missing there, and not used: {broken}" in message
    assert "`seedbed push --all` on a machine that has good data" in message
    cache = second.root / ".dvc/cache"
    assert not stored(cache, oid_of(shared, file)).exists()

    broken.unlink(missing_ok=True)
    shared.seedbed("push", "--all")
    second.seedbed("pull")
    assert content(second.root) == content(shared.root)
    assert missing_objects(second, "HEAD") == []


@pytest.mark.slow
def test_an_experiment_with_damaged_data_gets_its_name_when_they_are_good(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    shared.dvc("exp", "run", "--temp", "--quiet", "-n", "more", "-S", "p=2")
    shared.seedbed("push")
    broken = stored(tmp_path / "store", md5(b"p: 2\n"))
    damage(broken)
    assert str(broken) in second.refused("seedbed", "pull")
    assert second.experiments() == {}
    broken.unlink()
    shared.seedbed("push", "--all")
    second.seedbed("pull")
    assert missing_objects(second, second.experiments()["more"]) == []


@pytest.mark.slow
def test_data_that_are_nowhere_stop_the_push(shared: Machine) -> None:
    before = shared.references()
    shared.dvc("exp", "run", "--temp", "--quiet", "-n", "lost", "-S", "p=2")
    stored(shared.root / ".dvc/cache", md5(b"p: 2\n")).unlink()
    add_files(shared)
    message = shared.refused("seedbed", "push")
    assert "lost: data that it names are neither in the cache nor at storage" in message
    assert md5(b"p: 2\n") in message and "dvc exp remove" in message
    assert shared.references() == before
    shared.dvc("exp", "remove", "lost")
    assert "git: main to origin" in shared.seedbed("push")


@pytest.mark.slow
def test_a_lock_that_cannot_be_read_stops_the_push(shared: Machine) -> None:
    """DVC skips such a revision with a warning: its data would not go along."""
    before = shared.references()
    lock = shared.root / "dvc.lock"
    lock.write_text("<<<<<<< HEAD\n" + lock.read_text(encoding="utf-8"), encoding="utf-8")
    shared.commit("merged in a hurry")
    message = shared.refused("seedbed", "push")
    assert "cannot be read" in message and "seedbed resolve" in message
    assert shared.references() == before


def test_another_command_at_work_is_told(shared: Machine) -> None:
    add_files(shared)
    lock = zc.lockfile.LockFile(str(shared.root / ".dvc/tmp/lock"))
    assert "Another DVC command is at work here" in shared.refused("seedbed", "push")
    lock.close()
    with (shared.root / ".dvc/tmp/seedbed-remotes").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "another push or pull is at work" in shared.refused("seedbed", "push")
    assert "git: main to origin" in shared.seedbed("push")


def test_doctor_names_a_damaged_object_and_mends_it(shared: Machine) -> None:
    cache, before = shared.root / ".dvc/cache", content(shared.root)
    assert shared.seedbed("doctor") == "nothing to mend\n"
    broken, good, edited = (oid_of(shared, f"files/{number}") for number in (3, 4, 5))
    for oid in (broken, good, edited):
        status = stored(cache, oid).stat()
        damage(stored(cache, oid))
        os.utime(stored(cache, oid), ns=(status.st_atime_ns, status.st_mtime_ns))
    assert shared.seedbed("doctor") == "nothing to mend\n"  # by size and time of change
    (shared.root / "files/3").unlink()
    shared.dvc("checkout", "--quiet")  # DVC trusts its cache
    (shared.root / "files/5").write_text("edited", encoding="utf-8")
    assert broken in shared.refused("seedbed", "doctor", "--read-all")
    assert "2 are in no good copy here" in shared.seedbed("doctor", "--read-all", "--mend")
    assert damaged_objects(cache) == []
    assert stored(cache, good).exists() and not (shared.root / "files/3").exists()
    assert (shared.root / "files/5").read_text(encoding="utf-8") == "edited"
    (shared.root / "files/5").unlink()
    shared.seedbed("pull")
    assert content(shared.root) == before
