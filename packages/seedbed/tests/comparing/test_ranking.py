"""A comparison says which revision is better, by how much, and whether that may be chance."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.comparing.ranking import rank
from seedbed.comparing.revisions import Revision

ROWS = 400
TRUTH = np.arange(ROWS) % 3 == 0


def predictions(quality: float, rows: slice = slice(None), seed: int = 0) -> pd.DataFrame:
    """Return what a model of some quality says of the test rows, 4 of which are in each cluster."""
    noise = np.random.default_rng(seed).random(ROWS)
    scores = (noise + quality * TRUTH) / (1 + quality)
    table = pd.DataFrame(
        {
            "_row": np.arange(ROWS, dtype="uint64"),
            "_target": TRUTH,
            "_prediction": scores > 0.5,
            "_score": scores,
            "_baseline": 0.3,
            "_cluster": np.arange(ROWS) // 4,
        }
    )
    return table[rows].reset_index(drop=True)


def revision(
    name: str, value: float | None, table: pd.DataFrame | None = None, **more: Any
) -> Revision:
    metrics = {} if value is None else {"test.roc_auc": value}
    params = {"problem.task": "binary", "problem.metric": "roc_auc"}
    return Revision(name, **{"metrics": metrics, "params": params, "predictions": table, **more})


MAIN = revision("main", 0.6, predictions(0.2))
BETTER = revision("better", 0.9, predictions(2, seed=1))


@pytest.mark.parametrize(
    ("revisions", "first", "text"),
    [
        ([MAIN, BETTER], "better", r"better is better than main by 0\.\d+: .* 0.9 against 0.6\. 95 % interval on the 400 test rows: 0\.\d+ to 0\.\d+\."),
        ([BETTER, MAIN], "better", r"better is better than main by 0\.\d+: .* the 400 test rows: 0\.\d+ to 0\.\d+\."),
        ([MAIN, revision("other", 0.61, predictions(0.2, seed=5))], "other", r"400 test rows: -0\.\d+ to 0\.\d+, so it may be chance"),
        ([MAIN, revision("twin", 0.6, predictions(0.2))], "main", "main and twin are equal: test.roc_auc 0.6 against 0.6"),
        ([MAIN, revision("later", 0.9, predictions(2, slice(100, None)))], "later", r"by 0\.\d+ on the 300 test rows that both scored: .* 0.9 against 0.6, each on all its test rows"),
        ([MAIN, revision("few", 0.9, predictions(2, slice(0, 12)))], "few", r"by 0\.\d+ on the 12 test rows that both scored: .*no interval.*12 test rows that both scored are in too few clusters"),
        ([MAIN, revision("apart", 0.7, predictions(1).assign(_row=lambda table: table["_row"] + 999))], "apart", "no interval.*no row with the same target in common"),
        ([MAIN, revision("asks", 0.7, predictions(1).assign(_target=True))], "asks", "no row with the same target in common"),
        ([MAIN, revision("absent", 0.7)], "absent", "by 0.1: .*no interval.*predictions of both are not at hand"),
        ([MAIN, revision("empty", None)], "main", "main has test.roc_auc 0.6. empty has no test.roc_auc."),
        ([MAIN, revision("asked", None, params={**MAIN.params, "problem.metric": "brier"})], "main", "asked has no test.roc_auc, since its problem.metric is brier."),
        ([revision("empty", None), MAIN], "main", "main has test.roc_auc 0.6. empty has no test.roc_auc."),
        ([revision("a", None), revision("b", None)], "a", "No revision has test.roc_auc"),
        ([revision("a", None, metrics={"cv.roc_auc": 0.6}), revision("b", None, metrics={"cv.roc_auc": 0.7})], "b", "by 0.1: cv.roc_auc 0.7 against 0.6. There is no interval.*may be chance: not all were evaluated"),
        ([MAIN, revision("few", 0.5, params={**MAIN.params, "dataset.sample": 5000})], "main", "They learned from other rows: dataset.sample is not set in main, 5000 in few."),
        ([MAIN], "main", "main has test.roc_auc 0.6."),
        ([MAIN, BETTER, revision("between", 0.8, predictions(1))], "better", "better is better than main"),
    ],
)  # fmt: skip
def test_the_better_one_is_named_with_the_interval_of_the_difference(
    revisions: list[Revision], first: str, text: str
) -> None:
    ranking = rank(revisions)
    assert ranking.places[0].name == first
    assert pd.Series([ranking.in_words()]).str.contains(text).all(), ranking.in_words()


def test_a_smaller_error_is_better() -> None:
    params = {"problem.task": "regression", "problem.metric": "rmse"}
    truth = np.arange(ROWS, dtype=float)
    revisions = []
    for name, error in (("main", 2.0), ("finer", 1.0)):
        table = predictions(0)[["_row", "_cluster"]].assign(
            _target=truth, _prediction=truth + error * np.where(TRUTH, 1, -1), _score=truth
        )
        revisions.append(revision(name, None, table, metrics={"test.rmse": error}, params=params))
    assert (
        rank(revisions)
        .in_words()
        .startswith(
            "finer is better than main by 1: test.rmse 1 against 2. 95 % interval on the 400 test rows: 1 to 1"
        )
    )
