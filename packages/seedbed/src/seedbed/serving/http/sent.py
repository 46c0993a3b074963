"""What a request sends: its rows, however they were written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import pandas as pd

FEW = 50
"""So many rows are answered one by one, in the event loop; more as a table, in a thread."""

Few: TypeAlias = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sent:
    """The rows of a request."""

    rows: Few | pd.DataFrame  # shape (n_rows, n_columns): of a table that was sent, always a frame
    count: int  # how many
    by_columns: bool = False  # whether a value is found by its column first

    @property
    def is_few(self) -> bool:
        """Whether they may be answered in the event loop."""
        return self.count <= FEW

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a table."""
        if isinstance(self.rows, pd.DataFrame):
            return self.rows
        names = dict.fromkeys(name for row in self.rows for name in row)
        return pd.DataFrame(
            {name: pd.Series([row.get(name) for row in self.rows], dtype=object) for name in names}
        )
