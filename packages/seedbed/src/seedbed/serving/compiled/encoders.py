"""The fitted encoders as tables: what each makes of a value was asked of the encoder itself."""

from collections.abc import Callable, Sequence
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from seedbed.serving.compiled.exceptions import NotCompilableError

Numbers = list[float]
Entries = list[tuple[int, float]]
Table = dict[str | None, Entries]
"""By value, None if missing and UNSEEN for all others, which numbers are not 0 in an encoded row."""
UNSEEN = "\0unseen"
CATEGORY_ENCODERS = ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder")


def compile_steps(steps: Any, places: dict[str, int]) -> Callable[[Sequence[Any]], Numbers]:
    """Return the function that encodes the features of a row as the steps before an estimator do.

    Parameters
    ----------
    steps : Pipeline
        Fitted: a ColumnTransformer, and a ColumnSelector if one was chosen.
    places : dict of str to int
        Where each feature stands in a row of features.

    Returns
    -------
    function
        Of a row of features, floats and str or None; it returns the encoded row.

    Raises
    ------
    NotCompilableError
        If it names a step that has no compiled form.
    """
    kinds = [type(step).__name__ for _, step in steps.steps]
    if kinds not in (["ColumnTransformer"], ["ColumnTransformer", "ColumnSelector"]):
        raise NotCompilableError(f"the steps {' and '.join(kinds)}")
    columns = steps[0]
    tables: list[tuple[int, Table]] = []
    numbers: list[tuple[int, list[int], Callable[[Numbers], Numbers]]] = []
    width = 0
    for _, part, names in columns.transformers_:
        if not len(names) or part == "drop":
            continue
        used = [places[name] for name in names]
        if _category_encoder(part) is not None:
            found, size = _tables(part, list(names), width)
            tables += zip(used, found, strict=True)
        else:
            compute = compile_numbers(part)
            size = len(compute([nan] * len(used)))
            numbers.append((width, used, compute))
        width += size
    kept = steps[1].kept_.tolist() if len(kinds) == 2 else None
    blank = [0.0] * width

    def encode(row: Sequence[Any]) -> Numbers:
        encoded = blank.copy()
        for place, table in tables:
            for index, number in table.get(row[place]) or table[UNSEEN]:
                encoded[index] = number
        for start, used, compute in numbers:
            made = compute([row[place] for place in used])
            encoded[start : start + len(made)] = made
        return encoded if kept is None else [encoded[index] for index in kept]

    return encode


def _category_encoder(part: Any) -> Any | None:
    """Return the encoder of categories in a part of a ColumnTransformer, None if there is none."""
    first = part.steps[0][1] if type(part).__name__ == "Pipeline" else part
    return first if type(first).__name__ in CATEGORY_ENCODERS else None


def _tables(part: Any, names: list[str], start: int) -> tuple[list[Table], int]:
    """Return a table for each column of categories, and how many numbers all become together."""
    from scipy.sparse import csr_matrix

    encoder = _category_encoder(part)
    seen = [[text for text in known if isinstance(text, str)] for known in encoder.categories_]
    asked = [[*texts, UNSEEN, None] for texts in seen]
    columns = {
        name: pd.Series(texts, dtype="str") for name, texts in zip(names, asked, strict=True)
    }
    encoded = csr_matrix(part.transform(pd.DataFrame(columns)))
    widths = _widths(encoder, encoded.shape[1])
    starts = np.concatenate([[0], np.cumsum(widths)])
    tables = []
    for texts, low, high in zip(asked, starts[:-1], starts[1:], strict=True):
        table = {}
        for row, text in enumerate(texts):
            entries = slice(encoded.indptr[row], encoded.indptr[row + 1])
            pairs = zip(encoded.indices[entries], encoded.data[entries], strict=True)
            table[text] = [(start + int(i), float(v)) for i, v in pairs if low <= i < high]
        tables.append(table)
    return tables, int(starts[-1])


def _widths(encoder: Any, width: int) -> list[int]:
    """Return how many numbers each column of categories becomes."""
    if type(encoder).__name__ != "OneHotEncoder":
        return [width // len(encoder.categories_)] * len(encoder.categories_)
    rare = getattr(encoder, "infrequent_categories_", [None] * len(encoder.categories_))
    return [
        len(known) if few is None else len(known) - len(few) + 1
        for known, few in zip(encoder.categories_, rare, strict=True)
    ]


def compile_numbers(step: Any) -> Callable[[Numbers], Numbers]:
    """Return what a fitted step of the number features does to the numbers of one row.

    Raises
    ------
    NotCompilableError
        If it names a step that has no compiled form.
    """
    kind = type(step).__name__
    if kind == "Pipeline":
        return _chained([compile_numbers(inner) for _, inner in step.steps])
    if kind == "FeatureUnion":
        parts = [compile_numbers(inner) for _, inner in step.transformer_list]
        return lambda row: [number for part in parts for number in part(row)]
    if kind not in NUMBER_STEPS or (kind == "FunctionTransformer" and step.func is not None):
        raise NotCompilableError(f"the encoder {kind}")
    return NUMBER_STEPS[kind](step)


def _chained(steps: Sequence[Callable[[Numbers], Numbers]]) -> Callable[[Numbers], Numbers]:
    def encode(row: Numbers) -> Numbers:
        for step in steps:
            row = step(row)
        return row

    return encode


def _clip(step: Any) -> Callable[[Numbers], Numbers]:
    bounds = list(zip(step.low_.tolist(), step.high_.tolist(), strict=True))
    return lambda row: [
        low if value < low else high if value > high else value
        for value, (low, high) in zip(row, bounds, strict=True)
    ]


def _impute(step: Any) -> Callable[[Numbers], Numbers]:
    fill = step.statistics_.tolist()
    marked = step.indicator_.features_.tolist() if step.add_indicator else []
    return lambda row: [
        *[other if value != value else value for value, other in zip(row, fill, strict=True)],
        *[1.0 if row[place] != row[place] else 0.0 for place in marked],
    ]


def _mark_missing(step: Any) -> Callable[[Numbers], Numbers]:
    marked = step.features_.tolist()
    return lambda row: [1.0 if row[place] != row[place] else 0.0 for place in marked]


def _scale(step: Any) -> Callable[[Numbers], Numbers]:
    factors = list(zip(step.mean_.tolist(), step.scale_.tolist(), strict=True))
    return lambda row: [
        (value - mean) / scale for value, (mean, scale) in zip(row, factors, strict=True)
    ]


NUMBER_STEPS: dict[str, Callable[[Any], Callable[[Numbers], Numbers]]] = {
    "FunctionTransformer": lambda step: list,
    "QuantileClipper": _clip,
    "SimpleImputer": _impute,
    "MissingIndicator": _mark_missing,
    "StandardScaler": _scale,
}
