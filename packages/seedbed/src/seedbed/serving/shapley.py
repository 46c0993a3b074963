"""Shapley values of a game of n players: which coalitions to evaluate, and how to divide.

A player is a column here, a coalition the columns whose values are replaced, its worth the score.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from seedbed.models.outcome import Floats

FEWEST_PAIRS = 2
"""Pairs of permutations: a standard error needs two."""


@dataclass(frozen=True)
class Enumeration:
    """All coalitions but for the empty and the whole one, which give exact values.

    Source: Shapley (1953), doi:10.1515/9781400881970-018.
    """

    coalitions: NDArray[np.bool_]  # shape (n_coalitions, n_players)

    def divide(self, nobody: float, worths: Floats, everybody: float) -> tuple[Floats, Floats]:
        """Return the Shapley values and the variances of these estimates.

        Parameters
        ----------
        nobody, everybody : float
            Worth of the empty and of the whole coalition.
        worths : ndarray, shape (n_coalitions,)
            Of the others.

        Returns
        -------
        values, variances : ndarray, shape (n_players,)
            The values add up to `everybody` minus `nobody`.
        """
        players = self.coalitions.shape[1]
        # A coalition's place is the number whose bits are its players.
        worth = np.concatenate([[nobody], worths, [everybody]])
        places = np.arange(2**players)
        weights = np.array([1 / (players * comb(players - 1, size)) for size in range(players)])
        values = np.zeros(players)
        for player in range(players):
            without = places[(places >> player) & 1 == 0]
            gains = worth[without | 1 << player] - worth[without]
            values[player] = gains @ weights[np.bitwise_count(without)]
        return values, np.zeros(players)


@dataclass(frozen=True)
class Walks:
    """Random orders in which players join one by one, each followed by its reverse.

    The mean of what a player adds when he joins estimates his Shapley value: Castro et al. (2009),
    doi:10.1016/j.cor.2008.04.004. Pairs of an order and its reverse make the variance smaller:
    Mitchell et al. (2022), https://jmlr.org/papers/v23/21-0439.html.
    """

    orders: NDArray[np.intp]  # shape (2 * n_pairs, n_players)

    @property
    def coalitions(self) -> NDArray[np.bool_]:
        """Who has joined after each step of each walk but the last, as above."""
        places, players = np.argsort(self.orders, axis=1), self.orders.shape[1]
        return (places[:, None, :] < np.arange(1, players)[:, None]).reshape(-1, players)

    def divide(self, nobody: float, worths: Floats, everybody: float) -> tuple[Floats, Floats]:
        """Return the estimated Shapley values and the variances of these estimates, as above."""
        walks, players = self.orders.shape
        between = worths.reshape(walks, players - 1)
        steps = np.diff(between, axis=1, prepend=nobody, append=everybody)
        gains = np.empty_like(steps)
        np.put_along_axis(gains, self.orders, steps, axis=1)
        pairs = gains.reshape(-1, 2, players).mean(axis=1)
        return pairs.mean(axis=0), pairs.var(axis=0, ddof=1) / len(pairs)


def choose_coalitions(
    players: int, evaluations: int, random: np.random.Generator
) -> Enumeration | Walks:
    """Return which coalitions to evaluate: all if there are no more than `evaluations`."""
    if players < 2 or 2**players <= evaluations:
        places = np.arange(1, 2**players - 1)
        return Enumeration((places[:, None] >> np.arange(players)) & 1 == 1)
    pairs = max(FEWEST_PAIRS, evaluations // (2 * (players - 1)))
    forward = random.permuted(np.tile(np.arange(players), (pairs, 1)), axis=1)
    return Walks(np.stack([forward, forward[:, ::-1]], axis=1).reshape(-1, players))
