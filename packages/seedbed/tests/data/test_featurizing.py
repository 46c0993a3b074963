"""The table that training reads is the same whatever the order in which rows came."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.extensions import only_seedbed
from seedbed.config.modelling import Problem
from seedbed.config.preparation import Derived, Features, Split
from seedbed.config.schema import Column
from seedbed.data.features import feature
from seedbed.data.featurizing import build_training_table
from seedbed.data.tables import SPLIT
from seedbed.errors import CodeError

COLUMNS = {"km": Column(role="feature"), "y": Column(role="target")}
PROBLEM = Problem(question="?", task="regression", metric="rmse")


def test_rows_that_look_alike_come_in_the_order_of_their_targets() -> None:
    frame = pd.DataFrame({"km": np.arange(200) % 40 * 1.0, "y": np.arange(200) * 1.0})
    split = Split(kind="random", validation=0.2, test=0.2, folds=2)
    table = build_training_table(frame, COLUMNS, PROBLEM, Features(), split)
    shuffled = frame.sample(frac=1, random_state=0, ignore_index=True)
    pd.testing.assert_frame_equal(
        build_training_table(shuffled, COLUMNS, PROBLEM, Features(), split), table
    )
    assert (table.groupby("km")[SPLIT].nunique() == 1).all()


def table_with(compute: Callable[[pd.Series], Any]) -> pd.DataFrame:
    """Return the training table with a feature of a project's own that is made of km."""
    frame = pd.DataFrame({"km": np.arange(200) * 1.0, "y": np.arange(200) * 1.0})
    derived = [Derived(name="new", kind="of_ones_own", columns=["km"])]
    split = Split(kind="random", validation=0.2, test=0.2, folds=2)
    with only_seedbed():

        @feature()
        def of_ones_own(km: pd.Series) -> Any:
            return compute(km)

        features = Features(use_derived=True, derived=derived)
        return build_training_table(frame, COLUMNS, PROBLEM, features, split)


@pytest.mark.parametrize(
    ("compute", "among", "alone"),
    [
        (lambda km: km - km.mean(), "-99.5", "0.0"),
        (lambda km: km / np.nanmax(km.to_numpy()), "0.0", "nan"),
        (lambda km: km.shift(1), "9.0", "nan"),
        (lambda km: km.rank(), "11.0", "1.0"),
        (lambda km: km.sort_values(ascending=False).reset_index(drop=True), "199.0", "0.0"),
        (lambda km: pd.Series(range(len(km)), index=km.index), "10.0", "0.0"),
        (lambda km: pd.cut(km, 2).astype("str"), r"\(-0.199, 99.5\]", ".*"),
        (lambda km: pd.Series(np.random.default_rng().random(len(km))), ".*", ".*"),
    ],
)
def test_a_feature_that_is_made_of_other_rows_too_is_refused(
    compute: Callable[[pd.Series], Any], among: str, alone: str
) -> None:
    words = f"the feature new of a row is {among} among all 200 rows and {alone} alone, so a pred"
    with pytest.raises(CodeError, match=words) as refusal:
        table_with(compute)
    assert re.match(rf"{re.escape(__name__)}, line \d+: ", str(refusal.value))


@pytest.mark.parametrize(
    "compute",
    [
        lambda km: np.sin(km) * 1e9,
        lambda km: km.where(km > 50),
        lambda km: km.where(km > 50).astype("str"),
        lambda km: (km > 50).map({True: "far", False: None}),
        lambda km: km[km > 50],
    ],
)
def test_a_feature_of_its_own_row_is_taken(compute: Callable[[pd.Series], Any]) -> None:
    assert "new" in table_with(compute)
