"""Times as people write them: a strptime string, or one of `NAMED_TIMES`."""

import re
import warnings
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from seedbed.data.number_formats import PLAIN_NUMBER, read_numbers
from seedbed.data.texts import (
    OFFSET,
    Format,
    all_match,
    any_match,
    joined,
    matches,
    only_matching,
)

PLAIN_TIME, WEEK, DIGITS = "ISO8601", "ISO week", "%Y%m%d"
UNIX = {"unix seconds": 10, "unix milliseconds": 13, "unix microseconds": 16}
"""And how many digits they have, from 2001 to 2033."""
NAMED_TIMES = (PLAIN_TIME, WEEK, *UNIX)

_LAST = 253_402_300_799 * 10**6
"""The end of 9999 in microseconds."""
_DATES = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%m.%d.%y", "%d-%m-%y", "%m-%d-%y", "%Y-%m-%d"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d. %B %Y", "%Y.%m.%d", "%Y%m%d"),
    *(
        "%b %d, %Y",
        "%B %d, %Y",
        "%b %d %Y",
        "%b %Y",
        "%B %Y",
        "%b-%Y",
        "%b-%y",
        "%m/%Y",
        "%a, %d %b %Y",
    ),
)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S %z", "%H:%M %z")


def find_digits(texts: pa.Array, _: Sequence[str] = ()) -> Format | None:
    """Return the format in which all texts are times that are written as one number, or None."""
    if all_match(texts, r"^(?:19|20)\d\d[01]\d[0-3]\d$") and _all_times(texts, DIGITS) is not None:
        return Format("time", DIGITS)
    for form, digits in UNIX.items():
        if all_match(texts, rf"^1\d{{{digits - 1}}}(?:\.\d+)?$"):
            return Format("time", form)
    return None


def find_time(texts: pa.Array, like: Sequence[str] = ()) -> Format | None:
    """Return the format in which all texts are times, or None.

    Day or month first is decided on all values. Where none does, the order of the rows does; else
    other columns of the table (`like`); else the month is first with "/", and the day otherwise.

    Parameters
    ----------
    texts : array of str
        Distinct, trimmed, not missing, in the order of the rows.
    """
    if not all_match(texts, r"^.{6,40}$") or not all_match(texts, r"\d\d"):
        return None
    if all_match(texts, r"^\d{4}-?W\d\d(?:-?[1-7])?$") and _all_times(texts, WEEK) is not None:
        return Format("time", WEEK)
    if all_match(texts, r"^\d{4}-\d\d(?:-\d\d|$)") and _all_times(texts, PLAIN_TIME) is not None:
        return Format("time", PLAIN_TIME, plain=True, note=_mixed_offsets(texts))
    fits = {
        form: times
        for form in forms_of(texts[0].as_py())
        if (times := _all_times(texts, form)) is not None
    }
    if not fits:
        return None
    form, *_ = fits
    note = None
    if "%y" in form:
        note = "of years, 69 to 99 are read as 1969 to 1999, and 00 to 68 as 2000 to 2068"
    if all(times.equals(fits[form]) for times in fits.values()):
        return Format("time", form, note=note)
    ordered = [form for form, times in fits.items() if _in_order(times)]
    known = {_day_first(form) for form in like} - {None}
    undecided = False
    if len(ordered) == 1:
        form, why = ordered[0], "the rows are in order of time only so"
    elif len(known) == 1:
        form = next(form for form in fits if _day_first(form) in known)
        why = "other columns are; its own values do not decide"
    else:
        form, undecided = next(form for form in fits if _day_first(form) != ("/" in form)), True
        why = (
            f"no value decides between day and month, such as {texts[0].as_py()!r}, and this is "
            f"usual with {'/' if '/' in form else form[2]!r}"
        )
    return Format("time", form, undecided=undecided, note=joined(f"read as {form}: {why}", note))


def read_times(texts: pa.Array, form: str) -> pd.Series:
    """Return datetime64[us], in UTC if a text has an offset; what does not fit is missing.

    Parameters
    ----------
    texts : array of str
        Trimmed.
    form : str
        A strptime string, or one of `NAMED_TIMES`.
    """
    if form in UNIX:
        return _read_unix(read_numbers(texts, PLAIN_NUMBER), 10 ** (16 - UNIX[form]))
    if form == WEEK:
        texts = only_matching(texts, r"^\d{4}-?W\d\d(?:-?[1-7])?$")
        pattern = r"^(\d{4})-?W(\d\d)-?(\d?)$"
        texts = pc.replace_substring_regex(texts, pattern, r"\1-W\2-\3")
        texts = pc.replace_substring_regex(texts, r"-$", "-1")
        form = "%G-W%V-%u"
    elif form == PLAIN_TIME:
        texts = only_matching(texts, r"^\d{4}")  # pandas takes "now" for a time
    utc = "%z" in form or (form == PLAIN_TIME and any_match(texts, OFFSET))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of formats that pandas reads slowly
        found = pd.to_datetime(
            pd.Series(texts.to_pandas(), dtype="str"), format=form, errors="coerce", utc=utc
        )
    return found.astype("datetime64[us, UTC]" if utc else "datetime64[us]")


def _read_unix(numbers: pd.Series, size: int) -> pd.Series:
    """Return times of numbers of that many microseconds since 1970."""
    numbers = numbers.where(numbers.abs() <= _LAST // size)
    micros = (numbers * size).round().astype("Int64")
    return pd.to_datetime(micros, unit="us").astype("datetime64[us]")


def _all_times(texts: pa.Array, form: str) -> pd.Series | None:
    """Return the times, or None if a text does not fit: some are tried before all are."""
    few = texts.take(pa.array(range(0, len(texts), len(texts) // 100 + 1)))
    if read_times(few, form).isna().any():
        return None
    times = read_times(texts, form)
    return None if times.isna().any() else times


def forms_of(text: str) -> list[str]:
    """Return the strptime strings that read a text."""
    found = re.fullmatch(r"(.*?\d)(, | |T)(\d{1,2}:\d\d.*)", text)
    date, gap, clock = found.groups() if found else (text, "", "")
    clocks = [form for form in _CLOCKS if _is_written(clock, form)] if clock else [""]
    return [day + gap + form for day in _DATES if _is_written(date, day) for form in clocks]


def _is_written(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _in_order(times: pd.Series) -> bool:
    return len(times) > 2 and (times.is_monotonic_increasing or times.is_monotonic_decreasing)


def _day_first(form: str) -> bool | None:
    """Whether a format has the day before the month; None if it does not say."""
    if "%m" not in form or "%d" not in form or form.startswith("%Y"):
        return None
    return form.index("%d") < form.index("%m")


def _mixed_offsets(texts: pa.Array) -> str | None:
    count = pc.sum(matches(texts, OFFSET).cast(pa.int64())).as_py()
    if 0 < count < len(texts):
        return f"{count:,} of {len(texts):,} values have an offset from UTC, the others none"
    return None
