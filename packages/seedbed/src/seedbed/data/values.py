"""How values are read: one value gives one result, however pandas holds it, or is refused.

A number may stand in a NumPy, nullable or Arrow column, in one of Python objects or Decimals, in a
category: a source and a request are read by the same functions. They differ in one thing. A source
may write a number as text, as CSV does, and code a category as a number; a request may not.
"""

import reprlib
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from seedbed.config.schema import ColumnType
from seedbed.data.integers import NumberType, whole_numbers
from seedbed.data.one_value import LARGEST, READERS, Refuse
from seedbed.data.time_values import read_local_times
from seedbed.errors import InputError, row_of_source


class ValueReadError(InputError):
    """Values of a column are not of its type.

    Attributes
    ----------
    wrong : ndarray of bool, shape (n_rows,)
        Which they are.
    wanted : str
        What is expected in their place.
    """

    def __init__(
        self,
        message: str,
        wrong: np.ndarray,
        wanted: str,
        column: str = "",
        row: int | None = None,
    ) -> None:
        super().__init__(message, column, row, f"{wanted}; null where it is not known")
        self.wrong = wrong
        self.wanted = wanted


TOO_LARGE = (
    "a whole number below 2^63, since a number is rounded beyond",
    "Give the column the type category under columns.types, so that it is read as text.",
)
"""What is expected of a number that identifies something, and the remedy."""
NULLABLE = {
    pa.bool_(): pd.BooleanDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
"""Types of Arrow that lose digits, or become objects, where NumPy cannot hold a missing value."""


def read_values(
    values: pd.Series,
    name: str,
    kind: ColumnType,
    time_zone: str,
    *,
    sent: bool = False,
    exact: bool = False,
    numbered: bool = False,
    batches: NumberType | None = None,
) -> pd.Series:
    """Return a column in its type.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        Of any dtype.
    name : str
        Of the column, for messages.
    kind : {"number", "category", "boolean", "time"}
    time_zone : str
        Of the data: in which a time without an offset is read, and which time parts are taken in.
    sent : bool
        Whether the rows are a request: its numbers are no text, and its categories no numbers.
    exact : bool
        Whether numbers identify something, so that none may be rounded.
    numbered : bool
        Whether the index has the number of each row in its source, for messages.
    batches : NumberType, optional
        Of a column of numbers that is read in batches: it takes in this one. Numbers are returned
        in the type of those so far, and whoever calls casts them after the last one.

    Returns
    -------
    Series, shape (n_rows,)
        With the index and the name of `values`: float64, str, boolean or datetime64[us, time_zone];
        None and NaN are missing. Numbers of a source are int64 where all are whole and none is
        missing, and Int64 or UInt64 where a float would round one of them.

    Raises ValueReadError if a value is of another type, or is an infinite number; it names column,
    row and value.
    """

    def refuse(wrong: Any, wanted: str, remedy: str = "") -> None:
        wrong = np.asarray(wrong, dtype=bool)
        if wrong.any():
            raise _mistake(values, wrong, name, wanted, remedy, sent, numbered)

    plain = plain_values(values)
    try:
        if kind == "number":
            found = _read_numbers(plain, refuse, sent, exact, batches)
        elif kind == "boolean":
            found = _read_booleans(plain, refuse, sent)
        elif kind == "time":
            found = read_local_times(plain, time_zone, refuse)
        else:
            found = _read_texts(plain, refuse, sent)
        return found.rename(values.name)
    except UnicodeEncodeError:  # JSON can write half of a surrogate pair, which no text holds
        refuse(
            [isinstance(value, str) and not _is_text(value) for value in values], "valid Unicode"
        )
        raise


def _is_text(value: str) -> bool:
    return value.encode(errors="replace").decode() == value


def plain_values(values: pd.Series) -> pd.Series:
    """Return the same values in a NumPy, `str`, datetime or nullable integer or boolean column."""
    dtype: Any = values.dtype
    if isinstance(dtype, pd.ArrowDtype):
        found = pa.chunked_array(values.array.__arrow_array__()).to_pandas(
            types_mapper=NULLABLE.get
        )
        return plain_values(found.set_axis(values.index).rename(values.name))
    if isinstance(dtype, pd.CategoricalDtype):
        categories = plain_values(pd.Series(dtype.categories)).astype(object)
        found = categories.reindex(values.cat.codes, fill_value=None)  # a missing one has code -1
        return plain_values(found.set_axis(values.index).rename(values.name).infer_objects())
    if isinstance(dtype, pd.SparseDtype):
        return values.sparse.to_dense()
    if isinstance(dtype, pd.StringDtype) or pd.api.types.is_float_dtype(dtype):
        return values.astype("str" if isinstance(dtype, pd.StringDtype) else "float64")
    if isinstance(dtype, pd.api.extensions.ExtensionDtype) and dtype.kind in "iub":
        return values if values.isna().any() else values.astype(dtype.type)
    return values


def _read_numbers(
    values: pd.Series, refuse: Refuse, sent: bool, exact: bool, batches: NumberType | None
) -> pd.Series:
    numbers: Any = values
    if values.dtype.kind not in "iuf":
        numbers = _read_each(values, "number", refuse, sent)
    floats = pd.Series(numbers, index=values.index).astype("float64")
    refuse(
        floats.abs() > LARGEST,
        f"a finite number, at most {LARGEST:.2g}",
        "Make it missing in the source; in a CSV file, name it under `missing` of the table in the "
        "conf/dataset file.",
    )
    if sent:
        return floats
    known = floats.dropna()
    from_float = values.dtype.kind == "f"
    whole: pd.Series | None = None
    if len(known) and not from_float and (known % 1 == 0).all():
        is_list = isinstance(numbers, list)
        whole = whole_numbers(numbers, values.index) if is_list else numbers
    found = floats if whole is None else whole
    number_type = NumberType() if batches is None else batches
    number_type.add(found, from_float=from_float)
    if exact and number_type.mistake is None:
        try:
            refuse(floats.abs() >= 2**63, *TOO_LARGE)
        except ValueReadError as error:
            number_type.mistake = error
    if batches is None and number_type.is_rounded and number_type.mistake:
        raise number_type.mistake
    return found.astype(number_type.dtype)


def _read_booleans(values: pd.Series, refuse: Refuse, sent: bool) -> pd.Series:
    if not pd.api.types.is_bool_dtype(values):
        read = _read_each(values, "boolean", refuse, sent)
        values = pd.Series(read, index=values.index, dtype=object)
    return values.astype("boolean")


def _read_texts(values: pd.Series, refuse: Refuse, sent: bool) -> pd.Series:
    if isinstance(values.dtype, pd.StringDtype):
        return values
    return pd.Series(_read_each(values, "category", refuse, sent), index=values.index, dtype="str")


def _read_each(values: pd.Series, kind: str, refuse: Refuse, sent: bool) -> list[Any]:
    """Return each value as it is read, None where it is missing."""
    read, wanted = READERS[kind][sent]
    missing = values.isna().to_numpy()
    found = [None if gone else read(value) for value, gone in zip(values, missing, strict=True)]
    refuse(np.array([value is None for value in found], dtype=bool) & ~missing, wanted)
    return found


def _mistake(
    values: pd.Series,
    wrong: np.ndarray,
    name: str,
    wanted: str,
    remedy: str,
    sent: bool,
    numbered: bool,
) -> ValueReadError:
    place = int(np.flatnonzero(wrong)[0])
    found = values.iloc[place]
    found = found.item() if isinstance(found, np.generic) else found
    row, among = place, f"{len(values)} values"
    if numbered:  # maybe one batch of many
        row = int(values.index[place])
        among = f"the values up to {row_of_source(values.index[-1])}"
    if sent:
        where = f"row {row}"  # of the request, as an index of its list
        remark = f"Send {wanted}{', or null where it is not known' if remedy else ''}."
    else:
        where = row_of_source(row)
        other = (
            "List the column under another type in the conf/dataset file, or correct the source."
        )
        remark = f"It must be {wanted}. {remedy or other}"
    return ValueReadError(
        f"column {name}: {int(wrong.sum())} of {among} cannot be read, the first in "
        f"{where}: {reprlib.repr(found)}. {remark}",
        wrong,
        wanted,
        name,
        row,
    )
