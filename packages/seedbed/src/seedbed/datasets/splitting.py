"""How rows are split: by time where a column orders them, by group where entities repeat."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from seedbed.datasets.guesses import Guess, check_column, read_as
from seedbed.datasets.names import (
    ENTITIES,
    KEYS,
    NOT_OF_THE_ROW,
    OF_THE_ROW,
    ends_with,
    hints_at,
)
from seedbed.errors import UserError, some_of

SMALL = 1_000
REPEATS = 5
INSTANTS = 20
"""Fewer different times cannot be split into train, validation, test and folds."""
IN_ORDER = 0.99
"""Share of the steps from row to row that do not go back in time, in rows that are in order."""
FEWEST, MOST = 1.2, 30
"""Rows of an entity, on average: with more of them the column is rather a category."""
GROUPS = 10
PARTS = 3
"""Train, validation and test: a column that splits the rows needs a value for each."""
FEW_OF_A_CLASS = 30
"""Of fewer rows, chance may give a part none: of 20 rows, one part in a hundred of a fifth."""


@dataclass(frozen=True)
class SplitGuess:
    """How rows become train, validation and test."""

    kind: Literal["time", "random", "stratified", "group"]
    column: str | None  # the time or the group
    reason: str
    validation: float
    test: float
    folds: int  # of the cross-validation, as its repeats
    repeats: int = 1
    notes: tuple[str, ...] = ()  # what a person should know


def infer_split(
    frame: pd.DataFrame, guesses: dict[str, Guess], time: str | None, group: str | None
) -> SplitGuess:
    """Return how to split the rows.

    By time if a person named one, or if a time is that of the row: the rows stand in its order, or
    its name says so; never if its name says that it was before the row or comes after it (a birth,
    an expiry). Else by group, if a person named one, or if a column named as an entity or a key
    has a few rows of each. Else at random.

    Raises UserError if a column that a person named is not there, or is no time.
    """
    notes = []
    if len(frame) < SMALL:
        width = 1.96 * np.sqrt(0.25 / max(1, round(0.2 * len(frame))))
        notes.append(
            f"{len(frame):,} rows are few: a share measured on a fifth of them is known to "
            f"±{min(width, 0.5):.2f} only, so cross-validation is repeated where the split allows. "
            "A linear model may be better than trees: dvc exp run -S model=logistic_regression"
        )
    groups = _find_groups(frame, guesses)
    column, why, others = _find_time(frame, guesses, time)
    notes += others
    if column is not None and (group is None or time is not None):
        entity = group or next(iter(groups), None)
        if entity is not None:
            notes.append(
                f"rows of one {entity} repeat ({_per_value(guesses[entity], len(frame))}), and "
                "the split by time parts them: to measure on new ones, split by group"
                f"{', with --group and without --time' if group else ''}"
            )
        return SplitGuess("time", column, why, 0.15, 0.15, 3, notes=tuple(notes))
    repeats = REPEATS if len(frame) < SMALL else 1
    if group is not None:
        check_column(frame, group, "--group")
        _refuse_few("--group", guesses[group])
        why = "named by --group"
    elif groups:
        group, why = next(iter(groups.items()))
        if len(groups) > 1:
            notes.append(f"other columns could be the group: {some_of(list(groups)[1:], 5)}")
    if group is None:
        why = "no time orders the rows, and no entity repeats"
        return SplitGuess("random", None, why, 0.2, 0.2, 5, repeats, tuple(notes))
    guess = guesses[group]
    if guess.values < GROUPS:
        notes.append(f"{guess.values} groups are few: a part may get none")
    if guess.missing:
        absent = round(guess.missing * len(frame))
        notes.append(f"rows without {group} ({absent:,}) count as one group")
    if guess.values == len(frame):
        notes.append(f"{group} differs in each row: a split by it is one at random")
    return SplitGuess("group", group, why, 0.2, 0.2, 5, repeats, tuple(notes))


def stratify_rare(split: SplitGuess, classes: pd.Series) -> SplitGuess:
    """Return a split at random as one that spreads each class evenly, if a class has few rows.

    Parameters
    ----------
    classes : Series of str, shape (n_rows,)
        The class of each row; missing ones do not count.
    """
    counts = classes.value_counts()
    if split.kind != "random" or counts.min() >= FEW_OF_A_CLASS:
        return split
    reason = f"{split.reason}; of the class {counts.idxmin()!r} there are {counts.min()} rows only"
    return replace(split, kind="stratified", reason=reason)


def _find_time(
    frame: pd.DataFrame, guesses: dict[str, Guess], named: str | None
) -> tuple[str | None, str, list[str]]:
    """Return the time of the rows, why it is that, and a word on the other times."""
    if named is not None:
        check_column(frame, named, "--time")
        return named, "named by --time", _notes_on_time(guesses[named], len(frame))
    found, notes = [], []
    for name, guess in guesses.items():
        if guess.kind != "date":
            continue
        why, rank = _why_not_of_the_row(frame, guess), 1
        if not why:
            ordered = _is_ordered(read_as(frame[name], guess))
            if ordered:
                rank = 0 if hints_at(name, OF_THE_ROW) else 1
                found.append((rank, name, f"the rows stand in the order of {name}"))
            elif hints_at(name, OF_THE_ROW):
                found.append((2, name, f"{name} is the time of the row by its name"))
            else:
                why = "it does not order the rows"
        if why:
            notes.append(f"{name} is a time, but not that of the row: {why}")
    if not found:
        return None, "", notes
    rank = min(rank for rank, _, _ in found)
    _, name, why = next(entry for entry in found if entry[0] == rank)
    if others := [other for _, other, _ in found if other != name]:
        notes.append(f"other columns could be the time of the row: {some_of(others, 5)}")
    return name, why, notes


def _notes_on_time(guess: Guess, rows: int) -> list[str]:
    """Return what to know of the time that a person named; refuse what is none."""
    name, notes = guess.name, []
    if guess.kind != "date":
        raise UserError(
            f"--time {name}: the column is no time, but of kind {guess.kind} "
            f"({guess.reason}{'; ' + guess.note if guess.note else ''}). Name another column, or "
            "correct the values that are no times."
        )
    _refuse_few("--time", guess)
    if guess.values < INSTANTS:
        notes.append(f"{guess.values} different times are few: a part may get no row")
    if guess.missing:
        notes.append(
            f"rows without {name} ({round(guess.missing * rows):,}) are refused by a split by "
            "time: correct or remove them"
        )
    return notes


def _refuse_few(option: str, guess: Guess) -> None:
    if guess.values < PARTS:
        raise UserError(
            f"{option} {guess.name}: it has {guess.values} different "
            f"value{'s' * (guess.values != 1)} ({guess.reason}), and train, validation and test "
            "need one each. Name another column, or leave the option out."
        )


def _why_not_of_the_row(frame: pd.DataFrame, guess: Guess) -> str | None:
    if hints_at(guess.name, NOT_OF_THE_ROW):
        return "by its name it is of before or after"
    if guess.missing:
        return f"{round(guess.missing * len(frame)):,} rows have none"
    if guess.values < INSTANTS:
        return f"{guess.values} different times are too few to split by"
    return None


def _is_ordered(times: pd.Series) -> bool:
    steps = np.diff(times.astype("int64").to_numpy())
    return bool(max((steps >= 0).mean(), (steps <= 0).mean()) >= IN_ORDER)


def _find_groups(frame: pd.DataFrame, guesses: dict[str, Guess]) -> dict[str, str]:
    """Return the columns that name entities of several rows, and why."""
    found = {}
    for name, guess in guesses.items():
        per_value = (1 - guess.missing) * len(frame) / max(guess.values, 1)
        if (
            guess.kind in ("identifier", "high_cardinality", "category")
            and FEWEST <= per_value <= MOST
            and guess.values >= GROUPS
            and (ends_with(name, KEYS) or hints_at(name, ENTITIES))
        ):
            found[name] = f"rows of one {name} repeat: {_per_value(guess, len(frame))}"
    return dict(sorted(found.items(), key=lambda pair: not hints_at(pair[0], ENTITIES)))


def _per_value(guess: Guess, rows: int) -> str:
    present = (1 - guess.missing) * rows
    return f"{guess.values:,} values of {present / max(guess.values, 1):.1f} rows each"
