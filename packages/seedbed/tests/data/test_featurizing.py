"""The table that training reads is the same whatever the order in which rows came."""

import numpy as np
import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.config.preparation import Features, Split
from seedbed.config.schema import Column
from seedbed.data.featurizing import build_training_table
from seedbed.data.tables import SPLIT

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
