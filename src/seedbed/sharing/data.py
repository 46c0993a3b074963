"""DVC in this process: sends and fetches what revisions name, and says what failed and why.

`dvc.repo.Repo` is not documented as public. tests/sharing/test_data.py holds each call used here to what it does today.
"""

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from seedbed.errors import UserError
from seedbed.sharing.failures import explain
from seedbed.sharing.objects import distrusted
from seedbed.sharing.urls import check_package, scheme_of, without_secrets

GIVE_UP_AFTER = 3
"""Connection errors after which a remote counts as gone: else each of thousands of files would wait for it in vain."""


CURRENT = "seedbed-current"
"""What a remote is called while we use it."""


@dataclass
class Moved:
    """What one call of DVC has moved, and what it could not."""

    files: int = 0
    missing: set[str] = field(default_factory=set)
    damaged: list[str] = field(default_factory=list)


def open_repository(root: Path, remote: Mapping[str, Any]) -> Any:
    """Return DVC's repository with `remote`, a section of its config, as the default remote."""
    from dvc.repo import Repo

    if str(remote["url"]).startswith("ssh://"):
        _compare_host_keys()
    # Besides these, s3fs makes five attempts of its own: a server that is down is known in seconds.
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "2")
    # DVC reads the config of each revision that it looks at: one from before the remote was set up would send nothing,
    # and a relative directory would begin at the root of the disk. So today's remote goes with it, by a name of its own.
    return Repo(str(root), config={"core": {"remote": CURRENT}, "remote": {CURRENT: dict(remote)}})


def _compare_host_keys() -> None:
    """Let an SSH server prove who it is by ~/.ssh/known_hosts: DVC takes any, and lends it the SSH agent."""
    from dvc_ssh import SSHFileSystem

    usual = SSHFileSystem._prepare_credentials
    if usual.__module__ == __name__:
        return

    def prepare_credentials(self: Any, **config: Any) -> dict[str, Any]:
        # An empty tuple means the usual files, and agent forwarding is for logging in further, which nobody does here.
        return {**usual(self, **config), "known_hosts": (), "agent_forwarding": False}

    SSHFileSystem._prepare_credentials = prepare_credentials


class RemoteGone(ConnectionError):
    """The remote has failed to answer so often that nothing more is asked of it."""


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
        return self

    def __exit__(self, *_: object) -> None:
        self.repo.close()

    @cached_property
    def remote(self) -> Any:
        """DVC's remote, asked something first: one that is down or refuses is known before anything moves."""
        with self.told("nothing was moved"):
            remote = self.repo.cloud.get_remote()
            remote.fs.exists(remote.fs.join(remote.path, "files"))
            give_up_when_gone(remote.fs.fs)
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
        assert self.remote
        with distrusted(self.cache) as damaged, self.told(failed) as log:
            moved = Moved(files=work(), damaged=damaged)
        moved.missing = log.missing
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
                raise next(iter(log.errors), ConnectionError(f"{len(done.failed)} objects"))

    @contextmanager
    def told(self, doing: str) -> Iterator["Log"]:
        """Turn what DVC raises and logs when a remote fails into one paragraph."""
        from dvc.exceptions import CheckoutError, DownloadError, DvcException, UploadError

        log = Log()
        with log.taking_over():
            try:
                yield log
            except (UploadError, DownloadError) as error:
                failed = f"{doing} ({error.amount} left)"
                raise UserError(explain(log.errors or [error], self.place, failed)) from error
            except (UserError, CheckoutError):
                raise
            except DvcException as error:
                if error.__cause__ is None and not log.errors:
                    raise
                raise UserError(explain([*log.errors, error], self.place, doing)) from error
            except Exception as error:
                raise UserError(explain([*log.errors, error], self.place, doing)) from error


class Log(logging.Handler):
    """What DVC would print: errors and the objects that it finds nowhere, kept to be told in our words."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.errors: list[BaseException] = []
        self.missing: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a record, or the names that it lists."""
        if record.exc_info and record.exc_info[1]:
            self.errors.append(record.exc_info[1])
        elif "Missing cache files" in str(record.msg):
            self.missing |= set(re.findall(r"\b[0-9a-f]{32}(?:\.dir)?\b", record.getMessage()))

    @contextmanager
    def taking_over(self) -> Iterator[None]:
        """Take the place of all other handlers; where there is no terminal, keep DVC's progress bars away too."""
        root, bars = logging.getLogger(), logging.getLogger("dvc.progress")
        before, level = root.handlers, bars.level
        root.handlers = [self]
        if os.environ.get("CI") or not sys.stderr.isatty():
            bars.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            root.handlers = before
            bars.setLevel(level)


def give_up_when_gone(fs: Any) -> None:
    """Let a file system of a server fail at once after a few connection errors."""
    from seedbed.sharing.failures import kind_of

    if not getattr(fs, "async_impl", False):
        return
    gone: list[BaseException] = []

    def guarded(call: Callable[..., Any]) -> Callable[..., Any]:
        async def guard(*arguments: Any, **options: Any) -> Any:
            if len(gone) >= GIVE_UP_AFTER:
                raise RemoteGone(str(gone[0])) from gone[0]
            try:
                return await call(*arguments, **options)
            except Exception as error:
                if kind_of(error) == "gone":
                    gone.append(error)
                raise

        return guard

    for name in ("_put_file", "_get_file"):
        setattr(fs, name, guarded(getattr(fs, name)))


def _relative(path: str) -> str:
    return os.path.relpath(path) if Path(path).is_absolute() else path
