"""From a batch as an input holds it to a frame that a bundle takes; bad rows are set aside."""

import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from seedbed.config.schema import TEXT_TYPES, ColumnType
from seedbed.data.csv_files import NOT_KNOWN
from seedbed.data.formats import parse
from seedbed.data.texts import is_text
from seedbed.data.values import NULLABLE, ValueReadError, read_values
from seedbed.serving.scoring.batches import Batch, Rejected
from seedbed.serving.signature import InputColumn, Signature


@dataclass(frozen=True)
class Wording:
    """How the texts of an input are to be understood."""

    missing: tuple[str, ...] = ()  # what stands for a missing value, beside the empty text
    # by column, see :func:`seedbed.data.formats.parse`
    formats: Mapping[str, str] = field(default_factory=dict)
    decimal: str = "."  # the signs in a number
    thousands: str | None = None

    def unknown(self, kind: ColumnType) -> tuple[str, ...]:
        """Return the texts that are missing values in a column of this type."""
        if kind in TEXT_TYPES:
            return ("", *self.missing)
        return (*NOT_KNOWN, *self.missing)


def read_frame(batch: Batch, signature: Signature, wording: Wording) -> pd.DataFrame:
    """Return the columns of a signature as a bundle takes them.

    Raises ValueReadError if a value is not of its column's type; it need not be found here.
    """
    return pd.DataFrame(
        {
            column.name: _read(
                batch.columns[column.name], column, signature.time_zone, wording
            ).array
            for column in signature.columns
        }
    )


def set_aside(
    batch: Batch, signature: Signature, wording: Wording
) -> tuple[NDArray[np.bool_], list[Rejected]]:
    """Return which rows of a batch fit a signature, and why the others do not.

    Returns
    -------
    good : ndarray of bool, shape (n_rows,)
    rejected : list of Rejected
        One for each value that is wrong, in the order of rows.
    """
    good = np.ones(len(batch.numbers), dtype=bool)
    rejected = []
    for column in signature.columns:
        for wrong, reason in _find_wrong(batch.columns[column.name], column, signature, wording):
            good &= ~wrong
            values = batch.columns[column.name].filter(pa.array(wrong)).to_pylist()
            rejected += [
                Rejected(row=int(row), column=column.name, value=_shown(value), reason=reason)
                for row, value in zip(batch.numbers[wrong], values, strict=True)
            ]
    return good, sorted(rejected, key=lambda found: found.row)


def _find_wrong(
    values: pa.ChunkedArray, column: InputColumn, signature: Signature, wording: Wording
) -> list[tuple[NDArray[np.bool_], str]]:
    """Return masks of values that cannot be read, each with the reason: one after the other."""
    found: list[tuple[NDArray[np.bool_], str]] = []
    while True:
        try:
            series = _read(values, column, signature.time_zone, wording)
            read_values(series, column.name, column.type, signature.time_zone, sent=True)
            return found
        except ValueReadError as error:
            found.append((error.wrong, f"must be {error.wanted}"))
            values = pc.if_else(pa.array(error.wrong), pa.scalar(None, values.type), values)


def _read(values: pa.ChunkedArray, column: InputColumn, zone: str, wording: Wording) -> pd.Series:
    kind, held = column.type, values.type
    if kind == "number" and (pa.types.is_integer(held) or pa.types.is_floating(held)):
        return pd.Series(values.cast(pa.float64(), safe=False).to_numpy())
    if kind == "boolean" and pa.types.is_boolean(held):
        return values.to_pandas(types_mapper=NULLABLE.get)
    if pa.types.is_dictionary(held) or is_text(held):
        return _read_texts(values, column, zone, wording)
    series = values.to_pandas(types_mapper=NULLABLE.get)
    return series if kind == "time" else read_values(series, column.name, kind, zone)


def _read_texts(
    values: pa.ChunkedArray, column: InputColumn, zone: str, wording: Wording
) -> pd.Series:
    """Return a column of text as its type: each distinct text is read once."""
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = whole.chunk(0) if whole.num_chunks else pa.array([], values.type)
    if not is_text(whole.dictionary.type):
        return read_values(values.to_pandas(), column.name, column.type, zone)
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    texts = pd.Series(whole.dictionary.cast(pa.large_string()).to_pandas(), dtype="str")
    texts = texts.mask(texts.isin(wording.unknown(column.type)))
    try:
        read = _read_distinct(texts, column, zone, wording)
    except ValueReadError as error:
        wrong = np.append(error.wrong, False)[codes]
        if wrong.any():  # else no row has that text
            raise ValueReadError(str(error), wrong, error.wanted) from None
        read = _read_distinct(texts.mask(error.wrong), column, zone, wording)
    return pd.Series(read.array.take(codes, allow_fill=True))


def _read_distinct(texts: pd.Series, column: InputColumn, zone: str, wording: Wording) -> pd.Series:
    form = wording.formats.get(column.name)
    parsed = texts
    if column.type == "number" and wording.thousands:
        parsed = parsed.str.replace(wording.thousands, "", regex=False)
    if column.type == "number" and wording.decimal != ".":
        parsed = parsed.str.replace(wording.decimal, ".", regex=False)
    if form is not None:
        parsed = parse(texts, form)
        if (lost := (parsed.isna() & texts.notna()).to_numpy()).any():
            wanted = f"a value written as {form!r}"
            raise ValueReadError(f"column {column.name} is not written as {form!r}", lost, wanted)
    read = read_values(parsed, column.name, column.type, zone)
    return read.astype("float64") if column.type == "number" else read


def _shown(value: object) -> str:
    return value[:60] if isinstance(value, str) else reprlib.repr(value)


def count_rows(rejected: Sequence[Rejected]) -> int:
    """Return of how many rows these are."""
    return len({found.row for found in rejected})
