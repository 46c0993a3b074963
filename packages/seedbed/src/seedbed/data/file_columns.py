"""Columns that hold paths: what the files hold becomes the feature, also when it is served."""

import os.path
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from seedbed.config.schema import ColumnType
from seedbed.errors import UserError, one_line

FILES: tuple[ColumnType, ...] = ("image", "document")
"""The types whose values are paths."""
MOST_BYTES = 20_000_000
"""Of a larger file nobody can tell what it does to the memory of a server: it is refused."""


def read_documents(paths: pd.Series) -> pd.Series:
    """Return the text of each file, missing where there is no path.

    Parameters
    ----------
    paths : Series of str, shape (n_rows,)
        Relative to the working directory, which is the repository, and inside of it.

    Raises UserError if a file is missing, lies elsewhere, is too large, or is not UTF-8.
    """
    return _read_each(paths, "text in UTF-8", lambda file: file.read_text(encoding="utf-8-sig"))


def read_images(paths: pd.Series, size: int, color: bool) -> pd.Series:
    """Return each image as a small square of pixels, missing where there is no path.

    Parameters
    ----------
    paths : Series of str, shape (n_rows,)
        As for :func:`read_documents`.
    size : int
        Pixels on each side of the square: the image is scaled to it, whatever its shape.
    color : bool
        Red, green and blue of each pixel; else one grey.

    Returns
    -------
    Series of str, shape (n_rows,)
        One byte for each value, row by row, in hexadecimal.

    Raises UserError as by :func:`read_documents`, or if Pillow cannot read a file.
    """
    from PIL import Image

    def pixels(file: Path) -> str:
        with Image.open(file) as image:
            # Transparent pixels show what is behind them, here white, as on a page.
            whole = image.convert("RGBA")
        page = Image.new("RGBA", whole.size, "white")
        page.alpha_composite(whole)
        small = page.convert("RGB" if color else "L").resize((size, size), Image.Resampling.BOX)
        return small.tobytes().hex()

    return _read_each(paths, "an image that can be read", pixels)


def _read_each(paths: pd.Series, wanted: str, read: Callable[[Path], str]) -> pd.Series:
    contents: dict[str, str] = {}
    for path in paths:
        if pd.isna(path) or path in contents:
            continue
        try:
            contents[path] = read(_inside(path))
        except Exception as error:  # a damaged file may fail in any way
            why = error.args[0] if isinstance(error, UserError) else _explain(error, wanted)
            raise UserError(
                f"column {paths.name}: the file {path!r} {why}. A path is relative to "
                "the repository; correct it or the file, or leave it out where there is none."
            ) from None
    return paths.map(contents).astype("str")


def _inside(path: str) -> Path:
    # A request must not make a server read what is elsewhere. Links are followed: DVC makes some.
    file = Path(os.path.normpath(path))
    if file.is_absolute() or file.parts[:1] == ("..",):
        raise UserError("lies outside of the repository")
    if file.is_file() and file.stat().st_size > MOST_BYTES:
        raise UserError(f"has more than {MOST_BYTES // 1_000_000} MB")
    return file


def _explain(error: Exception, wanted: str) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be opened ({error.strerror})"
    return f"is not {wanted} ({one_line(error)[:200]})"
