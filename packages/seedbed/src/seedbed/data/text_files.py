"""Files of text: decompressed within limits, and what is no text refused."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from seedbed.errors import UserError, one_line

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
PACKED = (*OPENERS, ".zip")
"""The endings of compressed files."""
LARGEST_RATIO = 200
"""A table is at most so many times as large as it was compressed, or it is no table ..."""
HARMLESS = 2**30
"""... unless it has no more bytes than this."""


@contextmanager
def opened(path: Path, *, text: bool = False) -> Iterator[IO[bytes]]:
    """Yield the bytes of a file, decompressed by its ending.

    Parameters
    ----------
    text : bool
        Whether a byte 0 is refused, as it stands in no text but UTF-16 and UTF-32.

    Raises UserError if an archive does not hold one file, or is a bomb: small, and endless when
    unpacked.
    """
    if path.suffix != ".zip":
        with OPENERS.get(path.suffix, open)(path, "rb") as file:
            yield io.BufferedReader(_Checked(file, path, text), 2**18)
        return
    with zipfile.ZipFile(path) as archive:
        # macOS puts an entry of its own beside each file.
        names = archive.namelist()
        inside = [name for name in names if not name.startswith("__MACOSX/") and name[-1] != "/"]
        if len(inside) != 1:
            raise UserError(
                f"{path}: the archive holds {len(inside)} files ({', '.join(inside[:3])}), and one "
                "is expected. Leave one in it, or unpack it."
            )
        with archive.open(inside[0]) as file:
            yield io.BufferedReader(_Checked(file, path, text), 2**18)


class _Checked(io.RawIOBase):
    """A stream that stops where no honest compressed table, and no text, would go on."""

    def __init__(self, file: IO[bytes], path: Path, text: bool) -> None:
        self._file, self._path, self._text = file, path, text
        self._read = 0
        self._most = max(HARMLESS, LARGEST_RATIO * path.stat().st_size)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into `buffer`; return how many bytes."""
        found = self._file.read(len(buffer))
        if self._text and (place := found.find(b"\0")) >= 0:
            raise UserError(
                f"{self._path}: byte {self._read + place} is 0, which stands in no text, so "
                "this is no CSV file, a damaged one, or one in UTF-16. Fetch it again, remove such "
                r"bytes (tr -d '\000' <FILE >NEW), or set source.kind or source.options.encoding "
                "to what it is."
            )
        self._read += len(found)
        if self._read > self._most:
            raise UserError(_why_bomb(self._path))
        buffer[: len(found)] = found
        return len(found)


def refuse_bomb(path: Path) -> None:
    """Refuse an archive, such as an Excel workbook, that is small and endless when unpacked.

    Raises UserError if it unpacks to more than :data:`LARGEST_RATIO` times its size.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > max(HARMLESS, LARGEST_RATIO * path.stat().st_size):
            raise UserError(_why_bomb(path))


def _why_bomb(path: Path) -> str:
    return (
        f"{path}: unpacked, this file is more than {LARGEST_RATIO} times as large as it is now, as "
        "files are that were made to fill a disk. If you trust it, unpack it and give the unpacked "
        "file."
    )


@contextmanager
def refusing_damage(path: Path) -> Iterator[None]:
    """Say in a sentence that a compressed file cannot be unpacked."""
    try:
        yield
    except (zipfile.BadZipFile, lzma.LZMAError, EOFError, zlib.error, OSError) as error:
        raise UserError(
            f"{path}: the compressed file is damaged or cut off ({one_line(error)}). Fetch it "
            "again."
        ) from error


def decoding(encoding: str) -> str:
    """Return the encoding by which to read: a byte-order mark is no part of the first name."""
    return "utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding


def has_wide_letters(encoding: str) -> bool:
    """Whether every letter has two bytes or four, so that lines cannot be told by bytes."""
    return encoding.lower().replace("_", "").replace("-", "").startswith(("utf16", "utf32"))


def find_undecodable(path: Path, encoding: str) -> str:
    """Return the place of the first byte that is not in an encoding."""
    before = 0
    if not has_wide_letters(encoding):
        with opened(path) as file:
            for number, line in enumerate(file, 1):
                try:
                    line.decode(encoding)
                except UnicodeDecodeError as error:
                    return f"byte {before + error.start}, in line {number},"
                before += len(line)
    return "a byte"
