"""CSV by pandas, with its options: in parts or whole, and the digits that a float would round."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_checks import refusing, where_uneven
from seedbed.data.integers import EXACT, whole_numbers
from seedbed.data.text_files import decoding, has_wide_letters, opened
from seedbed.errors import UserError


def parse_csv(path: Path, options: CsvOptions, **more: Any) -> Iterator[pd.DataFrame]:
    """Yield what pandas reads: the parts, where `more` has a `chunksize`, else all.

    Raises UserError if the file is damaged, or in another encoding.
    """
    quoting = {"quoting": 3} if options.quote is None else {"quotechar": options.quote}
    given = {
        # Else rows longer than the header make their first column the index.
        "index_col": False,
        **quoting,
        **more,
    }
    is_text = not has_wide_letters(options.encoding)
    with refusing(path, options), opened(path, text=is_text) as file:
        found = pd.read_csv(
            file,
            engine="c",
            sep=options.separator,
            encoding=decoding(options.encoding),
            escapechar=options.escape,
            decimal=options.decimal,
            thousands=options.thousands,
            skiprows=options.top,
            keep_default_na=False,
            on_bad_lines="error",
            **given,
        )
        yield from [found] if isinstance(found, pd.DataFrame) else found


def refuse_long_rows(path: Path, options: CsvOptions, header: Mapping[str, Any]) -> None:
    """Refuse rows with more values than there are names: pandas leaves out what is behind.

    Parameters
    ----------
    header : mapping
        What pandas is told of the names.

    Raises UserError if the first row has; rows after it that are longer than it are an error of
    pandas.
    """
    (row,) = parse_csv(path, options, nrows=1, dtype="str", index_col=None, **header)
    if not isinstance(row.index, pd.RangeIndex):
        raise UserError(
            f"{path}: rows have more values than the header has names, so nobody can tell which "
            f"value is whose{where_uneven(path, options)}. Name every column, or correct the rows: "
            "a comma at the end of a row makes one more value."
        )


class Digits:
    """Restores the digits of whole numbers that pandas has rounded, part by part of a file.

    Parameters
    ----------
    reading : mapping
        What :func:`parse_csv` was given.
    """

    def __init__(self, path: Path, options: CsvOptions, reading: Mapping[str, Any]) -> None:
        self._path, self._options, self._reading = path, options, reading
        self._names: set[str] = set()
        self._parts: Iterator[tuple[int, pd.DataFrame]] = iter(())

    def restore(self, place: int, frame: pd.DataFrame) -> None:
        """Put the digits into `frame`, the part at a place that grows from call to call."""
        names = [
            name
            for name in frame.columns
            if frame[name].dtype == "float64" and frame[name].abs().max() >= EXACT
        ]
        if not names:
            return
        if not self._names.issuperset(names):
            self._names.update(names)
            own = {"usecols": sorted(self._names), "dtype": "str"}
            self._parts = enumerate(parse_csv(self._path, self._options, **own, **self._reading))
        part = next(part for at, part in self._parts if at == place)
        for name in names:
            frame[name] = _restore_digits(part[name], frame[name], self._options.thousands)


def _restore_digits(texts: pd.Series, floats: pd.Series, thousands: str | None) -> pd.Series:
    """Return numbers with all their digits, as text where no integer holds them, else floats."""
    digits = texts.str.strip()
    if thousands is not None:
        digits = digits.str.replace(thousands, "", regex=False)
    others = floats[digits.notna() & ~digits.str.fullmatch(r"[+-]?[0-9]+", na=False)]  # as 1e3
    has_digits = (floats.drop(others.index).abs() >= EXACT).any()
    if not has_digits or (others % 1 != 0).any():
        return floats
    whole = digits.copy()
    whole[others.index] = others.map(lambda number: str(int(number))).astype("str")
    found = whole_numbers(whole, texts.index)
    return digits if found is None else found
