"""In which encoding a file of text is written."""

import codecs
import re
from itertools import islice
from pathlib import Path

from seedbed.data.text_files import opened
from seedbed.errors import UserError

MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The encodings that a byte-order mark names. That of UTF-16 begins as that of UTF-32 does."""
LATIN = ("cp1252", "cp1250", "cp850")
"""Of Western and Central Europe, and of DOS: they differ in a few letters each."""
OTHERS = (
    *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
    *("cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
"""Of other scripts."""
AMID_LETTERS = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f](?=[^\W\d_])")
SHARE = 0.3
"""In a script that is not Latin, more of the letters than this have a byte above 127."""
MOST = 2000
"""How many lines with such letters are looked at."""


def find_encoding(path: Path) -> tuple[str, str | None]:
    """Return a file's encoding, and a sentence where it is a guess.

    Raises UserError if some lines are UTF-8 and others are not.
    """
    with opened(path) as file:
        head = file.read(2**16)
    for mark, name in MARKS.items():
        if head.startswith(mark):
            return name, None
    for name, zeros in (("utf-16-le", head[1::2]), ("utf-16-be", head[0::2])):
        if zeros.count(0) > 0.6 * len(zeros):
            return name, f"every second byte is 0 and there is no mark: read as {name}"
    if _is_utf8(path):
        return "utf-8", None
    return _guess(path)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with opened(path) as file:
            for chunk in iter(lambda: file.read(2**20), b""):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _guess(path: Path) -> tuple[str, str]:
    utf8, others = _split_lines(path)
    if utf8 and others:
        raise UserError(
            f"{path}: line {next(iter(utf8))} is UTF-8, and line {next(iter(others))} is not, so "
            "the file was put together of parts in different encodings. Convert each part to UTF-8 "
            "before, or correct these lines. If it is in one encoding, name it: set "
            "source.options.encoding to cp1252, for example."
        )
    sample = b"".join(others.values())
    high = sum(byte > 127 for byte in sample)
    letters = high + sum(chr(byte).isalpha() for byte in sample if byte < 128)
    name = None
    if high > SHARE * letters:
        import charset_normalizer

        best = charset_normalizer.from_bytes(sample, cp_isolation=[*OTHERS]).best()
        name = best.encoding if best is not None else None
    name = name or _latin(sample)
    text = sample.decode(name, errors="replace")
    word = next((word for word in re.findall(r"\w+", text) if not word.isascii()), text[:20])
    return name, f"the file is not UTF-8: read as {name}, so that a word in it is {word!r}"


def _split_lines(path: Path) -> tuple[dict[int, bytes], dict[int, bytes]]:
    """Return lines with bytes above 127 by number: those that are UTF-8, and those that are not."""
    utf8: dict[int, bytes] = {}
    others: dict[int, bytes] = {}
    with opened(path) as file:
        lines = ((number, line) for number, line in enumerate(file, 1) if not line.isascii())
        for number, line in islice(lines, MOST):
            try:
                line.decode("utf-8")
                utf8[number] = line
            except UnicodeDecodeError:
                others[number] = line
        for number, line in lines if not others else ():
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                others[number] = line
                break
    return utf8, others


def _latin(sample: bytes) -> str:
    """Return the encoding in which the fewest signs stand amid letters."""
    signs = {}
    for name in LATIN:
        try:
            signs[name] = len(AMID_LETTERS.findall(sample.decode(name)))
        except UnicodeDecodeError:
            continue
    return min(signs, key=lambda name: signs[name], default="latin-1")
