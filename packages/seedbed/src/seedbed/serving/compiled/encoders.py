"""The steps before the estimator, taken apart: encoders of categories as tables, and the rest.

What an encoder makes of each value was asked of the fitted encoder itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import pandas as pd

from seedbed.serving.compiled.exceptions import NotCompilableError
from seedbed.serving.compiled.numbers import Numbers, compile_numbers

Entries = list[tuple[int, float]]
UNSEEN = "\0unseen"
CATEGORY_ENCODERS = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")


@dataclass(frozen=True)
class CategoryTable:
    """A column of categories, and what each value becomes."""

    name: str  # of the feature
    start: int  # which of the encoded numbers are made of it
    width: int
    # by value, None where it is missing, the numbers other than 0 with their places
    entries: dict[str | None, Entries]
    unseen: Entries  # the same for a value that no train row has


@dataclass(frozen=True)
class NumberPart:
    """Features of numbers that a fitted part of the ColumnTransformer encodes together."""

    names: list[str]
    start: int
    width: int
    part: Any
    encode: Callable[[Numbers], Numbers]


@dataclass(frozen=True)
class Steps:
    """All steps before the estimator."""

    tables: list[CategoryTable]
    numbers: list[NumberPart]
    width: int  # how many numbers the ColumnTransformer makes of a row
    kept: list[int] | None  # which of them a ColumnSelector keeps
    sparse: bool  # whether the estimator gets a sparse matrix


def take_steps_apart(pipeline: Any) -> Steps:
    """Return the fitted steps before the estimator of a pipeline.

    Raises NotCompilableError if it names a step that has no compiled form.
    """
    kinds = [type(step).__name__ for _, step in pipeline.steps[:-1]]
    if kinds not in (["ColumnTransformer"], ["ColumnTransformer", "ColumnSelector"]):
        raise NotCompilableError(f"the steps {' and '.join(kinds)}")
    columns = pipeline[0]
    tables: list[CategoryTable] = []
    numbers: list[NumberPart] = []
    width = 0
    for _, part, names in columns.transformers_:
        if not len(names) or isinstance(part, str):
            continue
        if _category_encoder(part) is not None:
            made = _tables(part, list(names), width)
            tables += made
            width = made[-1].start + made[-1].width
        else:
            encode = compile_numbers(part)
            size = len(encode([nan] * len(names)))
            numbers.append(NumberPart(list(names), width, size, part, encode))
            width += size
    kept = pipeline[1].kept_.tolist() if len(kinds) == 2 else None
    return Steps(tables, numbers, width, kept, bool(columns.sparse_output_))


def compile_steps(steps: Steps, places: dict[str, int]) -> Callable[[Sequence[Any]], Numbers]:
    """Return the function that encodes the features of one row.

    Parameters
    ----------
    places : dict of str to int
        Where each feature stands in a row of features.

    Returns
    -------
    function
        Of a row of features, floats and str or None; it returns the encoded row.
    """
    tables = [(places[table.name], table.entries, table.unseen) for table in steps.tables]
    numbers = [
        (part.start, part.start + part.width, [places[name] for name in part.names], part.encode)
        for part in steps.numbers
    ]
    blank, kept = [0.0] * steps.width, steps.kept

    def encode(row: Sequence[Any]) -> Numbers:
        encoded = blank.copy()
        for place, entries, unseen in tables:
            for index, number in entries.get(row[place], unseen):
                encoded[index] = number
        for start, end, used, compute in numbers:
            encoded[start:end] = compute([row[place] for place in used])
        return encoded if kept is None else [encoded[index] for index in kept]

    return encode


def _category_encoder(part: Any) -> Any | None:
    """Return the encoder of categories in a part of a ColumnTransformer, None if there is none."""
    first = part.steps[0][1] if type(part).__name__ == "Pipeline" else part
    return first if type(first).__name__ in CATEGORY_ENCODERS else None


def _tables(part: Any, names: list[str], start: int) -> list[CategoryTable]:
    from scipy.sparse import csr_matrix

    encoder = _category_encoder(part)
    assert encoder is not None, "the caller has looked"
    seen = [[text for text in known if isinstance(text, str)] for known in encoder.categories_]
    asked = [[*texts, None, UNSEEN] for texts in seen]
    columns = {
        name: pd.Series(texts, dtype="str") for name, texts in zip(names, asked, strict=True)
    }
    encoded = csr_matrix(part.transform(pd.DataFrame(columns)))
    tables = []
    low = 0
    for name, texts, width in zip(names, asked, _widths(encoder, encoded.shape[1]), strict=True):
        entries: dict[str | None, Entries] = {}
        for row, text in enumerate(texts):
            stored = slice(encoded.indptr[row], encoded.indptr[row + 1])
            pairs = zip(
                encoded.indices[stored].tolist(), encoded.data[stored].tolist(), strict=True
            )
            entries[text] = [(start + i, value) for i, value in pairs if low <= i < low + width]
        unseen = entries.pop(UNSEEN)
        tables.append(CategoryTable(name, start + low, width, entries, unseen))
        low += width
    return tables


def _widths(encoder: Any, width: int) -> list[int]:
    """Return how many numbers each column of categories becomes."""
    if type(encoder).__name__ != "OneHotEncoder":
        return [width // len(encoder.categories_)] * len(encoder.categories_)
    rare = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return [
        len(known) if few is None else len(known) - len(few) + 1
        for known, few in zip(encoder.categories_, rare, strict=True)
    ]
