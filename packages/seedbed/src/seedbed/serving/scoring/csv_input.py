"""CSV files in batches: typed at once where all numbers are, else as text that is read value by
value."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from seedbed.config.source_options import CsvOptions
from seedbed.data.csv_checks import arrow_options, refusing
from seedbed.data.csv_files import BLOCK, NOT_KNOWN, read_names
from seedbed.data.parquet_files import refuse_other_columns
from seedbed.data.text_files import has_wide_letters, opened
from seedbed.errors import UserError, one_line
from seedbed.serving.scoring.batches import ROW_NUMBER, Batch, Done, Rejected, of_equal_size
from seedbed.serving.scoring.inputs import Wanted, identity_of, wording_of

NUMBER = f"_{ROW_NUMBER}"
"""The column that carries the rows' numbers from the parser to the batch."""
TEXT = pa.dictionary(pa.int32(), pa.string())


class NotTypedError(Exception):
    """A text is no number, so that these rows must be read as text."""


class CsvInput:
    """Files of the same columns, one after the other: see :class:`inputs.Input`."""

    rows: int | None = None

    def __init__(self, name: str, paths: Sequence[Path], options: CsvOptions) -> None:
        if options.fill_short_rows:
            raise UserError(
                f"{name}: source.options.fill_short_rows is set, and rows that end early are "
                "rejected here. Write the file with all columns, or give --option "
                "fill_short_rows=false to have such rows set aside."
            )
        self.name, self._paths, self._options = name, paths, options
        self._names = {path: self._read_names(path) for path in paths}
        first = paths[0]
        for path, names in self._names.items():
            refuse_other_columns(names, self._names[first], path, first)
        self.columns = tuple(self._names[first])
        self.identity = identity_of(paths, options)
        self.wording = wording_of(options)

    def batches(self, wanted: Wanted, done: Done) -> Iterator[Batch]:
        """Yield all rows but those that are done."""
        try:
            for batch in self._read(wanted, done, wanted.numbers):
                done = Done(done.rows + batch.taken, batch.cursor)
                yield batch
        except NotTypedError:
            yield from self._read(wanted, done, frozenset())

    def _read(self, wanted: Wanted, done: Done, numbers: frozenset[str]) -> Iterator[Batch]:
        """Yield batches whose cursor is the number of the last row that was looked at."""
        malformed: list[Rejected] = []
        known = {*self.wording.formats} if self._options.thousands is None else set(numbers)
        types = {name: pa.float64() if name in numbers - known else TEXT for name in wanted.columns}
        tables = chain.from_iterable(self._tables(types, malformed))
        last = done.cursor or 0
        for table in of_equal_size(tables, wanted.size, done.rows):
            rows = table[NUMBER].to_numpy()
            here = _take_between(last, int(rows[-1]), malformed)
            last = int(rows[-1])
            yield Batch(table.drop_columns(NUMBER), rows, len(rows), here, last)
        if rest := [found for found in malformed if found.row > last]:
            empty = pa.table({name: pa.array([], kind) for name, kind in types.items()})
            yield Batch(empty, np.array([], dtype=np.int64), 0, rest, rest[-1].row)

    def _tables(
        self, types: dict[str, pa.DataType], malformed: list[Rejected]
    ) -> Iterator[Iterator[pa.Table]]:
        before = 0
        for path in self._paths:
            counted = _Counted(before, malformed, self._options)
            yield self._stream(path, types, counted)
            before = counted.rows

    def _stream(
        self, path: Path, types: dict[str, pa.DataType], counted: "_Counted"
    ) -> Iterator[pa.Table]:
        options = self._options
        reading, parsing = arrow_options(options)
        reading.column_names = self._names[path]
        reading.skip_rows_after_names = 0 if options.header is None else 1
        reading.autogenerate_column_names = False
        reading.block_size = BLOCK
        parsing.invalid_row_handler = counted.set_aside
        converting = csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=[*NOT_KNOWN, *options.missing],
            decimal_point=options.decimal,
        )
        with (
            refusing(path, options),
            opened(path, text=not has_wide_letters(options.encoding)) as file,
        ):
            try:
                for batch in csv.open_csv(file, reading, parsing, converting):
                    table = pa.Table.from_batches([batch])
                    _refuse_nan(table)
                    yield table.append_column(NUMBER, counted.number(len(table)))
            except pa.ArrowInvalid as error:
                if pa.float64() in types.values():
                    raise NotTypedError from None
                if "UTF8" in str(error):
                    raise UnicodeError from None
                raise UserError(
                    f"{path}: this is not a whole CSV file ({one_line(error)}). Fetch it again or "
                    "correct that line."
                ) from error

    def _read_names(self, path: Path) -> list[str]:
        with refusing(path, self._options):
            return read_names(path, self._options)[0]


def _take_between(first: int, last: int, rejected: list[Rejected]) -> list[Rejected]:
    """Take rows before the row `last` out of a list in their order; return those after `first`."""
    count = bisect_left(rejected, last, key=attrgetter("row"))
    taken = rejected[:count]
    del rejected[:count]
    return [found for found in taken if found.row > first]


def _refuse_nan(table: pa.Table) -> None:
    """Arrow takes NAN for a number; here it is no more one than another text."""
    for values in table.columns:
        if pa.types.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py():
            raise NotTypedError


class _Counted:
    """Numbers the rows of a file, those that the parser leaves out included.

    Parameters
    ----------
    before : int
        Rows of the files before.
    malformed : list of Rejected
        Gets a row that has not as many values as there are columns.
    """

    def __init__(self, before: int, malformed: list[Rejected], options: CsvOptions) -> None:
        self._before, self._malformed = before, malformed
        self._lines = options.top + (0 if options.header is None else 1)
        self._next = 0  # the place in the file, from 0, after the last row that has a number
        self._left_out: list[int] = []  # places of rows after it

    @property
    def rows(self) -> int:
        """How many rows there were up to here."""
        return self._before + self._next + len(self._left_out)

    def set_aside(self, row: Any) -> str:
        """Leave a row out that the parser cannot split: Arrow calls this before the rows after."""
        place = row.number - self._lines
        self._left_out.append(place - 1)
        reason = f"the row has {row.actual_columns} values, and there are {row.expected_columns}"
        self._malformed.append(
            Rejected(row=self._before + place, column="", value=row.text[:60], reason=reason)
        )
        return "skip"

    def number(self, count: int) -> pa.Array:
        """Return the numbers of the next `count` rows."""
        places = np.arange(self._next, self._next + count)
        left_out = np.array(self._left_out, dtype=np.int64)
        earlier = np.searchsorted(left_out - np.arange(len(left_out)), places, side="right")
        if count:
            self._next = int(places[-1] + earlier[-1]) + 1
            del self._left_out[: earlier[-1]]
        return pa.array(places + earlier + self._before + 1)
