"""Which places a remote may be at, and what an address must not hold."""

import importlib.util
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from seedbed.errors import UserError

PACKAGES = {"ssh": "dvc_ssh", "s3": "dvc_s3", "gs": "dvc_gs"}
"""The module that DVC needs for each scheme; the extra of pyproject.toml that installs it has the scheme's name."""
EXAMPLES = (
    "/mnt/share/flights, ssh://user@host/srv/flights, s3://bucket/flights or gs://bucket/flights"
)
INSTEAD = (
    "Give the address without it, and the secret by environment variables (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
    "GOOGLE_APPLICATION_CREDENTIALS), by an SSH key, or in .dvc/config.local, which Git ignores: "
    "`.venv/bin/dvc remote modify --local storage password ...`."
)


def scheme_of(url: str) -> str:
    """Return ``ssh``, ``s3`` or ``gs``, or an empty string for a directory.

    Raises
    ------
    UserError
        If it is the address of something else.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", url)
    if found:
        scheme = found[1].lower()
        if scheme not in PACKAGES:
            raise UserError(
                f"{without_secrets(url)}: {scheme}:// is no place for a remote here. Give one like {EXAMPLES}."
            )
        return scheme
    if re.match(r"[\w.-]+@[\w.-]+:", url):
        raise UserError(
            f"{url}: write it as ssh://user@host/folder, with the whole path of the folder."
        )
    return ""


def checked(url: str, root: Path) -> str:
    """Return the address as DVC takes it: a directory's is an absolute path.

    Raises
    ------
    UserError
        If it names no place, holds a secret, or is a directory inside the repository `root`.
    """
    if not url.strip():
        raise UserError(f"there is no address. Give one: make remote URL=..., like {EXAMPLES}.")
    if not scheme_of(url):
        folder = Path(url).expanduser().resolve()
        if folder.is_relative_to(root):
            raise UserError(
                f"{folder}: this is inside the repository {root}, where a clone would not find it. Choose one outside."
            )
        return str(folder)
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise UserError(f"{without_secrets(url)}: {error}. Write it like {EXAMPLES}.") from error
    if parts.password is not None or (parts.username and parts.scheme != "ssh"):
        raise UserError(
            f"{without_secrets(url)}: the address holds a secret, and .dvc/config goes into Git. {INSTEAD}"
        )
    if parts.query or parts.fragment:
        names = (
            ", ".join(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
            or parts.fragment
        )
        raise UserError(
            f"{without_secrets(url)}: an address takes no options ({names}), and .dvc/config goes into Git. {INSTEAD}"
        )
    if not host or (parts.scheme == "ssh" and not parts.path.strip("/")):
        raise UserError(
            f"{url}: {'the folder' if host else 'the host or bucket'} is missing. Write it like {EXAMPLES}."
        )
    if port is not None and parts.scheme != "ssh":
        raise UserError(
            f"{url}: a bucket has no port. An S3 server of your own goes into --endpoint-url."
        )
    return url


def without_secrets(url: str) -> str:
    """Return an address that may be shown: without what stands before the host or after a question mark."""
    return re.sub(r"(//[^/@]*:)[^/@]*@", r"\1***@", re.sub(r"[?#].*$", "", url))


def check_package(scheme: str) -> None:
    """Check that what DVC needs for a scheme is installed.

    Raises
    ------
    UserError
        If it is not, with the command that installs it.
    """
    if scheme and importlib.util.find_spec(PACKAGES[scheme]) is None:
        package = PACKAGES[scheme].replace("_", "-")
        raise UserError(
            f"{scheme}:// needs the package {package}, which is not installed here. Run "
            "`make setup LOCK=requirements-all.lock`, then the same command again."
        )
