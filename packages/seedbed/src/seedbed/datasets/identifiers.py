"""Identifiers: columns that name a row, or the entity that a row is about, and predict nothing."""

import numpy as np

from seedbed.data.integers import EXACT
from seedbed.data.texts import all_match, as_arrow
from seedbed.datasets.columns import ColumnValues
from seedbed.datasets.names import ENTITIES, KEYS, NUMBERED, ends_with, words_of

UNIQUE = 0.95
"""Different values as a share of the rows from which on they are nearly unique."""
ENOUGH = 10
"""With fewer rows, values are different by chance."""
PER_ENTITY, ENTITIES_AT_LEAST = 30, 20
"""An entity has fewer rows than this on average, and there are more entities than that."""
YEARS = (1500, 2200)
UUID = r"^\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$"


def find_identifier(column: ColumnValues) -> str | None:
    """Return why whole numbers, or texts of one or two words, are identifiers; None if not."""
    values, unique = column.distinct, column.share >= UNIQUE
    if column.present < ENOUGH:
        return None
    how = "different in each row" if column.share == 1 else f"{column.share:.1%} different values"
    several = len(values) > ENTITIES_AT_LEAST and column.present / len(values) < PER_ENTITY
    reason = None
    if column.is_text:
        if len(values) > ENTITIES_AT_LEAST and all_match(as_arrow(values), UUID):
            reason = f"UUIDs, {how if unique else _repeats(column)}"
        elif unique:
            reason = f"texts such as {values.iloc[0][:40]!r}, {how}"
    elif (values.abs() > EXACT).any() and column.share > 0.05:
        reason = f"whole numbers beyond 2**53, {how}"
    elif unique and (counting := _numbered(column)):
        reason = f"{how}, {counting}"
    elif unique and ends_with(column.name, KEYS):
        reason = f"{how}, and named as a key"
    named = ends_with(column.name, KEYS)
    if not named and not column.is_text:
        named = len(words_of(column.name)) == 1 and ends_with(column.name, ENTITIES)
    if reason is None and several and named:
        reason = f"named as a key, {_repeats(column)}"
    return reason


def _repeats(column: ColumnValues) -> str:
    values = len(column.distinct)
    return f"{values:,} values of {column.present / values:.1f} rows each"


def _numbered(column: ColumnValues) -> str | None:
    """Return how whole numbers count the rows, or None if they do not."""
    low, high = column.distinct.min(), column.distinct.max()
    span = float(high) - float(low) + 1
    if low >= YEARS[0] and high <= YEARS[1]:
        return None
    if column.share == 1 and span <= 10 * column.present:
        rows = column.in_rows().to_numpy("float64")
        if bool((np.diff(rows) > 0).all()):
            return f"increasing from {low:.0f} to {high:.0f}"
    named = ends_with(column.name, KEYS | NUMBERED)
    if named and span <= 1.05 * column.present and column.present >= 3 * ENOUGH:
        return f"each whole number from {low:.0f} to {high:.0f} once"
    return None
