"""Boosted trees and forests for one row: the sums that scikit-learn makes, in its order."""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from seedbed.serving.compiled.exceptions import UnusualRowError

Numbers = list[float]
Predict = Callable[[Numbers], Numbers]
Node = tuple[int, float, Any, Any] | float
"""A leaf's value, or which number is compared with what, and the nodes for at most and for more."""


def compile_boosting(estimator: Any) -> Predict:
    """Return the function that gives the raw predictions of histogram gradient boosting.

    It starts from the baseline and adds tree by tree, as `_raw_predict` does for a column of rows.

    A row is made longer, so that each node does one comparison: by all numbers again with -inf for
    missing ones, for nodes that send these to the left, and by 0 or 1 for each node that compares
    a category, as its category goes to the left or to the right.
    """
    width = int(estimator.n_features_in_)
    codes = _category_codes(estimator, width)
    order = [*codes, *(place for place in range(width) if place not in codes)]
    known, places_of_known = estimator._bin_mapper.make_known_categories_bitsets()
    sides: dict[int, list[dict[float, float]]] = {place: [] for place in codes}
    missing_sides: dict[int, list[float]] = {place: [] for place in codes}

    def build(nodes: Any, left_sets: Any, at: int) -> Node:
        node = nodes[at]
        if node["is_leaf"]:
            return float(node["value"])
        branches = (
            build(nodes, left_sets, node["left"]),
            build(nodes, left_sets, node["right"]),
        )
        column, missing_left = int(node["feature_idx"]), bool(node["missing_go_to_left"])
        place = order[column]
        if not node["is_categorical"]:
            return place + missing_left * width, float(node["num_threshold"]), *branches
        elsewhere = 0.0 if missing_left else 1.0
        left, seen = left_sets[node["bitset_idx"]], known[places_of_known[column]]
        goes = {
            code: 0.0 if _has(left, bit) else 1.0 if _has(seen, bit) else elsewhere
            for code, bit in codes[place].items()
        }
        sides[place].append(goes)
        missing_sides[place].append(elsewhere)
        return (place, len(sides[place]) - 1), 0.5, *branches

    trees = [
        [build(tree.nodes, tree.raw_left_cat_bitsets, 0) for tree in iteration]
        for iteration in estimator._predictors
    ]
    starts, tables = {}, []
    end = 2 * width
    for place, goes in sides.items():
        starts[place] = end
        end += len(goes)
        by_code = {code: [side[code] for side in goes] for code in codes[place]}
        tables.append((place, by_code, missing_sides[place]))
    trees = [[_placed(tree, starts) for tree in iteration] for iteration in trees]
    baseline = estimator._baseline_prediction.ravel().tolist()
    columns = [(start, [iteration[k] for iteration in trees]) for k, start in enumerate(baseline)]

    def predict(row: Numbers) -> Numbers:
        longer = [*row, *[-inf if value != value else value for value in row]]
        for place, by_code, elsewhere in tables:
            longer += by_code.get(row[place], elsewhere)
        found = []
        for total, column in columns:
            for node in column:
                while node.__class__ is tuple:
                    place, threshold, left, right = node
                    node = left if longer[place] <= threshold else right
                total += node
            found.append(total)
        return found

    return predict


def _category_codes(estimator: Any, width: int) -> dict[int, dict[float, int]]:
    """Return by the place of each categorical column which bit stands for which code."""
    if estimator.is_categorical_ is None:
        return {}
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    places = np.arange(width)[estimator.is_categorical_].tolist()
    return {
        place: {float(code): bit for bit, code in enumerate(known) if code == code}
        for place, known in zip(places, encoder.categories_, strict=True)
    }


def _has(bits: Any, bit: int) -> bool:
    return bool((int(bits[bit // 32]) >> (bit % 32)) & 1)


def _placed(node: Any, starts: dict[int, int]) -> Node:
    """Return a tree whose categorical nodes know where their sides stand in the longer row."""
    if not isinstance(node, tuple):
        return float(node)
    place, threshold, left, right = node
    if isinstance(place, tuple):
        place = starts[place[0]] + place[1]
    return place, threshold, _placed(left, starts), _placed(right, starts)


def compile_forest(estimator: Any) -> Predict:
    """Return the function that gives the mean of a forest's trees, as scikit-learn adds them up."""
    trees = [tree.tree_ for tree in estimator.estimators_]
    count = trees[0].value.shape[2]
    leaves = [
        (tree.apply, [memoryview(tree.value[:, 0, k]) for k in range(count)]) for tree in trees
    ]

    def predict(row: Numbers) -> Numbers:
        single = np.array([row], dtype=np.float64)
        if not (np.abs(single) <= LARGEST).all():
            raise UnusualRowError  # missing or infinite: scikit-learn says what it thinks of that
        single = single.astype(np.float32)
        found = [0.0] * count
        for apply, values in leaves:
            leaf = int(apply(single)[0])
            for k, value in enumerate(values):
                found[k] += value[leaf]
        return [total / len(leaves) for total in found]

    return predict


LARGEST = float(np.finfo(np.float32).max)
