"""Explaining: how much the value in each input column pushed a prediction away from the mean.

The effects are Shapley values of the columns that a request sends, whatever cleaning, features and
model stand behind them. Values of the row replace those of a sample row of the bundle, a few
columns at a time, and the change of the score is divided among the columns. Some rows made so exist
nowhere in the world: of two columns that tell the same, each gets a part of the effect, and no
effect tells what happens if somebody changes a value.

Sources: Castro et al. (2009), doi:10.1016/j.cor.2008.04.004, for sampled permutations;
Mitchell et al. (2022), https://jmlr.org/papers/v23/21-0439.html, for antithetic pairs of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.errors import UserError
from seedbed.serving.bundle import Bundle, CheckedRows
from seedbed.serving.samples import json_value
from seedbed.serving.shapley import FEWEST_PAIRS, choose_coalitions

EVALUATIONS = 20_000
"""About how many rows are predicted to explain one; the error falls with the square root of it."""
CELLS = 10_000_000
"""Most values in these rows: of wide tables fewer are predicted."""
MOST_COLUMNS = 1000
MOST_ROWS = 10
METHOD = (
    "Shapley values of the input columns: how much the score changes where values of this row "
    "replace those of a sample row of the bundle. Effects add up to score minus base, the mean "
    "score of the sample rows. They are exact for sample rows that differ from this one in few "
    "columns, and estimated by antithetic pairs of sampled permutations for the others; error is "
    "the standard error of the estimate."
)

Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Effect:
    """What the value in a column adds to the score, and the standard error of this estimate."""

    value: Any
    effect: float
    error: float


@dataclass(frozen=True)
class Explanation:
    """Why a row has its score."""

    base: float  # mean score of the sample rows
    # of the row: the probability of the positive class (binary), of the predicted class
    # (multiclass), or the prediction itself (regression)
    score: float
    prediction: Any
    # by column of the signature, in its order; they add up to `score` minus `base`. The effect of a
    # column that the model does not use is 0.
    effects: dict[str, Effect]


def explain(
    bundle: Bundle, row: Mapping[str, Any], *, evaluations: int = EVALUATIONS, seed: int = 0
) -> Explanation:
    """Explain the prediction of a row by comparing it with each sample row of the bundle.

    About `evaluations` rows are predicted; `seed` is that of the permutations. Equal rows have
    equal explanations.

    Raises UserError if the row does not fit the signature, or the bundle has no sample rows or too
    many columns.
    """
    names = [column.name for column in bundle.signature.columns]
    if len(names) > MOST_COLUMNS:
        raise UserError(
            f"The model has {len(names)} input columns, and predictions of one with at most "
            f"{MOST_COLUMNS} can be explained."
        )
    if not bundle.samples.rows:
        raise UserError(
            "The predictions of this model cannot be explained: its bundle has no sample rows to "
            "compare with, because a column holds paths of files."
        )
    bundle.check([row])  # alone, so that a message does not count the samples
    evaluations = min(evaluations, CELLS // len(names))
    # A wide table cannot be compared with all of them.
    last = min(len(bundle.samples.rows), max(1, evaluations // (2 * FEWEST_PAIRS * len(names))))
    pool = bundle.check([*bundle.samples.rows[:last], row]).cleaned
    codes = np.stack([pd.factorize(pool[name], use_na_sentinel=False)[0] for name in pool], axis=1)
    # A value that both rows have has no effect: only the others are replaced.
    differing = [np.flatnonzero(differs) for differs in codes[:last] != codes[last]]
    random = np.random.default_rng(seed)
    games = [choose_coalitions(len(columns), evaluations // last, random) for columns in differing]
    mixed, parts = _mix(pool, differing, [game.coalitions for game in games])
    answers = bundle.predict(CheckedRows(mixed, mixed.index))
    prediction = json_value(answers["prediction"].iloc[last])
    scores = answers[_explained_score(answers, prediction)].to_numpy(dtype="float64")
    sums, variances = np.zeros(len(names)), np.zeros(len(names))
    for sample, (columns, game) in enumerate(zip(differing, games, strict=True)):
        effects, variance = game.divide(scores[sample], scores[parts[sample]], scores[last])
        sums[columns] += effects
        variances[columns] += variance
    found = zip(names, sums / last, np.sqrt(variances) / last, strict=True)
    return Explanation(
        base=float(scores[:last].mean()),
        score=float(scores[last]),
        prediction=prediction,
        effects={
            name: Effect(json_value(row[name]), float(effect), float(error))
            for name, effect, error in found
        },
    )


def _mix(
    pool: pd.DataFrame, differing: Sequence[Indices], coalitions: Sequence[NDArray[np.bool_]]
) -> tuple[pd.DataFrame, list[slice]]:
    """Return the rows of the pool, and after them those with values of its last row in a sample's.

    Parameters
    ----------
    pool : DataFrame, shape (n_samples + 1, n_columns)
    differing : sequence of ndarray of int
        For each sample row, in which columns it differs from the last row.
    coalitions : sequence of ndarray of bool, shape (n_coalitions, n_differing)
        For each sample row, which of these columns are replaced.

    Returns
    -------
    mixed : DataFrame, shape (n_samples + 1 + all coalitions, n_columns)
    parts : list of slice
        Where the coalitions of each sample row are.
    """
    lengths = [0, *map(len, coalitions)]
    starts = len(pool) + np.cumsum(lengths)
    parts = [slice(*ends) for ends in pairwise(starts.tolist())]
    owners = np.concatenate([np.arange(len(pool)), np.repeat(np.arange(len(parts)), lengths[1:])])
    replaced = np.zeros((len(owners), pool.shape[1]), dtype=bool)
    for part, columns, coalition in zip(parts, differing, coalitions, strict=True):
        replaced[part, columns] = coalition
    mixed = {
        name: pool[name].array.take(np.where(replaced[:, place], len(pool) - 1, owners))
        for place, name in enumerate(pool)
    }
    return pd.DataFrame(mixed), parts


def _explained_score(answers: pd.DataFrame, prediction: Any) -> str:
    """Return the column that is explained."""
    if f"score_{prediction}" in answers:
        return f"score_{prediction}"
    return "score" if "score" in answers else "prediction"
