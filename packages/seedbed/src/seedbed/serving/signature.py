"""The input signature: the columns a model needs, their types, and their values in training."""

from collections.abc import Mapping, Sequence
from typing import Any, Self, TypeAlias

import pandas as pd

from seedbed.config.preparation import Features
from seedbed.config.schema import ColumnType
from seedbed.config.section import Section
from seedbed.data.features import input_columns
from seedbed.data.roles import Columns
from seedbed.data.values import read_values
from seedbed.errors import InputError, UserError, some_of

MOST_CATEGORIES = 1000
"""Of a column with more, the most frequent are listed and no value counts as unseen."""
SHOWN = 20
"""How many of the columns that were sent a message names."""
Rows: TypeAlias = pd.DataFrame | Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Rows of a request: a frame, one row as a mapping, or a list of those."""


class InputColumn(Section):
    """One column of the rows that a model is asked about.

    `minimum` and `maximum` are those of train rows, `categories` the values in them; `complete` is
    false where there were too many to list. All are None where they say nothing.
    """

    name: str
    type: ColumnType
    nullable: bool
    minimum: float | None = None
    maximum: float | None = None
    categories: list[str] | None = None
    complete: bool = True


class Signature(Section):
    """The columns a model needs, and the time zone in which its data tell the time."""

    columns: list[InputColumn]
    time_zone: str

    @classmethod
    def of(cls, train: pd.DataFrame, columns: Columns, features: Features, time_zone: str) -> Self:
        """Return the signature of a model that was trained on these rows.

        Parameters
        ----------
        train : DataFrame, shape (n_rows, n_columns)
            The train rows of data/clean: cleaned values, before features are made of them.
        columns : dict of str to Column
            With `features` they say which columns are needed.
        features : Features
            As above.
        time_zone : str
            Of the dataset.

        Raises UserError if a column is needed that is known only after the outcome.
        """
        needed = input_columns(columns, features)
        return cls(
            columns=[_describe(train[name], name, columns[name].type) for name in needed],
            time_zone=time_zone,
        )

    def check(self, raw_rows: Rows) -> pd.DataFrame:
        """Return the columns that the model needs, each in the type it had in training.

        Parameters
        ----------
        raw_rows : DataFrame of shape (n_rows, n_columns), mapping, or sequence of mappings
            As ingested or as sent; other columns may be there and are left out.

        Returns
        -------
        DataFrame, shape (n_rows, n_inputs)
            Same index.

        Raises UserError if there are no rows, a column is missing or is there twice, or a value is
        of the wrong type.
        """
        rows = self._frame_of(raw_rows)
        if rows.empty:
            raise UserError(
                f"There are no rows to predict for ({len(rows)} rows, {len(rows.columns)} "
                "columns). Send at least one."
            )
        self._refuse_absent(rows.columns, "The rows")
        names = [column.name for column in self.columns]
        if twice := [name for name in names if isinstance(rows[name], pd.DataFrame)]:
            raise InputError(
                f"The rows have the column {', '.join(twice)} more than once. Send it once.",
                twice[0],
                None,
                "each column once",
            )
        read = {
            column.name: read_values(
                rows[column.name], column.name, column.type, self.time_zone, sent=True
            ).array
            for column in self.columns
        }
        return pd.DataFrame(read, index=rows.index)

    def _frame_of(self, rows: Rows) -> pd.DataFrame:
        if isinstance(rows, pd.DataFrame):
            return rows
        if isinstance(rows, Mapping | pd.Series):
            rows = [dict(rows)]
        if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
            raise UserError(
                f"The rows are a {type(rows).__name__}. Send a pandas DataFrame, a dict for one "
                "row, or a list of dicts."
            )
        for place, row in enumerate(rows):
            self._refuse_absent(row, f"Row {place}", place)
        names = [column.name for column in self.columns]
        # Each value is judged by itself: a column of objects keeps what was sent.
        sent = {name: pd.Series([row[name] for row in rows], dtype=object) for name in names}
        return pd.DataFrame(sent)

    def _refuse_absent(self, there: Any, what: str, row: int | None = None) -> None:
        absent = [column for column in self.columns if column.name not in there]
        if absent:
            wanted = "; ".join(
                f"{column.name} ({column.type}{', may be null' if column.nullable else ''})"
                for column in absent
            )
            raise InputError(
                f"{what} lack{'' if what.endswith('s') else 's'} the "
                f"column{'s' if len(absent) > 1 else ''} {wanted}. Among those sent are "
                f"{some_of([str(name) for name in there], SHOWN) or 'none'}. Send every column of "
                "the signature, null where a value is not known.",
                absent[0].name,
                row,
                wanted,
            )


def _describe(values: pd.Series, name: str, kind: ColumnType) -> InputColumn:
    present = values.dropna()
    described = InputColumn(name=name, type=kind, nullable=bool(values.isna().any()))
    if kind == "number" and len(present):
        return described.model_copy(
            update={"minimum": float(present.min()), "maximum": float(present.max())}
        )
    if kind == "category":
        counts = present.value_counts()
        frequent = sorted(counts.index, key=lambda value: (-counts[value], value))[:MOST_CATEGORIES]
        return described.model_copy(
            update={"categories": sorted(frequent), "complete": len(counts) <= MOST_CATEGORIES}
        )
    return described
