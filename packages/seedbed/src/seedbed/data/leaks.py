"""Columns that know too much: those that tell the target although no model should see them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from seedbed.config.modelling import Task
from seedbed.data.column_scores import (
    Sample,
    column_score,
    copied_share,
    draw_sample,
    encode,
    joint_score,
)
from seedbed.data.leak import LEAST_ROWS, MOST_ROWS, Leak, percent
from seedbed.data.missing_leaks import known_with_target, tell_by_missing

SUSPECT = 0.95
"""Score from which a column nearly determines the target."""
BETTER = 3.0
"""How many times smaller than that of all others together the error of a suspect is."""
EASY = 0.99
"""Score of all other columns together from which an honest column may be near perfection too."""
SURE = 0.98
"""Score from which a text, or a number in an easy table, determines the target."""
ORDERED = 0.9
"""Score from which an identifier is ordered by the target."""
COPY = 0.98
"""Share of rows that agree with the target, value by value, in a copy of it."""
MONOTONE = 0.999
"""Rank correlation with the target of a monotone function of it."""


def find_leaks(
    frame: pd.DataFrame,
    target: pd.Series,
    task: Task,
    candidates: Sequence[str],
    seed: int = 0,
) -> list[Leak]:
    """Return the columns that tell the target, in the order of the candidates.

    Each column is judged alone, cross-fitted: rows are put into bins (quantiles of a number; values
    of a text), and the mean target of a bin comes from the other folds. The score is 2 AUC - 1 for
    classes (Gini's coefficient, the mean over classes against the rest), R² of the target's ranks
    for a regression. All classes weigh the same.

    An honest column may be strong: petal length scores 0.97 on iris, the balance 0.89 on ISLP's
    Default. A column is therefore a leak only

    - as a copy: at least 98 % of the rows have the one value of their class, or the rank
      correlation with a number is at least 0.999;
    - if it scores at least 0.95, and all others that score less than 0.98 and are no leak have
      three times its error (1 - score): the best of them, and a forest of them, cross-validated.
      Where that forest scores 0.99, the table is easy (setosa among iris): of two classes no column
      is suspected then, of more one that scores 0.98, if the best of the others has three times
      its error;
    - as a text whose values score at least 0.98, whatever the others say;
    - as an identifier (whole numbers or texts, one for each row) that scores at least 0.9;
    - by being missing: it has values for at least 95 % of one class and at most 5 % of another,
      or only rows of one class have (or lack) values, or the rows that lack one have nearly all the
      lower or higher targets (AUC of 0.98);
    - if it has values where the target is known and lacks them in half of the rows where it is not.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Typed columns: numbers, boolean, str, datetime. Rows without a target may be among them.
    target : Series, shape (n_rows,)
        Classes of any type, or numbers; missing where it is not known.
    task : {"binary", "multiclass", "regression"}
    candidates : sequence of str
        The columns to judge.
    seed : int, default=0
        Of the sample of 20,000 rows and of the folds; classes are sampled one by one, each as
        large as the others where it has the rows.
    """
    known = target.notna().to_numpy()
    with_target = np.flatnonzero(known)
    sample = draw_sample(target.iloc[with_target], task, seed, MOST_ROWS, LEAST_ROWS)
    if sample is None or not candidates:
        return []
    rows = frame[list(candidates)].iloc[with_target[sample.rows]]
    encoded = {name: encode(rows[name]) for name in candidates}
    text = {name for name in candidates if not _is_numeric(rows[name])}
    scores = {name: column_score(encoded[name], sample, name in text) for name in candidates}
    certain = (
        *tell_by_missing(encoded, sample),
        *known_with_target(frame, known, encoded),
        *_tell_the_target(rows, len(frame), encoded, scores, sample),
    )
    found = {leak.column: leak for leak in certain}
    honest = {
        name: encoded[name] for name in candidates if name not in found and scores[name] < SURE
    }
    suspects = [name for name in candidates if name not in found and scores[name] >= SUSPECT]
    nearly = _tell_more_than_others(suspects, honest, scores, sample, seed)
    found |= {leak.column: leak for leak in nearly}
    return [found[name] for name in candidates if name in found]


def _tell_the_target(
    rows: pd.DataFrame,
    count: int,
    encoded: Mapping[str, np.ndarray],
    scores: Mapping[str, float],
    sample: Sample,
) -> Iterator[Leak]:
    """Yield ordered identifiers, copies of the target and texts that determine it."""
    for name, score in scores.items():
        share = copied_share(encoded[name], sample)
        if score >= ORDERED and _is_identifier(rows[name], count):
            yield Leak(name, f"an identifier ordered by the target: {sample.words(score)}", score)
        elif sample.classes and share >= COPY:
            yield Leak(name, f"a copy of the target: {percent(share)} of the rows agree", share)
        elif not sample.classes and share >= MONOTONE:
            words = f"a monotone function of the target: rank correlation {share:.4f}"
            yield Leak(name, words, share)
        elif score >= SURE and not _is_numeric(rows[name]):
            yield Leak(name, f"its values determine the target: {sample.words(score)}", score)


def _tell_more_than_others(
    suspects: Sequence[str],
    honest: Mapping[str, np.ndarray],
    scores: Mapping[str, float],
    sample: Sample,
    seed: int,
) -> Iterator[Leak]:
    """Yield columns that nearly determine the target, where no others come near."""
    joint: dict[str | None, float] = {}  # without one of the honest columns, or None
    for name in suspects:
        others = {other: values for other, values in honest.items() if other != name}
        best = max((scores[other] for other in others), default=0.0)
        error = BETTER * (1 - scores[name])
        if 1 - best < error:
            continue
        without = name if name in honest else None
        if without not in joint:
            joint[without] = joint_score(others, scores, sample, seed)
        rest, together = joint[without], "all others together"
        if rest >= EASY and len(sample.classes or ()) > 2 and scores[name] >= SURE:
            rest, together = best, "the best other"
        if rest < EASY and 1 - rest >= error:
            words = f"alone it nearly determines the target: {sample.words(scores[name])}"
            yield Leak(name, f"{words}, {together} {sample.figure(rest)}", scores[name])


def _is_numeric(values: pd.Series) -> bool:
    kinds: Any = pd.api.types
    return kinds.is_numeric_dtype(values) or kinds.is_datetime64_any_dtype(values)


def _is_identifier(values: pd.Series, count: int) -> bool:
    """Whether a column names each of `count` rows: whole numbers that lie close, or texts."""
    if values.nunique() < max(LEAST_ROWS, 0.99 * len(values)):
        return False
    if pd.api.types.is_integer_dtype(values):
        return int(values.max()) - int(values.min()) < 10 * count
    return not _is_numeric(values)
