"""A column looked at once: its different values, how often each stands, and what is missing."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedbed.data.texts import as_arrow
from seedbed.data.values import plain_values

MISSING = frozenset(
    (
        *("na", "n/a", "#n/a", "#na", "#n/a n/a", "<na>", "n.a.", "n/d", "n.d.", "nan", "-nan"),
        *("nat", "null", "(null)", "none", "nil", "\\n", "-", "--", "---", "\u2013", "\u2014", "."),
        *("...", "?", "??", "unknown", "unbekannt", "inconnu", "desconocido", "missing", "fehlt"),
        *("k.a.", "k. a.", "keine angabe", "not available", "not applicable", "empty", "(empty)"),
        *("(blank)", "blank", "tbd", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind", "#value!"),
        *("#ref!", "#div/0!", "#name?", "#null!", "#num!", "0000-00-00", "0000-00-00 00:00:00"),
        *("inf", "-inf", "+inf", "infinity", "-infinity"),
    )
)
"""Texts, in small letters, that stand for a missing value where all others are of a type."""
_MISSING = pa.array(sorted(MISSING), pa.large_string())


@dataclass(frozen=True)
class ColumnValues:
    """The values of a column."""

    name: str
    # shape (n_rows,): place of each row's value in `distinct`; -1 where it is missing
    codes: NDArray[np.int64]
    # shape (n_values,): of str, a number, bool or datetime64, in the order of the rows
    distinct: pd.Series
    counts: NDArray[np.int64]  # shape (n_values,)

    @property
    def is_text(self) -> bool:
        """Whether the values are texts."""
        return isinstance(self.distinct.dtype, pd.StringDtype)

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return len(self.codes)

    @property
    def present(self) -> int:
        """In how many rows there is a value."""
        return int(self.counts.sum())

    @property
    def missing(self) -> float:
        """Share of the rows without a value."""
        return 1 - self.present / self.rows if self.rows else 1.0

    @property
    def share(self) -> float:
        """Different values as a share of all: 1 where each value stands once."""
        return len(self.distinct) / max(self.present, 1)

    def keep(self, kept: NDArray[np.bool_]) -> "ColumnValues":
        """Return the column where the other values are missing."""
        if kept.all():
            return self
        places = np.append(np.where(kept, np.cumsum(kept) - 1, -1), -1)
        left = self.distinct[kept].reset_index(drop=True)
        return ColumnValues(self.name, places[self.codes], left, self.counts[kept])

    def written_as(self, distinct: pd.Series) -> "ColumnValues":
        """Return the column with other values in place of its different ones."""
        return ColumnValues(self.name, self.codes, distinct, self.counts)

    def in_rows(self) -> pd.Series:
        """Return the values row by row, without the rows that have none."""
        return self.distinct.take(self.codes[self.codes >= 0])


def look_at(values: pd.Series, name: str) -> ColumnValues:
    """Return the values of a column of any dtype; blank texts are missing."""
    values = simple_values(values)
    if isinstance(values.dtype, pd.StringDtype):
        encoded = as_arrow(values).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype("int64")
        distinct = pd.Series(encoded.dictionary.to_pandas(), dtype="str")
        blank = pc.equal(pc.utf8_trim_whitespace(encoded.dictionary), "")
        kept = ~blank.to_numpy(zero_copy_only=False).astype(bool)
    else:
        codes, found = pd.factorize(values)
        distinct = pd.Series(found)
        kept = np.ones(len(distinct), dtype=bool)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct)).astype("int64")
    return ColumnValues(name, codes, distinct, counts).keep(kept)


def stand_for_missing(texts: pd.Series) -> NDArray[np.bool_]:
    """Return which texts usually stand for a missing value."""
    small = pc.utf8_lower(pc.utf8_trim_whitespace(as_arrow(texts)))
    return pc.is_in(small, _MISSING).to_numpy(zero_copy_only=False)


def simple_values(values: pd.Series) -> pd.Series:
    """Return texts, numbers, truths or times; whatever else becomes the text that it shows."""
    values = plain_values(values)
    if isinstance(values.dtype, pd.StringDtype) or values.dtype.kind in "iufbM":
        return values
    inferred = values.convert_dtypes() if values.dtype == object else values
    if isinstance(inferred.dtype, pd.StringDtype):
        return values.astype("str")
    if inferred.dtype.kind in "iufbM":
        return plain_values(inferred)
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("decimal", "mixed-integer-float"):
        return values.astype("float64")
    if kind in ("date", "datetime"):
        return pd.to_datetime(values, errors="coerce").astype("datetime64[us]")
    texts: list[Any] = [None if _is_none(value) else str(value) for value in values]
    return pd.Series(texts, index=values.index, dtype="str")


def _is_none(value: Any) -> bool:
    return value is None or (not isinstance(value, Collection) and bool(pd.isna(value)))
