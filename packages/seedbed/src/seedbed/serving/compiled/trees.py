"""Boosted trees and forests for one row: the sums that scikit-learn makes, in its order."""

from collections.abc import Callable
from math import inf, isnan, nan
from typing import Any

import numpy as np

from seedbed.data.one_value import LARGEST
from seedbed.serving.compiled.exceptions import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.numbers import Numbers

Predict = Callable[[Numbers], Numbers]


def compile_boosting(estimator: Any) -> Predict:
    """Return the function that gives the raw predictions of histogram gradient boosting.

    It starts from the baseline and adds tree by tree, as scikit-learn does. Trees are written as
    conditional expressions of Python, which take half of the time of a walk from node to node.

    Raises NotCompilableError if a tree is deeper than Python's parser goes.
    """
    width = int(estimator.n_features_in_)
    codes = category_codes(estimator)
    # Its own preprocessing puts the categories first.
    order = [*codes, *(place for place in range(width) if place not in codes)]
    known = estimator._bin_mapper.make_known_categories_bitsets()
    sums = []
    for k, start in enumerate(estimator._baseline_prediction.ravel().tolist()):
        trees = [_as_python(trees[k], order, codes, known) for trees in estimator._predictors]
        sums.append((start, _adder(trees, width)))
    return lambda row: [add_up(start, *row) for start, add_up in sums]


def _adder(trees: list[str], width: int) -> Callable[..., float]:
    """Return the function that adds the trees to a first number, given it and a row."""
    row = ", ".join(f"x{place}" for place in range(width))
    added = "".join(f"    total += {tree}\n" for tree in trees)
    names: dict[str, Any] = {"inf": inf, "nan": nan}
    try:
        # Whatever a bundle holds, nothing but numbers and these names stands in it.
        exec(f"def add_up(total, {row}):\n{added}    return total\n", names)
    except (SyntaxError, RecursionError, MemoryError):
        raise NotCompilableError("trees that are deeper than Python's parser goes") from None
    found: Callable[..., float] = names["add_up"]
    return found


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


def _as_python(
    tree: Any, order: list[int], codes: dict[int, dict[float, int]], known: tuple[Any, Any]
) -> str:
    """Return a tree as an expression of x0, x1, ...

    Nothing but numbers of Python goes into it, whatever type the fields have.

    Source: `_predict_one_from_raw_data` of scikit-learn, whose fields these are.
    """
    fields = {name: tree.nodes[name].tolist() for name in tree.nodes.dtype.names}

    def goes_left(at: int) -> str:
        column, missing_left = fields["feature_idx"][at], bool(fields["missing_go_to_left"][at])
        place = order[column]
        if not fields["is_categorical"][at]:
            threshold = float(fields["num_threshold"][at])
            # A missing number is neither more than another nor at most it.
            return f"not x{place} > {threshold}" if missing_left else f"x{place} <= {threshold}"
        left = tree.raw_left_cat_bitsets[fields["bitset_idx"][at]]
        seen = known[0][known[1][column]]
        lefts = {code for code, bit in codes[place].items() if _has(left, bit)}
        rights = {code for code, bit in codes[place].items() if _has(seen, bit)} - lefts
        # A missing or unseen category is in neither.
        return f"x{place} not in {_set(rights)}" if missing_left else f"x{place} in {_set(lefts)}"

    def read(at: int) -> str:
        if fields["is_leaf"][at]:
            return repr(float(fields["value"][at]))
        left, right = (read(fields[side][at]) for side in ("left", "right"))
        return f"({left} if {goes_left(at)} else {right})"

    return read(0)


def _set(codes: set[float]) -> str:
    return f"{{{', '.join(map(repr, sorted(codes)))}}}"


def _has(bits: Any, bit: int) -> bool:
    return bool((int(bits[bit // 32]) >> (bit % 32)) & 1)


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
