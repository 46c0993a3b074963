"""When something fails: one clear paragraph, nothing lost, and the second try finishes. What is damaged is never served."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from servers import SSHD, place_of, s3_place, ssh_place
from sharing_support import Machine, content, damaged_objects, missing_files

TMPFS = (
    shutil.which("unshare")
    and subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    ).returncode
    == 0
)
AGAIN = "run the same command again"


def add_files(machine: Machine, number: int, size: int = 20) -> None:
    """Commit more files."""
    for name in range(number):
        (machine.root / f"files/more{name}").write_text(f"{name} " * size, encoding="utf-8")
    machine.dvc("add", "--quiet", "files")
    machine.commit("more files")


def damage(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    path.chmod(0o444)


def test_without_a_remote_the_command_that_sets_one_up_is_told(first: Machine) -> None:
    for command in ("push", "pull"):
        if command == "pull":
            first.git("push", "-q", "origin", "main")
        assert "make remote URL=" in first.refused("seedbed", command)


def test_without_a_git_remote_the_command_that_adds_one_is_told(first: Machine) -> None:
    first.git("remote", "remove", "origin")
    assert "git remote add origin" in first.refused("seedbed", "push")


def test_a_git_remote_that_is_away_leaves_nothing_half_done(shared: Machine, tmp_path: Path) -> None:
    add_files(shared, 2)
    (tmp_path / "git").rename(tmp_path / "away")
    assert "the Git remote cannot be reached" in shared.refused("seedbed", "push")
    (tmp_path / "away").rename(tmp_path / "git")
    assert "git: main to origin" in shared.seedbed("push")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", pytest.param("ssh", marks=pytest.mark.skipif(SSHD is None, reason="no sshd"))])
def test_a_server_that_goes_away_in_the_middle_is_told_and_the_second_try_finishes(
    kind: str, first: Machine, tmp_path: Path
) -> None:
    with place_of(kind, tmp_path / kind) as place:
        first.set_up(place)
        first.seedbed("push")
        port = int(place.options[1].rpartition(":")[2] if kind == "s3" else place.url.split(":")[2].partition("/")[0])
        add_files(first, 800)
        before = first.git("ls-remote", "origin", "main")
        command = [str(first.root / ".venv/bin/seedbed"), "push"]
        environment = {**first.environment, "PATH": "/usr/bin:/bin"}
        with subprocess.Popen(
            command, cwd=first.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as pushing:
            log = tmp_path / kind / "moto.log"
            size = log.stat().st_size if kind == "s3" else 0
            stored = tmp_path / kind / "store/files/md5"
            end = time.monotonic() + 60
            while time.monotonic() < end and pushing.poll() is None:
                if (log.stat().st_size > size + 20_000) if kind == "s3" else len(list(stored.glob("??/*"))) > 60:
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


def test_branches_that_have_both_gone_on_are_told_with_the_way_out(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    for machine in (shared, second):
        (machine.root / f"{machine.root.name}.txt").write_text("mine", encoding="utf-8")
        machine.commit("mine")
    second.seedbed("push")
    assert "has commits on main that are not here. Run `make pull`" in shared.refused("seedbed", "push")
    told = shared.refused("seedbed", "pull")
    assert "git pull --rebase origin main" in told
    assert "seedbed resolve" in told
    shared.git("pull", "-q", "--rebase", "origin", "main")
    shared.seedbed("pull")
    assert "git: main to origin" in shared.seedbed("push")


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


def test_names_that_others_read_differently_are_refused_before_anything_moves(shared: Machine) -> None:
    add_files(shared, 1)
    shared.git("tag", "a;b")
    told = shared.refused("seedbed", "push")
    assert "the tag 'a;b' holds ';'" in told
    assert "Nothing was pushed" in told
    assert shared.git("ls-remote", "origin", "main").split()[0] != shared.git("rev-parse", "HEAD")


@pytest.mark.slow
def test_two_experiments_of_one_name_are_both_kept(shared: Machine, second: Machine) -> None:
    second.seedbed("pull")
    for machine, value in ((shared, 2), (second, 3)):
        machine.dvc("exp", "run", "--temp", "--quiet", "-n", "same", "-S", f"p={value}")
    shared.seedbed("push")
    mine = second.experiment_commits()["same"]
    assert "origin has another experiment of that name; the one here stays" in second.seedbed("pull")
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

    (shared.root / "files/more1").write_bytes(kept)  # the good copy of the work tree takes its place
    assert "git: main to origin" in shared.seedbed("push")
    assert missing_files(shared.root, "HEAD") == []


def test_mending_keeps_what_somebody_has_edited(shared: Machine) -> None:
    damage(shared.object_path("files/3"))
    (shared.root / "files/3").write_text("edited", encoding="utf-8")
    shared.seedbed("doctor", "--mend")
    assert (shared.root / "files/3").read_text(encoding="utf-8") == "edited"


def test_doctor_names_a_damaged_object_and_takes_the_good_copy_of_the_work_tree(shared: Machine) -> None:
    assert shared.seedbed("doctor") == "nothing to mend\n"
    broken = shared.object_path("files/3")
    damage(broken)
    assert f"{broken.parent.name}{broken.name}" in shared.refused("seedbed", "doctor")
    assert "1 of them restored from the work tree" in shared.seedbed("doctor", "--mend")
    assert shared.seedbed("doctor") == "nothing to mend\n"
    assert damaged_objects(shared.root / ".dvc/cache") == []


def test_what_was_checked_out_from_a_damaged_object_is_taken_away_and_made_again(shared: Machine) -> None:
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


@pytest.mark.parametrize("which", ["file", "folder"])
def test_a_damaged_object_of_the_remote_is_noticed_and_sent_again(
    which: str, shared: Machine, second: Machine, tmp_path: Path
) -> None:
    oid = (shared.root / "files.dvc").read_text(encoding="utf-8").split("md5: ")[1].split()[0]
    if which == "file":
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


def test_two_at_once_do_not_get_into_each_others_way(shared: Machine) -> None:
    with (shared.root / ".dvc/tmp/sharing.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "another push or pull is at work here" in shared.refused("seedbed", "push")
    assert shared.seedbed("push") == "nothing to push\n"


def test_what_a_killed_call_remembered_by_half_is_forgotten(shared: Machine, second: Machine) -> None:
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
