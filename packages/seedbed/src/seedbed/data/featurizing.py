"""The table that training reads: features, and beside them all that is no feature, under names that begin with "_"."""

import pandas as pd

from seedbed.config.schema import Features, Problem, Split
from seedbed.data.features import compute_features, make_target
from seedbed.data.roles import Columns, row_key, time_column
from seedbed.data.splits import assign_clusters, assign_folds, assign_splits


def build_training_table(
    clean: pd.DataFrame, columns: Columns, problem: Problem, features: Features, split: Split
) -> pd.DataFrame:
    """Return the features of cleaned rows with key, side, fold, cluster, target, time and slices.

    Returns
    -------
    DataFrame, shape (n_rows, n_features + n_meta)
        Sorted by time, where there is one, key and target. `_split` is train, validation or test; `_fold` is -1 except in
        train rows; rows of one `_cluster` are alike; `_target` is bool, str or float64 by task; `_slice_<name>` is str.
    """
    target = problem.target
    table = compute_features(clean, columns, features)
    table["_row"] = row_key(clean, columns)
    table["_split"] = assign_splits(clean, columns, split)
    train = clean[table["_split"] == "train"]
    table["_fold"] = (
        assign_folds(train, columns, split).reindex(clean.index, fill_value=-1).astype("int8")
    )
    table["_cluster"] = assign_clusters(clean, columns, split, table["_split"])
    table["_target"] = make_target(
        clean, problem.task, target.column, target.above, problem.positive
    )
    for name in problem.slices:
        table[f"_slice_{name}"] = clean[name].astype("str")
    order = ["_row", "_target"]
    if time := time_column(columns):
        table["_time"] = clean[time]
        order = ["_time", *order]
    return table.sort_values(order, ignore_index=True)
