"""Opens DVC's repository with today's remote, in a way that notices soon when a server is down or another than it was."""

import gc
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from seedbed.remotes.failures import kind_of

CURRENT = "seedbed-current"
"""What a remote is called while we use it."""
GIVE_UP_AFTER = 3
"""Connection errors after which a remote counts as gone: else each of thousands of files would wait for it in vain."""


T = TypeVar("T")


class RemoteGone(ConnectionError):
    """The remote has failed to answer so often that nothing more is asked of it."""


def beside_imports(ask: Callable[[], T]) -> T:
    """Return what a call gives that waits for a server; DVC is imported in that time."""
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(ask)
        # What an import makes stays: to look through it for garbage takes a seventh of the time.
        collecting = gc.isenabled()
        gc.disable()
        try:
            import dvc.repo
            import dvc.scm  # noqa: F401
            import scmrepo.git.backend.pygit2  # noqa: F401  # DVC reads revisions by it
        finally:
            gc.freeze()
            if collecting:
                gc.enable()
        return asked.result()


def open_repository(root: Path, remote: Mapping[str, Any]) -> Any:
    """Return DVC's repository with `remote`, a section of its config, as the default remote."""
    from dvc.repo import Repo

    if str(remote["url"]).startswith("ssh://"):
        _compare_host_keys()
    # Besides these, s3fs makes five attempts of its own: a server that is down is known in seconds.
    os.environ.setdefault("AWS_MAX_ATTEMPTS", "2")
    # DVC reads the config of each revision that it looks at: one from before the remote was set up would send nothing,
    # and a relative directory would begin at the root of the disk. So today's remote goes with it, by a name of its own.
    # A fetch compares hashes whatever the config says: DVC's own default trusts the remote.
    settings = {**remote, "verify": True}
    return Repo(str(root), config={"core": {"remote": CURRENT}, "remote": {CURRENT: settings}})


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


def give_up_when_gone(fs: Any) -> None:
    """Let a file system of a server fail at once after a few connection errors."""
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
