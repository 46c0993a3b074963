"""What is handed from an input to the model and on to an output: batches of rows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from seedbed.config.section import Section

AGAIN = "What was answered until then is kept: type the same command again to go on."
"""What to do after an input or an output has failed."""
ROW_NUMBER = "row_number"
"""The output's column with the place of a row in the input, counted from 1."""


class Rejected(Section):
    """A row without an answer."""

    row: int  # its place in the input, counted from 1
    column: str  # empty where the row as a whole cannot be read
    value: str  # as it stands in the input, shortened
    reason: str


@dataclass(frozen=True)
class Done:
    """How much of an input was answered before."""

    rows: int = 0  # the rows that were taken
    cursor: Any = None  # where an input that has keys goes on; as JSON holds it


@dataclass(frozen=True)
class Batch:
    """Some rows of an input, in its order."""

    # shape (n_rows, n_columns): values as the input has them; text that a CSV file holds is text
    columns: pa.Table
    # shape (n_rows,): the place of each row in the input, counted from 1
    numbers: NDArray[np.int64]
    taken: int  # how many rows of the input these are, as :class:`Done` counts them
    # rows before or among these that cannot be read at all
    rejected: list[Rejected] = field(default_factory=list)
    cursor: Any = None  # see :class:`Done`


def of_equal_size(tables: Iterable[pa.Table], size: int, skip: int = 0) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `size` rows, the last one shorter, without the first `skip`.

    Parameters
    ----------
    tables : iterable of Table
        Of any sizes and one schema.
    """
    held: list[pa.Table] = []
    count = 0
    for table in tables:
        rest = table.slice(min(skip, len(table)))
        skip -= len(table) - len(rest)
        while count + len(rest) >= size:
            taken = size - count
            yield pa.concat_tables([*held, rest.slice(0, taken)])
            rest, held, count = rest.slice(taken), [], 0
        if len(rest):
            held.append(rest)
            count += len(rest)
    if held:
        yield pa.concat_tables(held)


def numbered(tables: Iterable[pa.Table], first: int) -> Iterator[Batch]:
    """Yield tables as batches whose rows are numbered from `first`."""
    for table in tables:
        yield Batch(table, np.arange(first, first + len(table)), len(table))
        first += len(table)
