"""One value of a request, checked and cleaned: what read_values and clean_values do to a column.

What is anything but the plain case raises UnusualRowError: the slow path knows all cases, and the
messages for those that are mistakes.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, tzinfo
from math import inf, isnan, nan
from typing import Any
from zoneinfo import ZoneInfo

from seedbed.config.preparation import Cleaning
from seedbed.data.one_value import LARGEST
from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.signature import InputColumn

PLAIN_TIME = re.compile(
    r"(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(Z|[+-](?:0[0-9]|1[0-4]):?[0-9]{2})?"
)
SPACES = " \t\n\r"


Read = Callable[[Any, list[int]], Any]
"""Reads a value, and adds the place of its column to a list if it is missing, or may not have been
in training: of most values, one comparison tells that nothing is to be said of them."""


def compile_reader(column: InputColumn, place: int, cleaning: Cleaning, time_zone: str) -> Read:
    """Return the function that reads and cleans a value of the column at a place.

    Returns
    -------
    function
        Of what a request holds. A number becomes float, and NaN where it is missing; a category
        str, a boolean bool, a time a datetime in the zone of the data, and each None where it is
        missing. It raises UnusualRowError.

    Raises NotCompilableError if there is none for columns of this type.
    """
    limits = {limits.column: limits for limits in cleaning.valid_range}.get(column.name)
    if column.type == "number":
        low, high = (limits.low, limits.high) if limits else (None, None)
        return _number_reader(
            column, place, -inf if low is None else low, inf if high is None else high
        )
    if column.type == "category":
        return _text_reader(column, place, cleaning)
    if column.type == "boolean" and limits is None:
        return _boolean_reader(place)
    if column.type == "time" and limits is None:
        return _time_reader(place, ZoneInfo(time_zone))
    ranged = " with a valid range" if limits else ""
    raise NotCompilableError(f"the column {column.name} of type {column.type}{ranged}")


def is_missing(value: Any) -> bool:
    """Return whether a value that was read is missing."""
    return value is None or (type(value) is float and isnan(value))


def _number_reader(column: InputColumn, place: int, low: float, high: float) -> Read:
    least, most = max(low, -LARGEST), min(high, LARGEST)
    if column.minimum is not None and column.maximum is not None:
        least, most = max(least, column.minimum), min(most, column.maximum)

    def read(value: Any, odd: list[int]) -> float:
        kind = type(value)
        if kind is float:
            if least <= value <= most:
                return value
        elif kind is int and least <= value <= most:
            return float(value)
        odd.append(place)
        if kind is not float and kind is not int:
            if value is None:
                return nan
            raise UnusualRowError
        if -LARGEST <= value <= LARGEST:
            return nan if value < low or value > high else float(value)
        if kind is float and isnan(value):
            return nan
        raise UnusualRowError

    return read


def _boolean_reader(place: int) -> Read:
    def read(value: Any, odd: list[int]) -> bool | None:
        if type(value) is bool:
            return value
        odd.append(place)
        if value is None:
            return None
        raise UnusualRowError

    return read


def _text_reader(column: InputColumn, place: int, cleaning: Cleaning) -> Read:
    missing = frozenset(cleaning.missing_text)
    strip = cleaning.strip_text

    def clean(text: Any) -> str | None:
        if type(text) is not str:
            if is_missing(text):
                return None
            raise UnusualRowError
        if strip:
            text = text.strip(SPACES)
            if text and not (_is_plain(text[0]) and _is_plain(text[-1])):
                raise UnusualRowError  # Arrow may take it for a space
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                raise UnusualRowError from None
        return None if text in missing else text

    known: dict[Any, str] = {}
    for text in column.categories or []:
        with suppress(UnusualRowError):
            if clean(text) == text:
                known[text] = text

    def read(value: Any, odd: list[int]) -> str | None:
        try:
            return known[value]
        except (KeyError, TypeError):
            odd.append(place)
            return clean(value)

    return read


def _is_plain(letter: str) -> bool:
    return letter.isalnum() or "!" <= letter <= "~"


def _time_reader(place: int, zone: tzinfo) -> Read:
    def read(value: Any, odd: list[int]) -> datetime | None:
        if type(value) is not str:
            odd.append(place)
            if value is None:
                return None
            raise UnusualRowError
        plain = PLAIN_TIME.fullmatch(value)
        if plain is None:
            raise UnusualRowError
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            raise UnusualRowError from None
        if plain[1]:
            return time.astimezone(zone)
        local = time.replace(tzinfo=zone)
        if local.utcoffset() != local.replace(fold=1).utcoffset():  # clocks were changed then
            raise UnusualRowError
        return local

    return read
