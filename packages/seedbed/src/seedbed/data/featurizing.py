"""The table that training reads: features, and beside them all that is no feature."""

import numpy as np
import pandas as pd

from seedbed.config.extensions import place_of
from seedbed.config.features import KINDS, plan_features
from seedbed.config.modelling import Problem
from seedbed.config.preparation import Features, Split
from seedbed.data.features import (
    compute_features,
    feature_makers,
    kinds_of_text,
    make_features,
    make_target,
)
from seedbed.data.roles import Columns, row_key, target_column, time_column
from seedbed.data.splits import assign_clusters, assign_folds, assign_splits
from seedbed.data.tables import CLUSTER, FOLD, ROW, SLICE, SPLIT, TARGET, TEXT_KINDS, TIME
from seedbed.errors import CodeError

ALONE = 20
"""How many rows are made again, each alone, to see that a feature is a function of its own row."""


def build_training_table(
    clean: pd.DataFrame, columns: Columns, problem: Problem, features: Features, split: Split
) -> pd.DataFrame:
    """Return the features of cleaned rows with key, split, fold, cluster, target, time and slices.

    Returns
    -------
    DataFrame, shape (n_rows, n_features + n_meta)
        Sorted by time, where there is one, key and target. Its `attrs` say which features are free
        text or images, where there are any: nothing else tells them from categories.
    """
    table = compute_features(clean, columns, features)
    _refuse_other_rows(clean, columns, features, table)
    table[ROW] = row_key(clean, columns)
    target = make_target(clean[target_column(columns)], problem)
    table[SPLIT] = assign_splits(clean, columns, split, target)
    train = table[SPLIT] == "train"
    folds = assign_folds(clean[train], columns, split, target[train])
    table[FOLD] = folds.reindex(clean.index, fill_value=-1).astype("int8")
    table[CLUSTER] = assign_clusters(clean, columns, split, table[SPLIT])
    table[TARGET] = target
    for name in problem.slices:
        table[f"{SLICE}{name}"] = clean[name].astype("str")
    order = [ROW, TARGET]
    if time := time_column(columns):
        table[TIME] = clean[time]
        order = [TIME, *order]
    table = table.sort_values(order, ignore_index=True)
    if kinds := kinds_of_text(columns, features):
        table.attrs[TEXT_KINDS] = kinds
    return table


def _refuse_other_rows(
    frame: pd.DataFrame, columns: Columns, features: Features, made: pd.DataFrame
) -> None:
    """Refuse a feature of the project's own that is no function of its own row.

    A prediction would depend on the rows that it is asked with, and be measured with what is known
    of test rows. Some rows are made again, each alone.

    Parameters
    ----------
    made : DataFrame, shape (n_rows, n_features)
        What :func:`compute_features` gave for all rows of `frame`.

    Raises CodeError if a feature has another value then.
    """
    plan, makers = plan_features(columns, features), feature_makers(columns, features)
    own = {name: makers[name] for name in plan if plan[name].kind in KINDS.all()}
    if not own or frame.empty:
        return
    for place in np.unique(np.linspace(0, len(frame) - 1, ALONE).astype(int)):
        alone = make_features(frame.iloc[[place]], own)
        for name in own:
            value, among = alone[name].iloc[0], made[name].iloc[place]
            both = pd.isna(value) and pd.isna(among)
            number = isinstance(value, float) and isinstance(among, float)
            if not (both or value == among or (number and np.isclose(value, among, rtol=1e-9))):
                kind = plan[name].kind
                where = place_of(KINDS.all()[kind].compute)
                raise CodeError(
                    f"{where}: the feature {name} of a row is {among} among all {len(frame):,} "
                    f"rows and {value} alone, so a prediction would depend on the rows that it is "
                    f"asked with. Let {kind} use its own row alone; what is learned of many rows "
                    "is a part of the model."
                )
