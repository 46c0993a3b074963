"""What a column is guessed to be, and the column read as that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from seedbed.data.formats import parse
from seedbed.data.number_formats import PLAIN_NUMBER
from seedbed.data.one_value import LARGEST
from seedbed.data.texts import TRUTHS
from seedbed.data.time_formats import PLAIN_TIME
from seedbed.datasets.columns import simple_values
from seedbed.errors import UserError, did_you_mean, some_of

Kind = Literal[
    "number",
    "boolean",
    "category",
    "high_cardinality",
    "date",
    "text",
    "identifier",
    "constant",
    "empty",
    "duplicate",
]


@dataclass(frozen=True)
class Guess:
    """What a column is."""

    name: str
    kind: Kind
    # the format of its numbers or times, as :func:`seedbed.data.formats.parse` takes it; None where
    # they are read without one
    form: str | None
    reason: str  # why, with figures
    values: int  # how many different ones there are
    missing: float  # share of the rows without a value
    missing_texts: tuple[str, ...] = ()  # texts that are taken for a missing value
    note: str | None = None  # what a person should look at


def read_as(values: pd.Series, guess: Guess) -> pd.Series:
    """Return a column as it was guessed; its `missing_texts` are missing.

    Returns
    -------
    Series, shape (n_rows,)
        float64 (of a number, and of a boolean as 1 and 0), datetime64[us], or str.
    """
    values = simple_values(values)
    if guess.kind == "empty":
        return pd.Series(None, index=values.index, name=values.name, dtype="str")
    if not isinstance(values.dtype, pd.StringDtype):
        return _read_typed(values, guess)
    texts = values.mask(values.isin(guess.missing_texts)) if guess.missing_texts else values
    if guess.kind == "number":
        return parse(texts, guess.form or PLAIN_NUMBER).astype("float64")
    if guess.kind == "date":
        return parse(texts, guess.form or PLAIN_TIME)
    if guess.kind == "boolean":
        small = texts.str.strip().str.lower()
        return small.map(TRUTHS).astype("float64")
    return texts


def _read_typed(values: pd.Series, guess: Guess) -> pd.Series:
    if guess.kind in ("number", "boolean"):
        numbers = values.astype("float64")
        return numbers.where(numbers.abs() <= LARGEST)
    if guess.kind == "date":
        return parse(values.astype("Int64").astype("str"), guess.form) if guess.form else values
    return values.astype("str")


def check_column(frame: pd.DataFrame, name: str, option: str, notes: Sequence[str] = ()) -> None:
    """Refuse a column that is not there.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    option : str
        By which it was named.
    notes : sequence of str
        How the file was read, which may be why.

    Raises UserError if it is not; it names the columns that are most alike.
    """
    if name not in frame.columns:
        names = [str(other) for other in frame.columns]
        raise UserError(
            f"{option} {name}: there is no such column{_meant(name, names)}. The file has "
            f"{some_of(names, 20)}{''.join(f'; {note}' for note in notes)}. Name one of them."
        )


def _meant(name: str, names: Sequence[str]) -> str:
    """Return the name that is most like it; one with spaces around it stands in quotes."""
    spaced = next((other for other in names if other.strip() == name.strip()), None)
    return did_you_mean(name, names) if spaced is None else f" (did you mean {spaced!r}?)"
