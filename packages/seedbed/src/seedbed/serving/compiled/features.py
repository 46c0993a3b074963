"""Features of one row: what seedbed.data.feature_functions does to columns, on plain values."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from math import nan
from operator import itemgetter, mul
from typing import Any

import numpy as np

from seedbed.config.features import KINDS, PERIODS, Feature
from seedbed.config.schema import ColumnType
from seedbed.data.one_value import LARGEST
from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.values import is_missing

Row = Sequence[Any]
"""The values of one row in the order of the signature, as the readers return them."""
Get = Callable[[Row], Any]
MakeFeatures = Callable[[Row], list[Any]]
ORIGIN = datetime(2000, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def compile_features(
    plan: Mapping[str, Feature], places: Mapping[str, int], types: Mapping[str, ColumnType]
) -> MakeFeatures:
    """Return the function that makes the features of a row, in the order of `plan`.

    Parameters
    ----------
    plan : mapping of str to Feature
        By their names.
    places : mapping of str to int
        Where each column stands in a row.
    types : mapping of str to str
        The type of each column.

    Raises NotCompilableError if a feature cannot be made of plain values.
    """
    parts: list[Callable[[Row], Sequence[Any]]] = []
    for as_read, named in groupby(plan.items(), lambda item: _is_as_read(item[1], types)):
        run = list(named)
        if as_read and len(run) > 1:
            parts.append(itemgetter(*(places[columns[0]] for _, (_, columns) in run)))
        else:
            parts.append(_all_of([_compile(*feature, places, types) for feature in run]))

    def make(row: Row) -> list[Any]:
        features: list[Any] = []
        for part in parts:
            features += part(row)
        return features

    if not any(KINDS.find(kind) for kind, _ in plan.values()):
        return make

    quiet = _Quiet()
    return lambda row: quiet.context.run(make, row)


class _Quiet(threading.local):
    """A context, of each thread, where NumPy warns of nothing that becomes of a missing number.

    To enter it takes an eighth of the time of ``np.errstate``, which makes one each time.
    """

    def __init__(self) -> None:
        self.context = Context()
        self.context.run(np.seterr, all="ignore")


def _is_as_read(feature: Feature, types: Mapping[str, ColumnType]) -> bool:
    """Whether what is read of a column is the feature already."""
    kind, columns = feature
    return kind in ("number", "category") and [types[column] for column in columns] == [kind]


def _all_of(makers: Sequence[Get]) -> MakeFeatures:
    return lambda row: [make(row) for make in makers]


def _compile(
    name: str, feature: Feature, places: Mapping[str, int], types: Mapping[str, ColumnType]
) -> Get:
    kind, columns = feature
    parts = [itemgetter(places[column]) for column in columns]
    kinds = [types[column] for column in columns]
    if _is_as_read(feature, types):
        return parts[0]
    if kind == "combine":
        return _combine([_as_text(*part) for part in zip(parts, kinds, strict=True)])
    if kind == "is_missing":
        get = parts[0]
        return lambda row: float(is_missing(get(row)))
    if kind in OF_NUMBERS:
        numbers = [_as_number(*part) for part in zip(parts, kinds, strict=True)]
        return _bounded(OF_NUMBERS[kind](*numbers))
    return _bounded(_of_times(name, kind, parts, kinds))


def _bounded(compute: Get) -> Get:
    """A number that becomes infinite is missing."""

    def get(row: Row) -> float:
        value: float = compute(row)
        return value if -LARGEST <= value <= LARGEST else nan

    return get


def _as_number(get: Get, kind: ColumnType) -> Get:
    if kind == "number":
        return get
    return lambda row: nan if (value := get(row)) is None else float(value)


def _as_text(get: Get, kind: ColumnType) -> Get:
    if kind == "category":
        return get
    return lambda row: None if is_missing(value := get(row)) else str(value)


def _combine(parts: Sequence[Get]) -> Get:
    def get(row: Row) -> str | None:
        texts = [part(row) for part in parts]
        return None if None in texts else "|".join(texts)

    return get


def _ratio(above: Get, below: Get) -> Get:
    return lambda row: above(row) / divisor if (divisor := below(row)) != 0 else nan


OF_NUMBERS: dict[str, Callable[..., Get]] = {
    "number": lambda get: get,
    "difference": lambda left, right: lambda row: left(row) - right(row),
    "ratio": _ratio,
    "product": lambda *factors: lambda row: reduce(mul, [factor(row) for factor in factors]),
}
"""By its kind, how a feature of numbers is made of the functions that get these."""


def _days_between(start: Get, end: Get) -> Get:
    def get(row: Row) -> float:
        first, last = start(row), end(row)
        if first is None or last is None:
            return nan
        return _seconds(last.replace(tzinfo=None) - first.replace(tzinfo=None)) / 86_400

    return get


def _seconds(span: timedelta) -> float:
    """Return seconds, with pandas' own rounding of a part of a second before 0."""
    seconds, ticks = divmod(span // TICK, 1_000_000)
    return seconds + ticks / 1_000_000


TIME_PARTS: dict[str, Callable[[datetime], float]] = {
    "year": lambda time: float(time.year),
    "month": lambda time: float(time.month),
    "day": lambda time: float(time.day),
    "day_of_week": lambda time: float(time.weekday()),
    "day_of_year": lambda time: float(time.toordinal() - datetime(time.year, 1, 1).toordinal() + 1),
    "hour": lambda time: float(time.hour),
    "minute": lambda time: float(time.minute),
    "seconds": lambda time: _seconds(time - ORIGIN),
}
WAVES = {"_sin": np.sin, "_cos": np.cos}
LARGEST_PART = 366


def _of_times(name: str, kind: str, parts: Sequence[Get], kinds: Sequence[ColumnType]) -> Get:
    if kind == "days_between":
        return _days_between(*parts)
    get, wave = parts[0], WAVES.get(kind[-4:])
    if kind in TIME_PARTS:
        part = TIME_PARTS[kind]
        return lambda row: nan if (time := get(row)) is None else part(time)
    period = {f"{part}": period for part, period in PERIODS.items()}.get(kind[:-4])
    if wave is not None and period is not None:
        base = TIME_PARTS[kind[:-4]]
        values = wave(np.arange(LARGEST_PART + 1.0) * (2 * np.pi / period)).tolist()
        return lambda row: nan if (time := get(row)) is None else values[int(base(time))]
    return _own_kind(name, kind, parts, kinds)


def _own_kind(name: str, kind: str, parts: Sequence[Get], kinds: Sequence[ColumnType]) -> Get:
    """Return a project's own function, on NumPy's scalars; its author promises that this works."""
    found = KINDS.find(kind)
    if found is None:
        raise NotCompilableError(f"the feature {name} of kind {kind}")
    if not found.elementwise:
        raise NotCompilableError(
            f"the feature {name}, since its kind {kind} is not registered with elementwise=True"
        )
    if set(kinds) != {"number"}:
        raise NotCompilableError(f"the feature {name}, since {kind} takes other than numbers there")
    compute = found.compute

    def make(row: Any) -> float:
        try:
            return float(compute(*[np.float64(part(row)) for part in parts]))
        except TypeError:
            raise UnusualRowError from None

    return make
