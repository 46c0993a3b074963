"""Warnings on the values of a column: what a careful person would look at again."""

import numpy as np
import pandas as pd
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedbed.data.formats import parse
from seedbed.data.integers import EXACT
from seedbed.data.number_formats import NUMBERS, split_unit, unit_of
from seedbed.data.texts import all_match, as_arrow
from seedbed.data.time_formats import PLAIN_TIME, forms_of
from seedbed.datasets.columns import ColumnValues
from seedbed.errors import row_of_source

ODD = 0.05
"""Share of the different texts that may be no number before nobody calls them numbers."""
FEW = 200
PLACEHOLDERS = (-1, -9, -99, -999, -9999, -99999, 999, 9999, 99999, 999999, 9999999)
FAR, OUTLYING = 5, 10
"""So many times the next number is far from it, for a placeholder and for any number."""


def note_on_numbers(column: ColumnValues, numbers: pd.Series) -> str | None:
    """Return a warning on numbers: placeholders, one far from all others, lost digits.

    Parameters
    ----------
    numbers : Series, shape (n_values,)
        Its different values as finite numbers.
    """
    floats = numbers.astype("float64")
    notes = _odd_numbers(floats, column.counts)
    if (
        column.distinct.dtype.kind == "f"
        and (floats.abs() > EXACT).any()
        and (floats % 1 == 0).all()
    ):
        notes.append("whole numbers beyond 2**53 that came as floats: digits may be lost")
    return "; ".join(notes) or None


def note_on_times(times: pd.Series, counts: NDArray[np.int64]) -> str | None:
    """Return a warning if the first or last time stands for something else, as 9999-12-31 does."""
    if len(times) < 3:
        return None
    ordered = times.sort_values()
    for place, near in ((-1, -2), (0, 1)):
        time, gap = ordered.iloc[place], abs(ordered.iloc[place] - ordered.iloc[near])
        if time.year in (1, 1900, 1970, 2099, 2999, 9999) and gap > pd.Timedelta(days=3650):
            count = int(counts[ordered.index[place]])
            return f"{time.date()} in {count:,} rows is far from the others: a placeholder?"
    return None


def note_on_texts(column: ColumnValues) -> str | None:
    """Return a warning on texts that nearly all are numbers, or stand for something else."""
    texts = pc.utf8_trim_whitespace(as_arrow(column.distinct))
    if all_match(texts, r"^\d{1,2}:\d\d(:\d\d)?$"):
        return "times of the day: as a number they would say more, see kind clock_minutes"
    if all_match(texts, r"(?i)\.(?:png|jpe?g|tiff?|bmp)$"):
        return "paths of images"
    if all_match(texts, r"^[+-]?\d[\d.,]* +[^\d\s]+$"):
        return "numbers with different units? In one unit, they are read as numbers"
    texts = column.distinct
    if texts[:FEW].str.contains(r"\d").mean() < 1 - 2 * ODD or len(texts) < 10:
        return None
    # The first text may be the one that is no time, or has no unit.
    times = dict.fromkeys([PLAIN_TIME, *forms_of(texts[0]), *forms_of(texts[1])])
    unit = unit_of(texts[0]) or unit_of(texts[1])
    of_unit = [f"{form} {unit}" for form in NUMBERS] if unit else []
    for form in (*NUMBERS, *of_unit, *times):
        if parse(texts[:FEW], form).isna().mean() > 2 * ODD:
            continue
        wrong = parse(texts, form).isna().to_numpy()
        if 0 < wrong.sum() <= max(1, ODD * len(texts)):
            what = "numbers" if split_unit(form)[0] else "times"
            first = int(wrong.argmax())
            row = row_of_source(int((column.codes == first).argmax()))
            return (
                f"{what} but for {wrong.sum():,} of {len(texts):,} values, the first "
                f"{column.distinct[first]!r} in {row}: correct them, or list them under "
                "`missing`"
            )
    return None


def _odd_numbers(numbers: pd.Series, counts: NDArray[np.int64]) -> list[str]:
    """Return warnings: -999 far from all others, one far too large, times of day as 1730."""
    values = numbers.to_numpy()
    if len(values) < 3:
        return []
    notes = []
    order = values.argsort()
    for place, near in ((order[0], values[order[1]]), (order[-1], values[order[-2]])):
        value, count = values[place], counts[place]
        far = near >= 0 and values.max() >= 10 if value < 0 else near * FAR < value
        if value in PLACEHOLDERS and far and count > 1:
            notes.append(f"{value:.0f} in {count:,} rows may stand for missing")
        elif abs(value) > OUTLYING * abs(near) > 0 and len(values) > 10:
            notes.append(f"{value:.6g} in {count:,} rows is far from all others: an error?")
    clock = values.min() >= 0 and 1300 < values.max() <= 2400 and (values % 100 < 60).all()
    if clock and len(values) > 100 and (values % 1 == 0).all():
        notes.append("hours and minutes in one number? Minutes say more: kind clock_minutes")
    return notes
