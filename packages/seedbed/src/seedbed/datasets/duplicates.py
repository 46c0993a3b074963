"""Columns that say what another one says: equal, renamed, or a linear function of it."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.datasets.columns import ColumnValues
from seedbed.datasets.guesses import Guess, Kind, read_as

SAMPLED = 1_000
"""Rows, evenly spread, on which linear functions are looked for before all rows are."""
COMPARED = 50
"""Values that are hashed to find equal columns, which are then compared whole."""
GAPS = 2
"""Whole numbers with gaps that are wider, on average, are amounts and no codes."""
ENOUGH = 20
"""With fewer rows, columns agree by chance."""
LINEAR, NEARLY = 1e-6, 0.9999
"""Largest error of a linear function, as a share of the range; correlation that is worth a word."""


@dataclass(frozen=True)
class Trace:
    """What is kept of a column to compare it with others."""

    # hash of which rows have equal values: the same for a column with its values renamed
    pattern: bytes
    content: bytes  # hash of the first different values
    # whether its values are names, or whole numbers without gaps, of which several rows have one
    is_code: bool
    is_identifier: bool  # whether it is left out anyway, so that no feature may be left out for it
    numbers: NDArray[np.float64]  # shape (n_sampled,): its numbers in the sampled rows, or empty


def trace(column: ColumnValues, kind: Kind, numbers: pd.Series | None) -> Trace:
    """Return the trace of a column; `numbers` are its different values as numbers, if they are."""
    pattern = hashlib.blake2b(column.codes.astype("<i8").tobytes(), digest_size=16).digest()
    head = "\0".join(column.distinct[:COMPARED].astype("str"))
    content = hashlib.blake2b(head.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    sampled, is_code = np.empty(0), column.share < 0.5
    if numbers is not None:
        rows = np.unique(np.linspace(0, column.rows - 1, min(SAMPLED, column.rows)).astype(int))
        values = np.append(numbers.astype("float64").to_numpy(), np.nan)
        whole = bool((numbers % 1 == 0).all())
        is_code &= whole and float(numbers.max()) - float(numbers.min()) < GAPS * len(numbers)
        sampled = values[column.codes[rows]]
    return Trace(pattern, content, is_code, kind == "identifier", sampled)


def find_duplicates(
    traces: dict[str, Trace], frame: pd.DataFrame, guesses: dict[str, Guess]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return how columns repeat an earlier one, and how they nearly do.

    Parameters
    ----------
    traces : dict of str to Trace
        Of the columns to compare: of two that say the same, the first one stays.

    Returns
    -------
    tuple of dict of str to str
        A phrase for each such column.
    """
    if len(frame) < ENOUGH:
        return {}, {}
    repeated: dict[str, str] = {}
    nearly: dict[str, str] = {}
    for are_identifiers in (False, True):
        kept = {
            name: found for name, found in traces.items() if found.is_identifier == are_identifiers
        }
        same, alike = _find_renamed(kept, frame, guesses)
        kept = {name: found for name, found in kept.items() if name not in same}
        linear, close = _find_linear(kept, frame, guesses)
        repeated |= same | linear
        nearly |= alike | close
    return repeated, {name: how for name, how in nearly.items() if name not in repeated}


def _find_renamed(
    traces: dict[str, Trace], frame: pd.DataFrame, guesses: dict[str, Guess]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the columns that rename an earlier one, and those that go with its values."""
    repeated: dict[str, str] = {}
    alike: dict[str, str] = {}
    seen: dict[bytes, str] = {}
    equal: dict[tuple[bytes, bytes], str] = {}
    for name, found in traces.items():
        first = seen.setdefault(found.pattern, name)
        same = equal.setdefault((found.pattern, found.content), name)
        if same != name and frame[same].equals(frame[name]):
            repeated[name] = f"equal to {same} in every row"
        elif first != name and found.is_code and traces[first].is_code:
            repeated[name] = f"the {guesses[name].values} values of {first} under other names"
        elif first != name and 2 * guesses[name].values < len(frame):
            alike[name] = f"each value goes with one value of {first}"
    return repeated, alike


def _find_linear(
    traces: dict[str, Trace], frame: pd.DataFrame, guesses: dict[str, Guess]
) -> tuple[dict[str, str], dict[str, str]]:
    linear: dict[str, str] = {}
    nearly: dict[str, str] = {}
    names = [name for name, found in traces.items() if found.numbers.size]
    if len(names) < 2:
        return linear, nearly
    table = np.column_stack([traces[name].numbers for name in names])
    table = np.where(np.isfinite(table), table, np.nan)
    missing = np.isnan(table)
    table = table / np.maximum(np.nanmax(np.abs(table), axis=0, initial=0), 1e-300)
    table = np.where(
        missing, 0, table - np.where(missing, 0, table).sum(0) / np.maximum((~missing).sum(0), 1)
    )
    table /= np.maximum(np.linalg.norm(table, axis=0), 1e-300)
    correlations = np.abs(np.triu(table.T @ table, 1))
    for first, second in np.argwhere(correlations > NEARLY):
        one, other = names[first], names[second]
        if one in linear or other in linear or (missing[:, first] != missing[:, second]).any():
            continue
        how = _linear(read_as(frame[one], guesses[one]), read_as(frame[other], guesses[other]))
        if how:
            linear[other] = how.format(one)
        else:
            nearly[other] = f"nearly a linear function of {one}: correlation above {NEARLY}"
    return linear, nearly


def _linear(x: pd.Series, y: pd.Series) -> str | None:
    """Return y as a function of x, with {} for the name of x, or None if it is not linear."""
    a, b = x.to_numpy("float64"), y.to_numpy("float64")
    known = np.isfinite(a)
    if (known != np.isfinite(b)).any() or not known.any():
        return None
    a, b = a[known], b[known]
    low, high = int(a.argmin()), int(a.argmax())
    with np.errstate(over="ignore", invalid="ignore"):
        slope = (b[high] - b[low]) / (a[high] - a[low]) if a[high] > a[low] else np.nan
        constant = b[low] - slope * a[low]
        error = np.abs(slope * a + constant - b).max()
    if not error <= LINEAR * (b.max() - b.min()):
        return None
    if abs(constant) <= LINEAR * (b.max() - b.min()):
        return f"{slope:.6g} times {{}}"
    return f"{slope:.6g} times {{}} {'+' if constant > 0 else '-'} {abs(constant):.6g}"
