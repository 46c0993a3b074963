"""How one value of a source, or of a request, is read: as a number, a truth or a text."""

from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from seedbed.data.integers import EXACT
from seedbed.data.texts import TRUTHS

LARGEST = float(np.finfo("float32").max)
"""A number beyond it counts as infinite: it is, to an estimator that computes in float32."""
Refuse = Callable[..., None]
"""Takes which values are wrong, and what is wanted instead; raises a UserError if there is one."""


def _sent_number(value: object) -> float | int | None:
    return None if isinstance(value, str) else _number(value)


def _number(value: object) -> float | int | None:
    if isinstance(value, str):
        return _parsed(value.strip())
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return _bounded(int(value)) if is_whole else float(value)
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return None
    return _bounded(int(value)) if isinstance(value, Integral) else float(value)


def _parsed(text: str) -> float | int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if np.isnan(number) or "_" in text:
        return None
    return _bounded(int(text)) if text.lstrip("+-").isdecimal() else number


def _bounded(number: int) -> float | int:
    """Return a whole number, or infinity where no float can hold it, as JSON may write it."""
    return number if abs(number) <= LARGEST else float("inf")


def _sent_truth(value: object) -> bool | None:
    return bool(value) if isinstance(value, bool | np.bool_) else None


def _truth(value: object) -> bool | None:
    text = value_text(value)
    return None if text is None else TRUTHS.get(text.removesuffix(".0").strip().lower())


def _sent_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def value_text(value: object) -> str | None:
    """Return a text as it is, a whole number without a decimal point, a date without midnight."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, date | np.datetime64):
        return str(pd.Timestamp(value)).removesuffix(" 00:00:00")
    if isinstance(value, time):  # of the day, as Excel and Parquet have it
        return str(value)
    number = _number(value)
    if isinstance(number, float):
        return str(int(number)) if number.is_integer() and abs(number) < EXACT else repr(number)
    return None if number is None else str(number)


READERS: dict[str, tuple[tuple[Callable[[Any], Any], str], tuple[Callable[[Any], Any], str]]] = {
    "number": ((_number, "a number"), (_sent_number, "a number, without quotes")),
    "boolean": ((_truth, "true or false"), (_sent_truth, "true or false, without quotes")),
    "category": ((value_text, "text"), (_sent_text, "text, in quotes")),
}
"""How one value of a source, and one of a request, is read, and what it is asked to be."""
