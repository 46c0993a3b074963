"""The table that training reads: features, and beside them all that is no feature."""

import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.config.preparation import Features, Split
from seedbed.data.features import (
    compute_features,
    kinds_of_text,
    make_target,
    refuse_other_rows,
)
from seedbed.data.roles import Columns, row_key, target_column, time_column
from seedbed.data.splits import assign_clusters, assign_folds, assign_splits
from seedbed.data.tables import CLUSTER, FOLD, KINDS, ROW, SLICE, SPLIT, TARGET, TIME


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
    refuse_other_rows(clean, columns, features, table)
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
        table.attrs[KINDS] = kinds
    return table
