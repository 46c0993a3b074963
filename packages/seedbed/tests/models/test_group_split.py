"""A model that only remembers groups is found out where a group lies on one side."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.schema import Column, Features, Split
from seedbed.data.featurizing import build_training_table
from seedbed.models.training import train_model

COLUMNS = {
    "who": Column(role="group", type="category"),
    "height": Column(role="feature"),
    "noise": Column(role="feature"),
    "t": Column(role="target"),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """600 rows of 60 people: the target is the person's own, and no more to be guessed from the height than by chance."""
    random = np.random.default_rng(0)
    person = np.repeat(np.arange(60), 10)
    return pd.DataFrame(
        {
            "who": pd.Series([f"p{number}" for number in person], dtype="str"),
            "height": random.normal(size=60)[person],
            "noise": random.normal(size=600),
            "t": random.normal(size=60)[person],
        }
    )


@pytest.mark.parametrize(("kind", "least", "most"), [("random", 0.6, 1.0), ("group", -5.0, 0.1)])
def test_validation_and_folds_follow_the_split(
    kind: str, least: float, most: float, rows, model_of, problem_of, evaluation
) -> None:
    split = Split(kind=kind, validation=0.2, test=0.2, folds=3)  # type: ignore[arg-type]
    problem = problem_of("regression", metric="r2")
    table = build_training_table(rows, COLUMNS, problem, Features(), split)
    model = model_of("hist_gradient_boosting", arguments={"min_samples_leaf": 2})
    trained = train_model(table, problem, split, model, evaluation, 0)
    assert len(trained.details["cross_validation"]["r2"]["folds"]) == 3
    assert least < trained.details["validation"]["r2"]["value"] < most
    assert least < trained.details["cross_validation"]["r2"]["mean"] < most
