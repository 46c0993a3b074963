"""Shapley values of small games whose values are known or counted out."""

from itertools import permutations
from math import factorial

import numpy as np
import pytest

from seedbed.serving.shapley import Enumeration, Walks, choose_coalitions


def worth(members: np.ndarray) -> np.ndarray:
    """A game of any number of players: a sum, a product of two, and a majority."""
    weights = np.arange(1.0, members.shape[1] + 1)
    return members @ weights + 7 * members[:, 0] * members[:, -1] + 3 * (members.mean(axis=1) > 0.5)


def counted_out(players: int) -> np.ndarray:
    """Shapley values by their definition: the mean over all orders of what each player adds."""
    values = np.zeros(players)
    for order in permutations(range(players)):
        members = np.zeros((1, players))
        for player in order:
            before = worth(members)[0]
            members[0, player] = 1
            values[player] += worth(members)[0] - before
    return values / factorial(players)


def played(players: int, evaluations: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    game = choose_coalitions(players, evaluations, np.random.default_rng(seed))
    ends = worth(np.array([[0] * players, [1] * players]))
    return game.divide(ends[0], worth(game.coalitions), ends[1])


@pytest.mark.parametrize("players", range(1, 8))
def test_few_players_get_their_values_exactly(players: int) -> None:
    values, variances = played(players, 256)
    np.testing.assert_allclose(values, counted_out(players), rtol=0, atol=1e-12)
    assert (variances == 0).all()


@pytest.mark.parametrize("players", [2, 3, 7])
def test_sampled_orders_come_near_the_values(players: int) -> None:
    draws = [played(players, 0 if players == 2 else 2**players - 1, seed) for seed in range(400)]
    values, variances = (np.array(part) for part in zip(*draws, strict=True))
    error = values.mean(axis=0) - counted_out(players)
    spread = values.std(axis=0, ddof=1)
    assert (np.abs(error) <= 5 * spread / np.sqrt(len(draws)) + 1e-12).all()
    np.testing.assert_allclose(np.sqrt(variances.mean(axis=0)), spread, rtol=0.25, atol=1e-12)


@pytest.mark.parametrize(
    ("players", "evaluations", "kind"),
    [(0, 0, Enumeration), (1, 0, Enumeration), (8, 256, Enumeration), (8, 255, Walks)],
)
def test_all_coalitions_are_evaluated_where_they_are_few(
    players: int, evaluations: int, kind: type
) -> None:
    game = choose_coalitions(players, evaluations, np.random.default_rng(0))
    assert isinstance(game, kind)
    assert len(game.coalitions) <= evaluations


@pytest.mark.parametrize("evaluations", [0, 100, 10_000, 2**20])
def test_the_values_add_up_whatever_the_number_of_evaluations(evaluations: int) -> None:
    values, _ = played(12, evaluations)
    ends = worth(np.array([[0] * 12, [1] * 12]))
    assert values.sum() == pytest.approx(ends[1] - ends[0], abs=1e-12)


def test_players_who_play_one_part_get_one_value() -> None:
    values, _ = played(7, 2**7)
    twin = values - np.arange(1, 8)  # without the sum only the product and the majority are left
    np.testing.assert_allclose(twin[1:-1], twin[1], atol=1e-12)
    assert twin[0] == pytest.approx(twin[-1])
    assert twin[0] > twin[1]
