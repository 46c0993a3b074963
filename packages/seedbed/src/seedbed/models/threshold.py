"""The threshold: from which score on a row is positive."""

import numpy as np
from numpy.typing import NDArray

from seedbed.config.modelling import ThresholdRule
from seedbed.models.outcome import Floats, Outcome


def choose_threshold(truth: NDArray, scores: Floats, rule: ThresholdRule) -> float:
    """Return the threshold that is best by `rule` on these rows; a score at or above is positive.

    It lies half way between two neighbouring scores, so that the last bit of a score decides
    nothing. Of equally good ones the highest is taken.

    Parameters
    ----------
    truth : ndarray of bool, shape (n,)
    scores : ndarray, shape (n,)
        Probability of the positive class.
    rule : {"f1", "balanced_accuracy", "half"}
        "half" is 0.5 whatever the rows are.
    """
    positives = int(np.sum(truth))
    if rule == "half" or positives in (0, len(truth)):
        return 0.5
    outcome = Outcome("binary", truth.astype(np.int8), scores, truth, (False, True))
    tp, fp = (cumulated[0] for cumulated in outcome.sample().ranked())
    if rule == "f1":
        merit = 2 * tp / (tp + fp + positives)
    else:
        merit = tp / positives + 1 - fp / (len(truth) - positives)
    cuts = np.unique(scores)[::-1]
    best = int(np.argmax(merit))
    below = cuts[best + 1] if best + 1 < len(cuts) else 0.0
    return float((cuts[best] + below) / 2)
