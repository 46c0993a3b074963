"""How the texts of a column write numbers or times: found once, then every batch is read by it."""

from collections.abc import Sequence

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from seedbed.data.number_formats import NUMBERS, find_number, read_numbers, split_unit
from seedbed.data.texts import Format, as_arrow
from seedbed.data.time_formats import NAMED_TIMES, find_digits, find_time, read_times
from seedbed.errors import UserError

__all__ = ["Format", "check_form", "find_format", "parse"]

FEW = 200
"""So many values, evenly spread, are tried before all are."""


def find_format(texts: pd.Series, like: Sequence[str] = ()) -> Format | None:
    """Return the format in which all texts are numbers, or all are times.

    Parameters
    ----------
    texts : Series of str
        The distinct values of a column that are not missing, in the order of the rows.
    like : sequence of str
        Formats of other columns of the table: they decide where these texts do not.
    """
    values = pc.utf8_trim_whitespace(pc.drop_null(as_arrow(texts)))
    if not len(values):
        return None
    step = len(values) // FEW + 1
    few = values.take(pa.array(range(0, len(values), step)))
    for find in (find_digits, find_number, find_time):
        found = find(few, like)
        if found and step > 1:
            found = find(values, like)
        if found:
            return found
    return None


def parse(texts: pd.Series, form: str) -> pd.Series:
    """Return texts as numbers or times; what does not fit is missing.

    Parameters
    ----------
    texts : Series of str, shape (n_rows,)
    form : str
        A number as the column writes it ("1.234,5", "1.234,5 kg"), a strptime string, "ISO8601",
        "ISO week" or "unix seconds" (milliseconds, microseconds).

    Returns
    -------
    Series, shape (n_rows,)
        float64, Int64 where all numbers are whole and fit into it, or datetime64[us]: in UTC where
        a text has an offset, else without a zone.

    Raises UserError if there is no such format.
    """
    check_form(form)
    encoded = as_arrow(texts).dictionary_encode()
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary)
    read = read_numbers(trimmed, form) if split_unit(form)[0] else read_times(trimmed, form)
    places = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return pd.Series(read.array.take(places, allow_fill=True), index=texts.index, name=texts.name)


def check_form(form: str) -> None:
    """Refuse a format that does not exist.

    Raises UserError if it does not; it names those that do.
    """
    if not split_unit(form)[0] and form not in NAMED_TIMES and "%" not in form:
        raise UserError(
            f"{form!r} is no format. Write a number as the column does, one of "
            f"{', '.join(map(repr, NUMBERS))}, with its unit if it has one; or for a time "
            f"{', '.join(map(repr, NAMED_TIMES))} or a strptime string such as '%d.%m.%Y %H:%M'."
        )
