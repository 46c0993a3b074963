"""A feature is worth what the metric loses when it is shuffled."""

import numpy as np
import pandas as pd
import pytest

from seedbed.models.importance import permutation_importance, sample_rows
from seedbed.models.metrics import find_metric
from seedbed.models.training import train_model


def test_a_shuffled_feature_that_the_model_leans_on_costs_what_the_metric_says(
    problem_of, model_of, split_of, evaluation
) -> None:
    random, numbers = np.random.default_rng(0), np.arange(400)
    rows = pd.DataFrame({"x": random.normal(size=400), "noise": random.normal(size=400)})
    parts = np.repeat(["train", "validation", "test"], [200, 100, 100])
    rows = rows.assign(
        _target=rows["x"] * 3, _split=parts, _fold=numbers % 2, _row=numbers, _cluster=numbers
    )
    model, problem = model_of("logistic_regression"), problem_of("regression")
    fitted = train_model(rows, problem, split_of("random"), model, evaluation, 0)
    features, truth = rows[["x", "noise"]], rows["_target"].to_numpy()
    metric = find_metric("rmse", "regression")

    def of(seed: int, count: int = 400) -> dict[str, dict[str, float]]:
        return permutation_importance(
            fitted.pipeline, fitted.decision, features, truth, metric, count, 5, seed
        )

    found = of(0)
    assert list(found) == ["x", "noise"]
    # Shuffled against itself, a normal value is off by sqrt(2) standard deviations.
    assert found["x"]["mean"] == pytest.approx(3 * np.sqrt(2) * rows["x"].std(), rel=0.1)
    assert abs(found["noise"]["mean"]) < 0.01 * found["x"]["mean"]
    assert of(0) == found
    assert of(1) != found
    assert of(0, 50)["x"]["mean"] != found["x"]["mean"]


@pytest.mark.parametrize(
    ("features", "repeats", "expected"), [(30, 5, 5000), (300, 5, 222), (2000, 5, 100)]
)
def test_of_a_wide_table_fewer_rows_are_looked_at(
    features: int, repeats: int, expected: int
) -> None:
    assert sample_rows(49_113, features, 5000, repeats) == expected
    assert sample_rows(40, features, 5000, repeats) == 40
