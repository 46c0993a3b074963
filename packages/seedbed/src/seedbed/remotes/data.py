"""DVC in this process: sends and fetches what revisions name, and says what failed and why.

`dvc.repo.Repo` is not documented as public: tests/sharing drives each call used here through real remotes.
"""

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.errors import UserError
from seedbed.remotes.failures import explain
from seedbed.remotes.log import OBJECT, Log, telling
from seedbed.remotes.objects import distrusted
from seedbed.remotes.opening import give_up_when_gone, open_repository
from seedbed.remotes.urls import check_package, scheme_of, without_secrets

UNFINISHED = "unfinished"
WORK_TREE = "workspace"
"""What DVC calls it among revisions."""
UNSAVED = "Can't remove the following unsaved files"
"""How DVC refuses to overwrite what is in no cache: its exception has no class of its own."""


@dataclass
class Moved:
    """What one call of DVC has moved, and what it could not.

    Attributes
    ----------
    files : int
        How many files.
    missing : set of str
        Objects that are neither here nor at the remote.
    broken : set of str
        Objects that came damaged from the remote, or that it lists in a folder and lacks.
    unread : set of str
        Revisions whose dvc.yaml, dvc.lock or .dvc files cannot be read, so that nothing of them moved.
    """

    files: int = 0
    missing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)


class Data:
    """The data of the repository `root`, which must be the working directory, and its default remote."""

    def __init__(self, root: Path) -> None:
        from dvc.config import Config, ConfigError

        try:
            config = Config(dvc_dir=str(root / ".dvc"))
        except ConfigError as error:
            raise UserError(f"{root / '.dvc/config'}: {error}") from error
        name = config["core"].get("remote")
        settings = config["remote"].get(name) if name else None
        if settings is None:
            raise UserError(
                f"{root / '.dvc/config'}: no remote is set up for data and models. Give it a place with `make remote URL=...`: "
                "a directory, ssh://, s3:// or gs://; docs/sharing.md has an example of each."
            )
        url = str(settings["url"])
        if "://" in url:
            check_package(scheme_of(url))
        self.place = f"{name} ({without_secrets(url)})"
        self.repo = open_repository(root, settings)
        self.cache = self.repo.cache.local
        self._ours = (str(self.cache.path), str(root), str(self.repo.site_cache_dir))

    def __enter__(self) -> "Data":
        from dvc_data.index import DataIndex

        self._lock = (Path(self.repo.tmp_dir) / "sharing.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(
                f"{self.repo.root_dir}: another push or pull is at work here. Wait for its end."
            ) from error
        # DVC remembers what folders hold. A call that was killed leaves a part of that, which then passes for the whole, so that
        # files are neither sent nor fetched. So we have a memory of our own, and forget it after a call that did not end.
        self._memory = Path(self.repo.site_cache_dir) / "index/sharing"
        if (self._memory / UNFINISHED).exists():
            shutil.rmtree(self._memory)
        self._memory.mkdir(parents=True, exist_ok=True)
        (self._memory / UNFINISHED).touch()
        self.repo._data_index = DataIndex.open(str(self._memory / "db.db"))  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.repo.close()
        if kind is None:
            (self._memory / UNFINISHED).unlink()
        self._lock.close()

    @cached_property
    def remote(self) -> Any:
        """DVC's remote, asked something first: one that is down or refuses is known before anything moves."""
        with self.told("nothing was moved"):
            remote = self.repo.cloud.get_remote()
            there = remote.fs.exists(
                remote.path
                if remote.fs.protocol == "local"
                else remote.fs.join(remote.path, "files")
            )
            give_up_when_gone(remote.fs.fs)
        if remote.fs.protocol == "local" and not there:
            raise UserError(
                f"{self.place} is not there. Mount it, or mend the address with `make remote URL=...`. Nothing was moved; a new "
                "folder in its place would only look like the remote."
            )
        return remote

    def push(self, revisions: list[str]) -> Moved:
        """Send what revisions name and the remote lacks.

        Raises
        ------
        UserError
            If the remote fails. What is missing or damaged here raises nothing: it is in what is returned.
        """
        return self._move(
            lambda: self.repo.push(revs=revisions, workspace=False),
            revisions,
            "not all files were sent",
        )

    def fetch(self, revisions: list[str]) -> Moved:
        """Fetch into the cache what the work tree and revisions name.

        Raises
        ------
        UserError
            If the remote fails. What the remote lacks raises nothing: it is in what is returned.
        """
        everything = [WORK_TREE, *revisions]
        failed = "not all files were fetched"
        return self._move(
            lambda: self.repo.fetch(revs=revisions, workspace=True), everything, failed, inward=True
        )

    def checkout(self, allow_missing: bool = False) -> list[str]:
        """Bring the work tree to what dvc.lock says; return the outputs that changed.

        Raises
        ------
        UserError
            If work would be lost that is in no cache.
        """
        from dvc.exceptions import CheckoutError, DvcException

        failed = "the work tree was not brought up to date"
        with self.told(failed, inward=True) as log:
            try:
                result = self.repo.checkout(allow_missing=allow_missing)
            except CheckoutError as error:
                if any(not isinstance(other, FileNotFoundError) for other in log.others):
                    raise UserError(
                        explain(log.others, self.place, failed, ours=self._ours, inward=True)
                    ) from error
                paths = ", ".join(error.target_infos)
                raise UserError(
                    f"{paths}: what dvc.lock names is not in the cache. `dvc repro` computes it again."
                ) from error
            except DvcException as error:
                if not str(error).startswith(UNSAVED):
                    raise
                paths = ", ".join(_relative(line) for line in str(error).splitlines()[1:] if line)
                raise UserError(
                    f"{paths}: changed here, and the change is in no cache, so it would be lost. Keep it (`dvc add` or `dvc "
                    "commit`, and `git commit`) or remove it, then run the same command again."
                ) from error
        return [path for kind in ("added", "modified", "deleted") for path in result[kind]]

    def _move(
        self, work: Callable[[], int], revisions: list[str], failed: str, inward: bool = False
    ) -> Moved:
        from dvc.exceptions import DownloadError
        from dvc_objects.errors import ObjectFormatError

        assert self.remote
        moved = Moved()
        with distrusted(self.cache) as damaged, self.told(failed, inward) as log:
            try:
                moved.files = work()
            except DownloadError:
                if not log.lost or log.others:
                    raise
                moved.broken = set(log.lost)
            except (
                ObjectFormatError
            ) as error:  # the list of a folder, which DVC reads from the remote
                moved.broken = set(OBJECT.findall(str(error)))
                if not moved.broken:
                    raise
            except Exception:
                if not log.unread.issuperset(revisions):  # of some, DVC goes on with the others
                    raise
        moved.missing, moved.unread = log.missing, log.unread
        # What was damaged in the cache has been fetched again; what still is not there came damaged.
        moved.broken |= {
            oid for oid in damaged if oid not in log.missing and not self.cache.exists(oid)
        }
        return moved

    def transfer(self, source: Any, target: Any, oids: set[str], failed: str) -> None:
        """Copy objects that no revision names from one store to the other, as far as they are not there.

        Raises
        ------
        UserError
            If the remote fails.
        """
        from dvc_data.hashfile.hash_info import HashInfo
        from dvc_data.hashfile.transfer import transfer

        if not oids:
            return
        inward = target is self.cache
        with distrusted(self.cache), self.told(failed, inward) as log:
            done = transfer(
                source, target, [HashInfo("md5", oid) for oid in sorted(oids)], verify=inward
            )
            if done.failed:
                raise next(iter(log.others), ConnectionError(f"{len(done.failed)} objects"))

    def told(self, doing: str, inward: bool = False) -> AbstractContextManager[Log]:
        """Turn what DVC raises and logs when it fails into one paragraph; `inward` where all is written on this machine."""
        return telling(doing, self.place, self._ours, inward)


def _relative(path: str) -> str:
    return os.path.relpath(path) if Path(path).is_absolute() else path
