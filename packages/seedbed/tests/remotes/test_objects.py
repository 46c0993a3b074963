"""What lies in DVC's cache is looked at without a false alarm: `seedbed doctor --mend` removes what is called damaged."""

from pathlib import Path

import pytest
from dvc.repo import Repo
from dvc_data.hashfile.hash_info import HashInfo

from seedbed.remotes.objects import is_damaged


@pytest.mark.parametrize("read_all", [False, True])
def test_a_whole_list_of_a_folder_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_all: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("content")
    with Repo.init(no_scm=True) as repo:
        (added,) = repo.add("folder")
        cache, oid = repo.cache.local, added.outs[0].hash_info.value
        path = cache.oid_to_path(oid)
        # As DVC remembers it after a stage has made the folder.
        cache.state.save(path, cache.fs, HashInfo("md5", oid))
        assert not is_damaged(cache, oid, read_all)
        Path(path).chmod(0o644)
        Path(path).write_text("[]")
        assert is_damaged(cache, oid, read_all)
