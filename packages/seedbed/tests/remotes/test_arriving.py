"""What arrives is hashed while it is copied: the same bytes, the hash of them, and nothing half done where it fails."""

import errno
import hashlib
import io
import random
from pathlib import Path
from typing import Any

import pytest
from dvc_data.hashfile.db.local import LocalHashFileDB
from dvc_data.hashfile.hash import file_md5
from dvc_data.hashfile.state import State
from dvc_objects.fs.generic import transfer
from dvc_objects.fs.local import LocalFileSystem
from fsspec.callbacks import Callback

from remotes_support import Machine, content, damage, damaged_objects
from seedbed.remotes import arriving
from seedbed.remotes.arriving import CHUNK, copy_hashed
from seedbed.remotes.data import Data
from seedbed.remotes.objects import distrusted


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_a_copy_has_the_bytes_and_their_hash(size: int, tmp_path: Path) -> None:
    written = random.Random(size).randbytes(size)
    (tmp_path / "source").write_bytes(written)
    told = Callback()
    found = copy_hashed(tmp_path / "source", tmp_path / "target", told)
    assert (tmp_path / "target").read_bytes() == written
    assert found == hashlib.md5(written).hexdigest()
    # A bar is drawn for each file that tells its size: none for thousands of small ones.
    assert (told.size, told.value) == ((size, size) if size > CHUNK else (None, 0))


@pytest.fixture
def copying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that cannot share blocks between files: where it can, DVC copies nothing."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr("dvc_objects.fs.system.reflink", refuse)


@pytest.fixture
def cache(tmp_path: Path, copying: None) -> Any:
    """An empty cache of DVC's."""
    state = State(root_dir=str(tmp_path), tmp_dir=str(tmp_path / "state"))
    return LocalHashFileDB(LocalFileSystem(), str(tmp_path / "cache"), state=state)


def test_what_another_puts_in_place_of_a_copy_is_checked(
    cache: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user of a shared cache does who fetches from a damaged remote and compares nothing."""
    (tmp_path / "source").write_text("good")
    oid = hashlib.md5(b"good").hexdigest()
    path = Path(cache.oid_to_path(oid))

    def transfer_and_replace(*arguments: Any, **options: Any) -> None:
        transfer(*arguments, **options)
        (tmp_path / "other").write_text("bad!")
        (tmp_path / "other").replace(path)

    monkeypatch.setattr("dvc_objects.fs.generic.transfer", transfer_and_replace)
    with distrusted(cache) as damaged:
        cache.add(str(tmp_path / "source"), LocalFileSystem(), oid, verify=True)
    assert damaged == [oid]
    assert not path.exists()


def test_what_is_no_object_is_written_as_before(cache: Any, tmp_path: Path) -> None:
    (tmp_path / "source").write_text("a record")
    with distrusted(cache):
        cache.fs.put_file(str(tmp_path / "source"), str(tmp_path / "cache-runs/record"))
        cache.fs.put_file(io.BytesIO(b"a stream"), cache.oid_to_path("ab12"))
    assert (tmp_path / "cache-runs/record").read_text() == "a record"
    assert Path(cache.oid_to_path("ab12")).read_text() == "a stream"
    assert cache.state.get(cache.oid_to_path("ab12"), cache.fs) == (None, None)


def large(machine: Machine, number: int) -> Path:
    """Commit and push a file of several chunks; return its object's path below a store."""
    path = machine.root / f"files/large{number}"
    path.write_bytes(random.Random(number).randbytes(2 * CHUNK + 1))
    machine.dvc("add", "--quiet", "files")
    machine.commit("a large file")
    machine.seedbed("push")
    return machine.object_path(path.relative_to(machine.root).as_posix()).relative_to(
        machine.root / ".dvc/cache"
    )


def test_what_arrives_is_not_read_again(
    shared: Machine, second: Machine, copying: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    large(shared, 1)
    second.git("pull", "-q")

    read: list[str] = []

    def record(path: str, *arguments: object, **options: object) -> str:
        read.append(path)
        return file_md5(path, *arguments, **options)

    monkeypatch.setattr("dvc_data.hashfile.hash.file_md5", record)
    with second.in_process(monkeypatch), Data(second.root) as data:
        moved = data.fetch([])
        put_file = data.cache.fs.put_file
    assert moved.files == 17
    assert put_file.__func__ is type(data.cache.fs).put_file
    assert [path for path in read if "/.dvc/cache/" in path] == []
    assert damaged_objects(second.root / ".dvc/cache") == []


def test_a_large_file_that_arrives_damaged_is_not_used(
    shared: Machine, second: Machine, tmp_path: Path
) -> None:
    there = large(shared, 1)
    good = large(shared, 2)
    damage(tmp_path / "store" / there)
    assert "1 object there damaged or lost" in second.refused("seedbed", "pull")
    assert not (second.root / ".dvc/cache" / there).exists()
    assert (second.root / ".dvc/cache" / good).exists()
    assert damaged_objects(second.root / ".dvc/cache") == []
    shared.seedbed("push")
    second.seedbed("pull")
    assert content(second.root) == content(shared.root)


def test_a_copy_that_fails_leaves_nothing(
    shared: Machine, second: Machine, copying: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = large(shared, 1)
    second.git("pull", "-q")

    def fail(source: Path, target: Path, callback: object) -> str:
        if source == tmp_path / "store" / there:
            target.write_bytes(source.read_bytes()[:CHUNK])
            raise OSError(5, "Input/output error", str(source))
        return copy_hashed(source, target, callback)

    monkeypatch.setattr(arriving, "copy_hashed", fail)
    with (
        second.in_process(monkeypatch),
        Data(second.root) as data,
        pytest.raises(Exception, match="Input/output error"),
    ):
        data.fetch([])
    cache = second.root / ".dvc/cache/files/md5"
    assert not (second.root / ".dvc/cache" / there).exists()
    assert list(cache.rglob("*.tmp")) == []
    assert damaged_objects(second.root / ".dvc/cache") == []
