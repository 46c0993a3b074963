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
    bundle: Bundle,
    rows: Sequence[Mapping[str, Any]],
    *,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
) -> list[Explanation]:
    """Explain the predictions of a few rows: equal rows have equal explanations.

    Parameters
    ----------
    bundle : Bundle
        Its sample rows are those that a row is compared with.
    rows : sequence of mappings
        As a request sends them, at most `MOST_ROWS`.
    evaluations : int
        About how many rows are predicted to explain one.
    seed : int
        Of the permutations.

    Raises UserError if the rows do not fit the signature or are too many, or if the bundle has no
    sample rows or too many columns.
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
    if len(rows) > MOST_ROWS:
        raise UserError(
            f"There are {len(rows)} rows, and at most {MOST_ROWS} are explained in one request. "
            "Send fewer."
        )
    bundle.check(rows)
    evaluations = min(evaluations, CELLS // len(names))
    # A wide table cannot be compared with all of them.
    most = max(1, evaluations // (2 * FEWEST_PAIRS * len(names)))
    samples = bundle.samples.rows[:most]
    cleaned = bundle.check([*samples, *rows]).cleaned
    explanations = []
    for place, row in enumerate(rows):
        pool = cleaned.iloc[[*range(len(samples)), len(samples) + place]].reset_index(drop=True)
        values = {name: json_value(row[name]) for name in names}
        explanations.append(_explain_last(bundle, pool, values, evaluations, seed))
    return explanations


def _explain_last(
    bundle: Bundle, pool: pd.DataFrame, values: Mapping[str, Any], evaluations: int, seed: int
) -> Explanation:
    """Explain the last row of cleaned rows by comparing it with each of the others."""
    last = len(pool) - 1
    codes = np.stack([pd.factorize(pool[name], use_na_sentinel=False)[0] for name in pool], axis=1)
    # A value that both rows have has no effect: only the others are replaced.
    differing = [np.flatnonzero(differs) for differs in codes[:last] != codes[last]]
    random = np.random.default_rng(seed)
    games = [choose_coalitions(len(columns), evaluations // last, random) for columns in differing]
    mixed, parts = _mix(pool, differing, [game.coalitions for game in games])
    answers = bundle.predict(CheckedRows(mixed, mixed.index))
    prediction = json_value(answers["prediction"].iloc[last])
    scores = answers[_explained_score(answers, prediction)].to_numpy(dtype="float64")
    sums, variances = np.zeros(len(values)), np.zeros(len(values))
    for sample, (columns, game) in enumerate(zip(differing, games, strict=True)):
        effects, variance = game.divide(scores[sample], scores[parts[sample]], scores[last])
        sums[columns] += effects
        variances[columns] += variance
    found = zip(values.items(), sums / last, np.sqrt(variances) / last, strict=True)
    return Explanation(
        base=float(scores[:last].mean()),
        score=float(scores[last]),
        prediction=prediction,
        effects={
            name: Effect(value, float(effect), float(error))
            for (name, value), effect, error in found
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
