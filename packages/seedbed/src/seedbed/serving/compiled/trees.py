"""Boosted trees and forests for one row: the sums that scikit-learn makes, in its order."""

from collections.abc import Callable
from math import inf, isnan
from typing import Any

import numpy as np

from seedbed.data.one_value import LARGEST
from seedbed.serving.compiled.exceptions import UnusualRowError
from seedbed.serving.compiled.numbers import Numbers

Predict = Callable[[Numbers], Numbers]
Node = tuple[int, float, Any, Any] | float
"""A leaf's value; or which number is compared with what, and the nodes for at most and for more."""
Directions = dict[int, list[tuple[dict[float, float], float]]]
"""By categorical column, for each node that compares it: 0 or 1 as a code goes to the left or to
the right, and where a missing or unknown one goes."""


def compile_boosting(estimator: Any) -> Predict:
    """Return the function that gives the raw predictions of histogram gradient boosting.

    It starts from the baseline and adds tree by tree, as scikit-learn does.

    A row is made longer, so that each node makes one comparison: by all numbers again with -inf for
    missing ones, for nodes that send these to the left; and by 0 or 1 for each node that compares a
    category.
    """
    width = int(estimator.n_features_in_)
    codes = category_codes(estimator)
    # Its own preprocessing puts the categories first.
    order = [*codes, *(place for place in range(width) if place not in codes)]
    directions: Directions = {place: [] for place in codes}
    known = estimator._bin_mapper.make_known_categories_bitsets()
    iterations = [
        [_read_tree(tree, order, codes, known, directions) for tree in trees]
        for trees in estimator._predictors
    ]
    starts, tables, end = {}, [], 2 * width
    for place, nodes in directions.items():
        starts[place] = end
        end += len(nodes)
        by_code = {code: [direction[code] for direction, _ in nodes] for code in codes[place]}
        tables.append((place, by_code, [elsewhere for _, elsewhere in nodes]))
    placed = [[_place(tree, width, starts) for tree in trees] for trees in iterations]
    baseline = estimator._baseline_prediction.ravel().tolist()
    columns = [(start, [trees[k] for trees in placed]) for k, start in enumerate(baseline)]

    def predict(row: Numbers) -> Numbers:
        longer = [*row, *[-inf if isnan(value) else value for value in row]]
        for place, by_code, elsewhere in tables:
            longer += by_code.get(row[place], elsewhere)
        return [_add_up(start, trees, longer) for start, trees in columns]

    return predict


def _add_up(total: float, trees: list[Node], row: Numbers) -> float:
    for tree in trees:
        node: Any = tree
        while node.__class__ is tuple:
            place, threshold, left, right = node
            node = left if row[place] <= threshold else right
        total += node
    return total


def category_codes(estimator: Any) -> dict[int, dict[float, int]]:
    """Return by the place of each categorical column which bit stands for which code."""
    if estimator.is_categorical_ is None:
        return {}
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    places = np.flatnonzero(estimator.is_categorical_).tolist()
    return {
        place: {float(code): bit for bit, code in enumerate(known) if not isnan(code)}
        for place, known in zip(places, encoder.categories_, strict=True)
    }


def _read_tree(
    tree: Any,
    order: list[int],
    codes: dict[int, dict[float, int]],
    known: tuple[Any, Any],
    directions: Directions,
) -> Any:
    """Return the nodes of a tree nested; which number a node compares is found by :func:`_place`.

    Source: `_predict_one_from_raw_data` of scikit-learn, whose fields these are.
    """
    fields = {name: tree.nodes[name].tolist() for name in tree.nodes.dtype.names}

    def read(at: int) -> Any:
        if fields["is_leaf"][at]:
            return fields["value"][at]
        branches = read(fields["left"][at]), read(fields["right"][at])
        column, missing_left = fields["feature_idx"][at], bool(fields["missing_go_to_left"][at])
        place = order[column]
        if not fields["is_categorical"][at]:
            return (place, missing_left), fields["num_threshold"][at], *branches
        left = tree.raw_left_cat_bitsets[fields["bitset_idx"][at]]
        seen = known[0][known[1][column]]
        elsewhere = 0.0 if missing_left else 1.0
        direction = {
            code: 0.0 if _has(left, bit) else 1.0 if _has(seen, bit) else elsewhere
            for code, bit in codes[place].items()
        }
        directions[place].append((direction, elsewhere))
        return (place, len(directions[place])), 0.5, *branches

    return read(0)


def _has(bits: Any, bit: int) -> bool:
    return bool((int(bits[bit // 32]) >> (bit % 32)) & 1)


def _place(node: Any, width: int, starts: dict[int, int]) -> Node:
    """Return a tree whose nodes know which number of the longer row they compare."""
    if not isinstance(node, tuple):
        return float(node)
    (place, number), threshold, left, right = node
    where = starts[place] + number - 1 if place in starts else place + width * number
    return where, threshold, _place(left, width, starts), _place(right, width, starts)


def compile_forest(estimator: Any) -> Predict:
    """Return the function that gives the mean of a forest's trees, as scikit-learn adds them up."""
    trees = [tree.tree_ for tree in estimator.estimators_]
    count = trees[0].value.shape[2]
    leaves = [
        (tree.apply, [memoryview(tree.value[:, 0, k]) for k in range(count)]) for tree in trees
    ]

    def predict(row: Numbers) -> Numbers:
        numbers = np.array([row])
        if np.isnan(numbers).any():
            raise UnusualRowError  # whether that is possible depends on how scikit-learn was fitted
        single = np.clip(numbers, -LARGEST, LARGEST).astype(np.float32)
        found = [0.0] * count
        for apply, values in leaves:
            leaf = int(apply(single)[0])
            for k, value in enumerate(values):
                found[k] += value[leaf]
        return [total / len(leaves) for total in found]

    return predict
