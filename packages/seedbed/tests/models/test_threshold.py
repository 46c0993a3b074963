"""The threshold is the best one there is on the rows it is chosen by."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from seedbed.models.threshold import choose_threshold

SCORERS = {"f1": f1_score, "balanced_accuracy": balanced_accuracy_score}


@pytest.mark.parametrize("rule", SCORERS)
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_does_better(rule: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.random(200) < 0.25
    scores = np.round(0.2 * truth + random.random(200) * 0.8, 2)
    chosen = SCORERS[rule](truth, scores >= choose_threshold(truth, scores, rule))
    best = max(SCORERS[rule](truth, scores >= cut) for cut in np.append(np.unique(scores), 2))
    assert chosen == pytest.approx(best)


def test_it_lies_between_scores_so_that_a_last_bit_decides_nothing() -> None:
    scores = np.array([0.1, 0.2, 0.6, 0.8])
    assert choose_threshold(np.array([False, False, True, True]), scores, "f1") == pytest.approx(
        0.4
    )


@pytest.mark.parametrize("truth", [np.zeros(3, bool), np.ones(3, bool)])
def test_rows_of_one_class_say_nothing(truth: np.ndarray) -> None:
    assert choose_threshold(truth, np.array([0.1, 0.2, 0.9]), "f1") == 0.5


def test_half_is_half() -> None:
    assert choose_threshold(np.array([True, False]), np.array([0.1, 0.2]), "half") == 0.5
