"""Files at an address (s3://, https://, ...): found there, and fetched or read where they are."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from seedbed.data.batches import WAITS
from seedbed.data.store_errors import HTTP, reaching
from seedbed.errors import UserError
from seedbed.progress import RowProgress

if TYPE_CHECKING:
    from seedbed.data.http_session import HttpSession

Result = TypeVar("Result")
CREDENTIALS = "~/.netrc, or headers for fsspec in FSSPEC_HTTPS or ~/.config/fsspec"
WHAT_CHANGES = ("ETag", "etag", "md5Hash", "size", "LastModified", "mtime", "Last-Modified")
"""By what a changed object is known: the first two of these that a store tells."""


def is_address(path: str | None) -> bool:
    """Whether a path is an address of files elsewhere."""
    return path is not None and "://" in path


def head_of(pattern: str) -> str:
    """Return the folders of a pattern before its first sign."""
    first = min(pattern.index(sign) for sign in "*?[" if sign in pattern)
    return pattern[:first].rpartition("/")[0]


class Store:
    """The files of the store that an address names: see :class:`seedbed.data.source_files.Files`.

    Credentials are those that the store's own tools use: their environment variables and files,
    such as ``~/.aws``, or fsspec's.

    Raises
    ------
    UserError
        If what reads such addresses is not installed.
    """

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs

        with reaching(address):
            self.filesystem, _ = url_to_fs(address)
            self.filesystem.invalidate_cache()

    def is_file(self, path: str) -> bool:
        """Whether there is a file; an address of http is always meant to be one."""
        if path.startswith(HTTP):
            with self._session(path) as session:
                session.look_up(path)
            return True
        with reaching(path):
            try:  # isfile() takes a refusal for a missing file
                return bool(self.filesystem.info(path)["type"] == "file")
            except FileNotFoundError:
                return False

    def exists(self, path: str) -> bool:
        """Whether there is a file or a folder."""
        with reaching(path):
            return bool(self.filesystem.exists(path))

    def glob(self, pattern: str) -> list[str]:
        """Return what matches a pattern, in sorted order."""
        with reaching(pattern):
            found = sorted(self.filesystem.glob(pattern))
        return [self._address(name, head_of(pattern)) for name in found]

    def files_in(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder and in the folders below, in sorted order."""
        with reaching(folder):
            try:
                found = self.filesystem.find(folder, detail=True)
            except FileNotFoundError:
                return {}
        return {
            self._address(name, folder): about["size"] or 0 for name, about in sorted(found.items())
        }

    def parquet_in(self, folder: str) -> list[str]:
        """Return the Parquet files of a folder and of the folders in it, in sorted order."""
        return [
            name
            for name, size in self.files_in(folder).items()
            if size
            and name.endswith(".parquet")
            # Spark and others put files of their own beside them.
            and not any(
                part.startswith(("_", ".")) for part in name.removeprefix(folder).split("/")
            )
        ]

    def _address(self, name: str, above: str) -> str:
        """Return the address of what a store calls `name`, below an address."""
        return f"{above}{name.removeprefix(self.filesystem._strip_protocol(above))}"

    def for_arrow(self) -> Any:
        """Return the file system for Arrow; it says itself which bytes of a file it needs."""
        from pyarrow import PythonFile
        from pyarrow.fs import FSSpecHandler, PyFileSystem

        class Uncached(FSSpecHandler):  # type: ignore[misc]
            def open_input_file(self, path: str) -> PythonFile:
                # fsspec's own cache would stay in memory: it and its file refer to each other.
                return PythonFile(self.fs.open(path, mode="rb", cache_type="none"), mode="r")

        return PyFileSystem(Uncached(self.filesystem))

    @contextmanager
    def fetched(self, address: str) -> Iterator[Path]:
        """Yield a copy of a file, whole; what is wrong with it is said of its address.

        Of a file over HTTP that is unchanged, it is the copy that was kept.

        Raises UserError if it cannot be fetched.
        """
        with self._kept(address) if address.startswith(HTTP) else self._new(address) as path:
            try:
                yield path
            except UserError as error:
                raise UserError(str(error).replace(str(path), address)) from None

    @contextmanager
    def _kept(self, address: str) -> Iterator[Path]:
        from seedbed.data.http_cache import fetched

        with self._session(address) as session, fetched(session, address) as (path, _):
            yield path

    @contextmanager
    def _new(self, address: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / Path(urlsplit(address).path or address).name
            self.fetch(address, path)
            yield path

    def _session(self, address: str) -> "HttpSession":
        """Return a session with the headers that are set for fsspec."""
        from seedbed.data.http_session import HttpSession

        own = [self.filesystem.client_kwargs, self.filesystem.kwargs]
        headers = {name: value for part in own for name, value in part.get("headers", {}).items()}
        session = HttpSession(address, headers, f"Check the credentials: {CREDENTIALS}.")
        session.headers["Accept-Encoding"] = "identity"  # a .gz stays one
        return session

    def fetch(self, address: str, path: Path) -> None:
        """Fetch a file, whole or not at all; a transfer that is interrupted begins anew, twice.

        Raises UserError if it cannot be fetched.
        """
        from fsspec.callbacks import Callback

        progress = RowProgress(None, unit="bytes")

        def show(size: int | None, value: int, **_: Any) -> None:
            progress.total = size
            progress.add(value - progress.done)

        def get() -> None:
            self.filesystem.get_file(address, str(path), callback=Callback(hooks={"show": show}))
            expected = self.filesystem.info(address).get("size")
            if expected is not None and path.stat().st_size < expected:
                raise OSError(f"{path.stat().st_size} of {expected} bytes arrived")

        path.parent.mkdir(parents=True, exist_ok=True)
        if address.startswith(HTTP):
            with self._session(address) as session, path.open("wb") as file:
                session.fetch(address, file, {})
            return
        try:
            with reaching(address):
                _anew(get)
        finally:
            progress.close()

    def state_of(self, address: str) -> dict[str, str]:
        """Return by what a file is known when it changes: its ETag and size, or size and time."""
        about: Mapping[str, Any]
        if address.startswith(HTTP):
            with self._session(address) as session:
                headers = session.look_up(address)
            named = {"ETag": "ETag", "size": "Content-Length", "Last-Modified": "Last-Modified"}
            about = {key: headers.get(header) for key, header in named.items()}
        else:
            with reaching(address):
                self.filesystem.invalidate_cache()
                about = self.filesystem.info(address)
        told = {key: about[key] for key in WHAT_CHANGES if about.get(key) is not None}
        return {key: str(value).strip('"') for key, value in list(told.items())[:2]}


def _anew(read: Callable[[], Result]) -> Result:
    """Call `read`, anew where the network breaks off."""
    for wait in WAITS:
        try:
            return read()
        except (FileNotFoundError, PermissionError, UserError):
            raise
        except Exception:
            time.sleep(wait)
    return read()
