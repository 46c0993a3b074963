"""What the question is: the task, the positive class, the metric, and what stands against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.modelling import Task, ThresholdRule
from seedbed.config.schema import ColumnType
from seedbed.data.formats import find_format
from seedbed.data.texts import TRUTHS
from seedbed.datasets.columns import ColumnValues, look_at
from seedbed.datasets.guesses import Guess, check_column, read_as
from seedbed.datasets.positive import positive_place
from seedbed.errors import UserError

FEW_CLASSES, ROWS_PER_CLASS = 10, 5
"""Whole numbers are classes up to so many values, with so many rows each on average."""
MANY_CLASSES = 50
RARE, UNEVEN = 0.05, 0.3
"""Shares of the positive class: below the first, precision is what counts (Saito and Rehmsmeier
2015, doi:10.1371/journal.pone.0118432); below the second, a threshold of one half finds few."""
LEAST, ENOUGH = 3, 5
"""Rows of a class: train, validation and test need one each, and chance gives each one rather of
the second number."""
SOME = 30
SKEWED = 2.0


@dataclass(frozen=True)
class ProblemGuess:
    """What is asked of the data."""

    task: Task
    reason: str  # why it is this task, with figures
    metric: str
    target_type: ColumnType  # as which the target column must be read
    threshold: ThresholdRule = "half"
    positive: Any = None  # the positive class of a binary problem, in the type of the target column
    positive_reason: str | None = None
    # classes of too few rows, and how many they have
    rare: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def infer_problem(
    frame: pd.DataFrame, guesses: dict[str, Guess], target: str, positive: str | None = None
) -> ProblemGuess:
    """Return the problem that a target column poses.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
    guesses : dict of str to Guess
        What :func:`seedbed.datasets.inferring.infer_columns` returned.
    positive : str
        The positive class, if a person named it.

    Raises UserError if nothing can be learned: there is no such column, it is empty, constant, a
    time or a text of its own in each row, or a class has too few rows for train, validation and
    test.
    """
    check_column(frame, target, "--target")
    guess = guesses[target]
    column = look_at(frame[target], target)
    if guess.missing_texts:
        column = column.keep(~column.distinct.astype("str").isin(guess.missing_texts).to_numpy())
    _refuse_impossible(column, guess)
    warnings = []
    if absent := column.rows - column.present:
        warnings.append(f"{absent:,} of {column.rows:,} rows have no {target}: they are left out")
    numbers = _numbers(column, guess)
    if len(column.distinct) == 2:
        found = _binary(column, guess, numbers, positive)
    elif positive is not None:
        raise UserError(
            f"--positive {positive}: {target} has {len(column.distinct):,} different values, and "
            "only a target of two classes has a positive one. Leave the option out."
        )
    elif numbers is None or _are_classes(column, numbers):
        found = _multiclass(column, numbers)
    else:
        found = _regression(column, guess, numbers)
    return replace(found, warnings=(*warnings, *found.warnings))


def _refuse_impossible(column: ColumnValues, guess: Guess) -> None:
    name, values = column.name, len(column.distinct)
    if column.rows < 2:
        raise UserError(
            f"the file has {column.rows} row{'s' if column.rows != 1 else ''}, and a model learns "
            "from many. Check that the file is whole, and that its header is one line."
        )
    if not values:
        raise UserError(
            f"--target {name}: {guess.reason}, so there is nothing to learn from. Choose another "
            "column, or correct the file."
        )
    if values == 1:
        raise UserError(
            f"--target {name}: the value is {column.distinct.iloc[0]!r} in all "
            f"{column.present:,} rows that have one, so there is nothing to learn. Choose another "
            "column, or a file with other rows too."
        )
    if guess.kind == "date":
        raise UserError(
            f"--target {name}: it is a time ({guess.reason}), and a time is no target. Make it a "
            "number first, such as the days until then."
        )


def _numbers(column: ColumnValues, guess: Guess) -> pd.Series | None:
    """Return the different values as numbers, or None if they are not."""
    if column.distinct.dtype.kind in "iufb":
        return column.distinct.astype("float64")
    found = find_format(column.distinct)
    if guess.kind != "number" and (found is None or found.kind != "number"):
        return None
    form = guess.form or (found.form if found else None)
    as_number = Guess(guess.name, "number", form, "", 0, 0.0)
    return read_as(column.distinct, as_number)


def _are_classes(column: ColumnValues, numbers: pd.Series) -> bool:
    few = len(numbers) <= FEW_CLASSES and column.present >= ROWS_PER_CLASS * len(numbers)
    if few and column.counts[int(numbers.argmax())] < LEAST:
        return False  # a count, of which large ones are rare
    return few and bool((numbers % 1 == 0).all())


def _binary(
    column: ColumnValues, guess: Guess, numbers: pd.Series | None, positive: str | None
) -> ProblemGuess:
    values, counts = column.distinct, column.counts
    place, why = positive_place(column, numbers, positive)
    shown = [str(value) for value in values]
    rarer = int(counts.argmin())
    if counts[rarer] < LEAST:
        raise UserError(
            f"--target {column.name}: {shown[rarer]!r} stands in {counts[rarer]} of "
            f"{column.present:,} rows, and train, validation and test need one each, better "
            f"{SOME}. Collect more such rows, or choose another target."
        )
    share = counts[place] / column.present
    warnings = []
    if counts[rarer] < SOME or counts[rarer] < RARE * column.present:
        warnings.append(
            f"{shown[rarer]!r} is rare: {counts[rarer]:,} of {column.present:,} rows "
            f"({counts[rarer] / column.present:.2%}), so figures on it are uncertain"
        )
    kind: ColumnType = "category"
    chosen: Any = shown[place]
    if guess.kind == "boolean":
        kind, chosen = "boolean", TRUTHS[shown[place].strip().lower()]
    elif numbers is not None and not guess.form:
        kind, number = "number", float(numbers.iloc[place])
        if number % 1 == 0 and float(numbers.iloc[1 - place]) % 1 == 0:
            chosen = int(number)
        else:  # problem.positive is no float
            kind = "category"
    return ProblemGuess(
        task="binary",
        reason=f"two values: {shown[0]!r} ({counts[0]:,} rows) and {shown[1]!r} ({counts[1]:,})",
        metric="average_precision" if share < RARE else "roc_auc",
        target_type=kind,
        threshold="f1" if share < UNEVEN else "half",
        positive=chosen,
        positive_reason=why,
        warnings=tuple(warnings),
    )


def _multiclass(column: ColumnValues, numbers: pd.Series | None) -> ProblemGuess:
    values, counts, name = column.distinct, column.counts, column.name
    if column.share > 0.5:
        raise UserError(
            f"--target {name}: {len(values):,} different texts in {column.present:,} rows, such as "
            f"{str(values.iloc[0])[:40]!r}, so most classes have one row and nothing repeats that "
            "could be learned. Choose a column of a few classes, or of numbers."
        )
    rare = counts < ENOUGH
    if (~rare).sum() < 2:
        raise UserError(
            f"--target {name}: only {(~rare).sum()} of {len(values)} classes has {ENOUGH} rows or "
            "more, and train, validation and test need one each. Collect more rows, or join "
            "classes."
        )
    few = {str(value): int(n) for value, n in zip(values[rare], counts[rare], strict=True)}
    warnings = []
    if len(values) > MANY_CLASSES:
        warnings.append(f"{len(values)} classes are many: is that the question?")
    alike = values.astype("str").str.strip().str.casefold().duplicated(keep=False)
    if alike.any():
        warnings.append(
            f"{' and '.join(map(repr, values[alike][:2]))} differ only in case or spaces, and are "
            "two classes: write them alike if they are one"
        )
    if numbers is not None:
        warnings.append(
            "its classes are whole numbers: if their order counts, regression may be better"
        )
    largest = int(counts.argmax())
    reason = (
        f"{len(values)} classes in {column.present:,} rows, from {counts.min():,} to "
        f"{counts[largest]:,} of each ({values.iloc[largest]} has most)"
    )
    return ProblemGuess(
        "multiclass", reason, "log_loss", "category", rare=few, warnings=tuple(warnings)
    )


def _regression(column: ColumnValues, guess: Guess, numbers: pd.Series) -> ProblemGuess:
    in_rows = pd.Series(np.repeat(numbers.to_numpy(), column.counts))
    warnings = []
    if guess.kind == "identifier":
        warnings.append(f"it looks like an identifier ({guess.reason}): is that the question?")
    skew = in_rows.skew()
    if np.isfinite(skew) and abs(skew) > SKEWED:
        warnings.append(
            f"it is skewed ({skew:.1f}): half of the values are at most {in_rows.median():.6g}, "
            f"the largest is {in_rows.max():.6g}; its logarithm or quantiles may be learned better"
        )
    reason = (
        f"{len(numbers):,} numbers in {column.present:,} rows, from {numbers.min():.6g} to "
        f"{numbers.max():.6g}"
    )
    return ProblemGuess("regression", reason, "rmse", "number", warnings=tuple(warnings))
