"""Sets up the place where data and models are kept: written to .dvc/config, and tried."""

import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from seedbed.errors import UserError
from seedbed.files import write_text
from seedbed.remotes.data import open_repository
from seedbed.remotes.failures import explained

NAME = "storage"
CONNECT_TIMEOUT = 15
"""Seconds, for S3: by default a server that swallows packets holds a push for ten minutes."""


def set_up(root: Path, url: str, endpoint_url: str | None = None) -> list[str]:
    """Make `url` the default remote, if a small file can be written there; return what was done.

    Raises UserError if the address is no good or the place cannot be used; .dvc/config is as before
    then.
    """
    from dvc.config import Config, ConfigError

    scheme = check_address(root, url, endpoint_url)
    settings = {"url": url if scheme else str(Path(url).expanduser().resolve()), "verify": True}
    settings |= {"connect_timeout": CONNECT_TIMEOUT} if scheme == "s3" else {}
    settings |= {"endpointurl": endpoint_url} if endpoint_url else {}
    file = root / ".dvc/config"
    before, done = file.read_text(encoding="utf-8"), False
    try:
        with Config(dvc_dir=str(root / ".dvc")).edit("repo") as config:
            there = config["remote"].get(NAME, {})
            kept = there if urlsplit(str(there.get("url", ""))).scheme == scheme else {}
            kept.pop("endpointurl", None)
            # DVC keeps a relative path relative, from .dvc/ on, for every clone.
            path = {} if scheme or Path(url).expanduser().is_absolute() else {"url": url}
            config["remote"][NAME] = {**kept, **settings, **path}
            config["core"]["remote"] = NAME
        _try(root, Config(dvc_dir=str(root / ".dvc"))["remote"][NAME])
        done = True
    except ConfigError as error:
        raise UserError(f"{url}: DVC refuses this address: {error}.") from error
    finally:
        if not done:
            write_text(file, before)
    lines = [
        f"wrote, read and removed a small file at {settings['url']}",
        f"{NAME} is the default remote in .dvc/config: commit it",
    ]
    if there and before != file.read_text(encoding="utf-8"):
        lines.append(
            f"what lies at {there['url']} stays there; `seedbed push --all` fills the new place"
        )
    return lines


def check_address(root: Path, url: str, endpoint_url: str | None) -> str:
    """Return the scheme of an address, an empty string for a directory.

    Raises UserError if it holds a secret, is no address, or is a directory inside the repository.
    """
    for address in filter(None, (url, endpoint_url)):
        parts = urlsplit(address)
        is_login = "@" in parts.netloc and (
            parts.scheme != "ssh" or ":" in parts.netloc.split("@")[0]
        )
        if is_login or (parts.scheme and (parts.query or parts.fragment)):
            raise UserError(
                f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}: the address holds a "
                "secret or options, and .dvc/config goes into Git. Give it without; secrets go "
                "into environment variables (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                "GOOGLE_APPLICATION_CREDENTIALS), an SSH key, or .dvc/config.local: `dvc remote "
                f"modify --local {NAME} ...`."
            )
    scheme = urlsplit(url).scheme if "://" in url else ""
    if not url.strip() or (not scheme and re.match(r"[\w.-]+@[\w.-]+:", url)):
        raise UserError(
            f"{url!r} is no address. Give one like /mnt/share/flights, "
            "ssh://user@host/srv/flights, s3://bucket/flights or gs://bucket/flights: "
            "make remote URL=..."
        )
    if not scheme and Path(url).expanduser().resolve().is_relative_to(root):
        raise UserError(f"{url} is inside the repository {root}: a clone would not find it there.")
    return scheme


def _try(root: Path, settings: dict) -> None:
    """Write a small file at the remote, read it and remove it."""
    content = secrets.token_hex(16).encode()
    failed = "a small file could not be written and read, so .dvc/config stays as it was"
    with explained(str(settings["url"]), failed), open_repository(root, settings) as repo:
        remote = repo.cloud.get_remote()
        probe = remote.fs.join(remote.path, f".seedbed-probe-{content.decode()[:8]}")
        remote.fs.makedirs(remote.path)
        remote.fs.pipe_file(probe, content)
        read = remote.fs.cat_file(probe)
        remote.fs.remove(probe)
        if read != content:
            raise OSError(f"it gave back {len(read)} other bytes than the {len(content)} written")
