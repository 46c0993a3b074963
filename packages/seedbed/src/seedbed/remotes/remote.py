"""Sets up the place where data and models are kept: tried first, then written to .dvc/config."""

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from seedbed.errors import UserError
from seedbed.remotes.failures import explain
from seedbed.remotes.opening import open_repository
from seedbed.remotes.urls import check_package, checked, scheme_of, without_secrets

NAME = "storage"
OURS = {"url", "verify", "connect_timeout", "endpointurl"}
"""What `set_up` decides anew each time."""
CONNECT_TIMEOUT = 15
"""Seconds, for S3: without it, a server that swallows packets would hold a push for ten minutes."""


def set_up(root: Path, url: str, endpoint_url: str | None = None) -> list[str]:
    """Make `url` the default remote of the repository; return what was done, in lines.

    Raises
    ------
    UserError
        If the address is no good, or the place could not be written to and read from: nothing is changed then.
    """
    scheme = scheme_of(url)
    address = checked(url, root)
    check_package(scheme)
    settings: dict[str, Any] = {"url": address, "verify": True}
    if scheme == "s3":
        settings["connect_timeout"] = CONNECT_TIMEOUT
    if endpoint_url:
        if scheme != "s3":
            raise UserError(
                f"--endpoint-url {endpoint_url}: only an s3:// remote has one, and this is {address}."
            )
        if without_secrets(endpoint_url) != endpoint_url:
            raise UserError(
                f"--endpoint-url {without_secrets(endpoint_url)}: it holds a secret, and .dvc/config goes into Git."
            )
        settings["endpointurl"] = endpoint_url
    kept = _kept(root, scheme)
    _try(root, {**kept, **settings})
    before = _write(
        root, {**kept, **settings}, relative=not scheme and not Path(url).expanduser().is_absolute()
    )
    lines = [
        f"wrote, read and removed a small file at {address}",
        f"{NAME} is the default remote in .dvc/config: commit it",
    ]
    if kept:
        lines.append(f"kept what .dvc/config had for {NAME} besides: {', '.join(sorted(kept))}")
    if before and before != _written_url(root):
        lines.append(
            f"{NAME} was {without_secrets(before)}; what lies there stays there, and `make push` fills the new place"
        )
    return lines


def _kept(root: Path, scheme: str) -> dict[str, Any]:
    """Return what a person has set for the remote, such as a region: all but what `set_up` sets, while its kind is the same."""
    from dvc.config import Config

    there = dict(Config(dvc_dir=str(root / ".dvc")).read("repo")["remote"].get(NAME, {}))
    if not there or urlsplit(str(there["url"])).scheme != scheme:
        return {}
    return {name: value for name, value in there.items() if name not in OURS}


def _try(root: Path, settings: dict[str, Any]) -> None:
    """Write a small object to the remote, read it and remove it."""
    from dvc.config import Config, ConfigError

    content = secrets.token_hex(16).encode()
    place = f"the remote {settings['url']}"
    try:
        # What only this machine knows, such as a key file, stands in .dvc/config.local.
        ours = Config(dvc_dir=str(root / ".dvc")).read("local")["remote"].get(NAME, {})
        with open_repository(root, {**settings, **ours}) as repo:
            remote = repo.cloud.get_remote()
            fs = remote.fs
            probe = fs.join(remote.path, f".seedbed-probe-{content.decode()[:8]}")
            fs.makedirs(remote.path)
            fs.pipe_file(probe, content)
            try:
                read = fs.cat_file(probe)
            finally:
                fs.remove(probe)
    except ConfigError as error:
        raise UserError(f"{settings['url']}: DVC refuses it: {error}") from error
    except Exception as error:
        failed = "a small file could not be written and read"
        raise UserError(
            explain([error], place, failed, after=".dvc/config is as it was.")
        ) from error
    if read != content:
        raise UserError(
            f"{place} gave back {len(read)} other bytes than the {len(content)} written: do not trust it."
        )


def _write(root: Path, settings: dict[str, Any], relative: bool) -> str:
    """Write the section of .dvc/config; return the address that stood there, or an empty string."""
    from dvc.config import Config
    from dvc.utils import relpath

    with Config(dvc_dir=str(root / ".dvc")).edit("repo") as conf:
        before = conf["remote"].get(NAME, {}).get("url", "")
        # DVC writes a path that is relative to the working directory as relative to .dvc/, for every clone.
        url = relpath(settings["url"]) if relative else settings["url"]
        conf["remote"][NAME] = {**settings, "url": url}
        conf["core"]["remote"] = NAME
    return str(before)


def _written_url(root: Path) -> str:
    from dvc.config import Config

    return str(Config(dvc_dir=str(root / ".dvc")).read("repo")["remote"][NAME]["url"])
