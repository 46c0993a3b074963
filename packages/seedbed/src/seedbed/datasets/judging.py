"""What one column is, by its values, its name, and what other columns decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.data.formats import find_format, parse
from seedbed.data.integers import EXACT
from seedbed.data.number_formats import find_number
from seedbed.data.one_value import LARGEST
from seedbed.data.texts import TRUTH_PAIRS, Format, all_match, any_match, as_arrow, joined
from seedbed.data.time_formats import UNIX
from seedbed.datasets.columns import ColumnValues, stand_for_missing
from seedbed.datasets.guesses import Guess, Kind
from seedbed.datasets.identifiers import find_identifier
from seedbed.datasets.names import CODES, KEYS, TIMES, ends_with, hints_at
from seedbed.datasets.notes import note_on_numbers, note_on_texts, note_on_times

TEXTS = ("category", "high_cardinality", "text", "identifier")
NONE: set[str] = set()
MANY = 40
"""More values than these make a category one of many, as in skrub's TableVectorizer."""
WORDS, FEW_WORDS, LONG = 6, 3, 20
"""So many words on average make a text. Fewer do, of so many letters, if they hardly repeat."""


@dataclass(frozen=True)
class Judged:
    """A guess, and what it was made of: values that are not missing, as numbers if they are."""

    guess: Guess
    column: ColumnValues
    numbers: pd.Series | None = None
    found: Format | None = None


def judge(
    column: ColumnValues, is_time: bool, like: Sequence[str] = (), absent_elsewhere: set[str] = NONE
) -> Judged:
    """Judge a column; formats and missing texts of other columns decide where it does not."""
    values, name = column.distinct, column.name
    absent = stand_for_missing(values) if column.is_text else np.zeros(len(values), dtype=bool)
    if absent.all():
        shown = f"only {', '.join(map(_shown, values[:3]))}" if len(values) else "no value"
        guess = Guess(name, "empty", None, f"{shown} in {column.rows:,} rows", 0, 1.0)
        return Judged(replace(guess, missing_texts=tuple(sorted(values))), column)
    if len(values) == 1 and column.present == column.rows:
        return Judged(_guess(column, "constant", f"always {_shown(values.iloc[0])}"), column)
    typed = column.keep(~absent)
    found = None
    if column.is_text:
        found = _find_format(typed, is_time, like)
    elif values.dtype.kind in "iuf":
        found = _find_digits(column, is_time)
    if truths := _judge_truths(typed):
        judged = Judged(truths, typed)
    elif len(typed.distinct) == 1:
        judged = Judged(_judge_category(typed), typed)
    elif found or values.dtype.kind in "iuf":
        judged = _judge_typed(typed, found)
    elif values.dtype.kind == "M":
        judged = Judged(_judge_times(column, values, None), column)
    else:
        return _judge_with_absent(column, absent_elsewhere)
    if absent.any():
        texts = tuple(sorted(values[absent]))
        reason = f"taken for missing: {', '.join(map(repr, texts[:5]))}"
        guess = replace(judged.guess, note=joined(judged.guess.note, reason))
        guess = replace(guess, missing_texts=(*texts, *guess.missing_texts))
        judged = replace(judged, guess=guess)
    return judged


def _find_format(column: ColumnValues, is_time: bool, like: Sequence[str]) -> Format | None:
    """Return the format of texts.

    Numbers like seconds since 1970 are times if a name or a person says so, years if a person does.
    """
    found = find_format(column.distinct, like)
    if is_time and all_match(as_arrow(column.distinct), r"^(?:1[5-9]|2[01])\d\d$"):
        return Format("time", "%Y")
    if found and found.form in UNIX and not (is_time or hints_at(column.name, TIMES)):
        number = find_number(as_arrow(column.distinct), like)
        word = f"could be times in {found.form}: then name it in --time, or set its format to that"
        return number and replace(number, note=joined(number.note, word))
    return found


def _find_digits(column: ColumnValues, is_time: bool) -> Format | None:
    """Return the format of whole numbers that are times, or None."""
    numbers = column.distinct
    if (numbers % 1 != 0).any() or (numbers.abs() > 10**17).any():
        return None
    if not is_time and not (numbers > 10**7).all():
        return None
    found = _find_format(column.written_as(numbers.astype("int64").astype("str")), is_time, ())
    return found if found and found.kind == "time" else None


def _judge_typed(column: ColumnValues, found: Format | None) -> Judged:
    """Judge numbers, or times in a format."""
    values = column.distinct
    if found and found.kind == "time":
        texts = values if column.is_text else values.astype("Int64")
        times = parse(texts.astype("str"), found.form)
        return Judged(_judge_times(column, times, found), column, found=found)
    numbers = parse(values, found.form) if found else values
    return Judged(_judge_numbers(column, numbers, found), column, numbers, found)


def _judge_times(column: ColumnValues, times: pd.Series, found: Format | None) -> Guess:
    form = found.form if found and not found.plain else None
    written = f", written {form}" if form else ""
    reason = f"{len(times):,} times from {_shown(times.min())} to {_shown(times.max())}{written}"
    note = joined(found.note if found else None, note_on_times(times, column.counts))
    return _guess(column, "date", reason, form, note)


def _judge_truths(column: ColumnValues) -> Guess | None:
    values = column.distinct
    if len(values) != 2:
        return None
    texts = values.astype("str").str.strip().str.lower().tolist()
    pair = next((pair for pair in TRUTH_PAIRS if sorted(texts) == sorted(pair)), None)
    if pair is None:
        return None
    place = texts.index(pair[0])
    share = column.counts[place] / column.present
    true, false = (str(values.iloc[at]).strip() for at in (place, 1 - place))
    reason = f"{true} in {share:.1%} of {column.present:,} rows, else {false}"
    return _guess(column, "boolean", reason)


def _judge_numbers(column: ColumnValues, numbers: pd.Series, found: Format | None) -> Guess:
    beyond = (numbers.astype("float64").abs() > LARGEST).to_numpy()
    if beyond.any():
        return _judge_finite(column, numbers, found, beyond)
    form = found.form if found and not found.plain else None
    whole = bool((numbers.astype("float64") % 1 == 0).all())
    if whole:
        named = column.written_as(numbers)
        if reason := find_identifier(named):
            return _guess(column, "identifier", reason)
        if pd.api.types.is_integer_dtype(numbers) and (numbers.abs() > EXACT).any():
            return _judge_category(column, "; whole numbers beyond 2**53")
        if ends_with(column.name, CODES | KEYS) and (numbers >= 0).all():
            return _judge_category(column, "; whole numbers, and a code by its name")
    what = "whole numbers" if whole else "numbers"
    low, high = _shown(numbers.min()), _shown(numbers.max())
    reason = f"{what}, {_count(column)}, from {low} to {high}"
    note = joined(found.note if found else None, note_on_numbers(column, numbers))
    return _guess(column, "number", reason, form, note)


def _judge_finite(
    column: ColumnValues, numbers: pd.Series, found: Format | None, beyond: NDArray[np.bool_]
) -> Guess:
    """Judge numbers of which some are infinite, or so large that they count as that."""
    texts = tuple(sorted(column.distinct[beyond].astype("str")))
    reason = (
        f"{column.counts[beyond].sum():,} values are beyond {LARGEST:.1g}, such as {texts[0]}, and "
        "taken for missing"
    )
    if beyond.all():
        guess = Guess(column.name, "empty", None, reason, 0, 1.0)
    else:
        finite = numbers[~beyond].reset_index(drop=True)
        guess = _judge_numbers(column.keep(~beyond), finite, found)
        guess = replace(guess, note=joined(guess.note, reason))
    return replace(guess, missing_texts=texts)


def _judge_with_absent(column: ColumnValues, absent_elsewhere: set[str]) -> Judged:
    """Judge texts; what stands for missing in other columns does here, if two others are left."""
    if column.distinct.dtype.kind == "b":
        return Judged(_judge_category(column), column)
    absent = column.distinct.isin(absent_elsewhere).to_numpy() & stand_for_missing(column.distinct)
    if not absent.any() or (~absent).sum() < 2:
        return Judged(_judge_texts(column), column)
    texts = tuple(sorted(column.distinct[absent]))
    kept = column.keep(~absent)
    guess = _judge_texts(kept)
    reason = (
        f"{', '.join(map(repr, texts))} in {column.counts[absent].sum():,} rows is taken for "
        "missing, as in other columns"
    )
    return Judged(replace(guess, missing_texts=texts, note=joined(guess.note, reason)), kept)


def has_absent(column: ColumnValues) -> bool:
    """Whether a text usually stands for a missing value."""
    return column.is_text and bool(stand_for_missing(column.distinct).any())


def _judge_texts(column: ColumnValues) -> Guess:
    values = column.distinct
    first = values[:2_000].str.strip()
    words = float((first.str.count(r"\s+") + 1).mean())
    is_long = words >= WORDS or (words >= FEW_WORDS and first.str.len().mean() >= LONG)
    note = note_on_texts(column)
    if not is_long and (reason := find_identifier(column)):
        return _guess(column, "identifier", reason, note=note)
    many = len(values) > MANY or (column.share > 0.5 and len(values) > 5)
    if many and is_long and (words >= WORDS or column.share > 0.1):
        reason = f"{_count(column)}, {words:.1f} words each"
        return _guess(column, "text", reason, note=note)
    return replace(_judge_category(column), note=note)


def _judge_category(column: ColumnValues, why: str = "") -> Guess:
    if len(column.distinct) == 1:
        only = _shown(column.distinct.iloc[0])
        reason = f"{only} in {column.present:,} of {column.rows:,} rows, else missing"
        return _guess(column, "category", reason + why)
    few = len(column.distinct) <= MANY and column.share <= 0.5
    return _guess(column, "category" if few else "high_cardinality", _count(column) + why)


def _guess(
    column: ColumnValues, kind: Kind, reason: str, form: str | None = None, note: str | None = None
) -> Guess:
    return Guess(
        column.name, kind, form, reason, len(column.distinct), column.missing, note=note or None
    )


def has_points(column: ColumnValues) -> bool:
    """Whether a text has a decimal point."""
    return column.is_text and any_match(as_arrow(column.distinct), r"\.")


def _count(column: ColumnValues) -> str:
    number = len(column.distinct)
    return f"{number:,} value{'s' if number != 1 else ''} in {column.present:,} rows"


def _shown(value: object) -> str:
    """Return a value as it stands in a phrase."""
    if isinstance(value, pd.Timestamp):
        return str(value).removesuffix(" 00:00:00")
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    return f"{value:.6g}" if isinstance(value, float | np.floating) else str(value)
