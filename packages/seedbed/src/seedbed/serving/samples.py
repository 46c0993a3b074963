"""Sample rows that a bundle carries, with the answers that it must give wherever it runs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from seedbed.data.roles import Columns, row_key
from seedbed.files import read_json, write_json


@dataclass(frozen=True)
class Samples:
    """Rows as a request sends them, and the answer to each."""

    # train rows; the values of the signature's columns, times in ISO 8601
    rows: Sequence[Mapping[str, Any]]
    # `prediction` and the scores, as :meth:`Bundle.answer` returns them
    answers: Sequence[Mapping[str, Any]]

    def write(self, path: Path) -> None:
        """Write a JSON file; it keeps every bit of a number."""
        write_json(path, asdict(self))

    @classmethod
    def read(cls, path: Path) -> "Samples":
        """Read what :meth:`write` wrote."""
        return cls(**read_json(path))


def sample_rows(
    train: pd.DataFrame, columns: Columns, names: Sequence[str], count: int
) -> list[dict]:
    """Return a few train rows as a request sends them: a random sample that stays the same.

    A column of paths to files means nothing elsewhere: there are no rows then.

    Parameters
    ----------
    train : DataFrame, shape (n_rows, n_columns)
        The train rows of data/clean.
    columns : dict of str to Column
    names : sequence of str
        The columns of the signature.
    count : int
        How many rows at most.
    """
    if any(columns[name].type in ("image", "document") for name in names):
        return []
    keys = row_key(train, columns).sort_values(kind="stable")  # hashes: their order is random
    chosen = train.loc[keys.index[:count], list(names)]
    return [
        {name: json_value(value) for name, value in row.items()}
        for row in chosen.to_dict(orient="records")
    ]


def json_value(value: Any) -> Any:
    """Return a value of a table as JSON holds it: null where it is missing, a time as text."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value.item() if isinstance(value, np.generic) else value
