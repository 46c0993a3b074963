"""DVC in this process: sends and fetches what revisions name, and says what failed and why.

`dvc.repo.Repo` is not documented as public: tests/sharing drives each call used here through real remotes.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.errors import UserError
from seedbed.sharing.failures import explain
from seedbed.sharing.log import OBJECT, Log
from seedbed.sharing.objects import distrusted
from seedbed.sharing.opening import give_up_when_gone, open_repository
from seedbed.sharing.urls import check_package, scheme_of, without_secrets

UNFINISHED = "unfinished"


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
        Objects that the remote holds damaged, or that it lists in a folder and lacks.
    """

    files: int = 0
    missing: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)


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

    def __enter__(self) -> "Data":
        from dvc_data.index import DataIndex

        self._lock = (Path(self.repo.tmp_dir) / "sharing.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"{self.repo.root_dir}: another push or pull is at work here. Wait for its end.") from error
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
                remote.path if remote.fs.protocol == "local" else remote.fs.join(remote.path, "files")
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
        return self._move(lambda: self.repo.push(revs=revisions, workspace=False), "not all files were sent")

    def fetch(self, revisions: list[str]) -> Moved:
        """Fetch into the cache what the work tree and revisions name.

        Raises
        ------
        UserError
            If the remote fails. What the remote lacks raises nothing: it is in what is returned.
        """
        return self._move(lambda: self.repo.fetch(revs=revisions, workspace=True), "not all files were fetched")

    def checkout(self, allow_missing: bool = False) -> list[str]:
        """Bring the work tree to what dvc.lock says; return the outputs that changed.

        Raises
        ------
        UserError
            If work would be lost that is in no cache.
        """
        from dvc.exceptions import CheckoutError, DvcException

        try:
            with self.told("the work tree was not brought up to date"):
                result = self.repo.checkout(allow_missing=allow_missing)
        except CheckoutError as error:
            paths = ", ".join(error.target_infos)
            raise UserError(
                f"{paths}: what dvc.lock names is not in the cache. `dvc repro` computes it again."
            ) from error
        except DvcException as error:
            lines = [line for line in str(error).splitlines() if line and not line.startswith("Can't")]
            raise UserError(
                f"{', '.join(_relative(line) for line in lines)}: changed here, and the change is "
                "in no cache, so it would be lost. Keep it (`dvc add` or `dvc "
                "commit`, and `git commit`) or remove it, then run the same command again."
            ) from error
        return [path for kind in ("added", "modified", "deleted") for path in result[kind]]

    def _move(self, work: Callable[[], int], failed: str) -> Moved:
        from dvc.exceptions import DownloadError
        from dvc_objects.errors import ObjectFormatError

        assert self.remote
        moved = Moved()
        with distrusted(self.cache) as damaged, self.told(failed) as log:
            try:
                moved.files = work()
            except DownloadError:
                if not log.lost or log.others:
                    raise
                moved.broken = set(log.lost)
            except ObjectFormatError as error:  # the list of a folder, which DVC reads from the remote
                moved.broken = set(OBJECT.findall(str(error)))
                if not moved.broken:
                    raise
        moved.missing = log.missing
        # What was damaged in the cache has been fetched again; what still is not there came damaged.
        moved.broken |= {oid for oid in damaged if oid not in log.missing and not self.cache.exists(oid)}
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
        with distrusted(self.cache), self.told(failed) as log:
            done = transfer(source, target, [HashInfo("md5", oid) for oid in sorted(oids)], verify=target is self.cache)
            if done.failed:
                raise next(iter(log.others), ConnectionError(f"{len(done.failed)} objects"))

    @contextmanager
    def told(self, doing: str) -> Iterator[Log]:
        """Turn what DVC raises and logs when a remote fails into one paragraph."""
        from dvc.exceptions import CheckoutError, DownloadError, DvcException, UploadError

        log = Log()
        with log.taking_over():
            try:
                yield log
            except (UploadError, DownloadError) as error:
                failed = f"{doing} ({error.amount} left)"
                raise UserError(explain(log.others or [error], self.place, failed)) from error
            except (UserError, CheckoutError):
                raise
            except DvcException as error:
                if error.__cause__ is None and not log.others:
                    raise
                raise UserError(explain([*log.others, error], self.place, doing)) from error
            except Exception as error:
                raise UserError(explain([*log.others, error], self.place, doing)) from error


def _relative(path: str) -> str:
    return os.path.relpath(path) if Path(path).is_absolute() else path
