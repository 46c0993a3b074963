"""The gate's comparison decides rightly: on real flights, a planted worse model is refused and an equal one let through."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from seedbed.config.params import read_params
from seedbed.config.schema import Gate, Problem
from seedbed.data.tables import read_table
from seedbed.models.champion import compare_answers
from seedbed.models.decision import Decision
from seedbed.models.features import feature_frame, feature_kinds
from seedbed.models.gate import judge
from seedbed.models.metrics import find_metric
from seedbed.models.outcome import Outcome
from seedbed.models.pipeline import build_pipeline
from seedbed.models.sides import clusters_of, split_rows

SEEDS = range(1, 21)
GATE = Gate(better_than_baseline=False)


def passes(challenger: Outcome, champion: Outcome, clusters: NDArray, problem: Problem, seed: int) -> bool:
    return judge({}, GATE, problem, compare_answers(challenger, champion, {}, clusters, problem, 200, seed)).passed


def made_worse(outcome: Outcome, by: float, seed: int) -> Outcome:
    """Mix noise into the scores until ROC AUC has fallen by so much."""
    noise = np.random.default_rng(seed).permutation(outcome.scores)
    metric = find_metric("roc_auc", "binary")
    wanted, low, high = metric.of(outcome) - by, 0.0, 1.0
    for _ in range(30):
        share = (low + high) / 2
        mixed = (1 - share) * outcome.scores + share * noise
        worse = Outcome("binary", outcome.truth, mixed, (mixed >= 0.5).astype(np.int8), outcome.classes)
        low, high = (share, high) if metric.of(worse) > wanted else (low, share)
    assert metric.of(worse) == pytest.approx(wanted, abs=1e-4)
    return worse


@pytest.mark.slow
def test_worse_by_twice_the_tolerance_is_refused_and_equal_is_let_through(
    new_root: Path, run_stages: Callable[..., None]
) -> None:
    """Equal models are trained alike, each on a resample of its own of the train rows."""
    choices = ["dataset.sample=60000", "evaluation=quick", "model=logistic_regression"]
    run_stages(new_root, choices, ("ingest", "clean", "featurize"))
    problem, model = read_params(["problem", "model"], new_root).values()
    rows = read_table(new_root / "data/features")
    train, test = split_rows(rows, "train"), split_rows(rows, "test")
    kinds = feature_kinds(rows)
    decision = Decision("binary", kinds, (False, True), 0.5)
    target, truth = (part["_target"].to_numpy(dtype=bool) for part in (train, test))
    *steps, estimator = (step for _, step in build_pipeline(model, "binary", kinds, 0).steps)
    prepare = make_pipeline(*steps)
    # Two thirds of a fit are the preparation of the rows, which hardly differs from resample to resample.
    fitted_on, asked = (
        prepare.fit_transform(feature_frame(train, kinds), target),
        prepare.transform(feature_frame(test, kinds)),
    )

    def trained(seed: int) -> Outcome:
        resample = np.random.default_rng(seed).integers(len(target), size=len(target))
        scores = clone(estimator).fit(fitted_on[resample], target[resample]).predict_proba(asked)[:, 1]
        return decision.outcome(truth.astype(np.int8), scores)

    champion, clusters = trained(0), clusters_of(test)
    tolerance = GATE.champion.tolerance * find_metric("roc_auc", "binary").of(champion)
    equal = [passes(trained(seed), champion, clusters, problem, seed) for seed in SEEDS]
    worse = [passes(made_worse(champion, 2 * tolerance, seed), champion, clusters, problem, seed) for seed in SEEDS]
    print(f"equal models let through: {sum(equal)} of 20; worse ones refused: {20 - sum(worse)} of 20")
    assert sum(worse) == 0
    assert sum(equal) >= 18
