"""What was fetched over HTTP, kept below .dvc/tmp: an unchanged answer is not fetched again."""

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from seedbed.files import read_json, write_json

if TYPE_CHECKING:
    from requests import Response

    from seedbed.data.http_session import HttpSession

FOLDER = Path(".dvc/tmp/http")
"""A file for each address, below the hash of the address. It may be deleted at any time."""
CONDITIONS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}
"""What is sent of a file that is kept, by the header of the answer."""


@contextmanager
def fetched(session: "HttpSession", address: str) -> Iterator[tuple[Path, "Response"]]:
    """Yield a file with what is at an address, the one that is kept if it is unchanged; the answer.

    One is kept if the server sent ETag or Last-Modified with it, and did not forbid to store it.
    Of an answer to private headers only ETag counts: others may get another one of the same time.

    Parameters
    ----------
    address : str
        Its last part is the file's name. No secret is in it.

    Raises UserError as :meth:`~seedbed.data.http_session.HttpSession.fetch` does.
    """
    key = hashlib.sha256(address.encode()).hexdigest()[:32]
    name = Path(urlsplit(address).path).name or "answer"
    kept, about = FOLDER / key / name, FOLDER / f"{key}.json"
    if Path(".dvc").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        place = FOLDER
    else:
        place = None  # outside of a repository
    with tempfile.TemporaryDirectory(dir=place) as folder:
        fresh = Path(folder) / name
        with fresh.open("wb") as file:
            response = session.fetch(address, file, _conditions(kept, about))
        if response.status_code == 304:
            fresh = kept
        elif place and "no-store" not in response.headers.get("Cache-Control", ""):
            names = ["ETag"] if session.private else list(CONDITIONS)
            sent = {header: response.headers.get(header) for header in names}
            if found := {CONDITIONS[header]: mark for header, mark in sent.items() if mark}:
                kept.parent.mkdir(exist_ok=True)
                fresh.replace(kept)
                fresh = kept
                write_json(about, {"conditions": found, "sha256": _digest(kept)})
        yield fresh, response


def _conditions(kept: Path, about: Path) -> Mapping[str, str]:
    """Return by what the server knows the file that is kept; nothing if that is not whole."""
    try:
        known = read_json(about)
        return known["conditions"] if known["sha256"] == _digest(kept) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
