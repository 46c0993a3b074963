"""Trees become Python's expressions: none that its parser cannot take, and nothing but numbers."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from seedbed.serving.compiled import NotCompilableError
from seedbed.serving.compiled.trees import compile_boosting


@pytest.fixture
def boosting() -> HistGradientBoostingRegressor:
    """One tree of three leaves."""
    rows = np.arange(100.0).reshape(-1, 1)
    return HistGradientBoostingRegressor(max_iter=1, max_leaf_nodes=3).fit(rows, rows.ravel())


def chain(like: Any, depth: int) -> Any:
    """Return a tree in which each node has a leaf of 0 on its left, and the last one 1 on its right."""
    nodes = np.zeros(2 * depth + 1, like.nodes.dtype)
    nodes["is_leaf"][1::2] = nodes["is_leaf"][-1] = nodes["value"][-1] = 1
    nodes["num_threshold"][:-1:2] = np.arange(depth)
    nodes["left"][:-1:2] = np.arange(1, 2 * depth, 2)
    nodes["right"][:-1:2] = np.arange(2, 2 * depth + 1, 2)
    return SimpleNamespace(nodes=nodes)


def test_trees_that_are_too_deep_for_the_parser_are_left_to_the_pipeline(boosting: Any) -> None:
    [[tree]] = boosting._predictors
    start = float(boosting._baseline_prediction.item())
    boosting._predictors = [[chain(tree, 150)]]
    predict = compile_boosting(boosting)
    assert [predict([value]) for value in (0.0, 149.0, 150.0, np.nan)] == [
        *([start], [start], [start + 1], [start + 1])
    ]
    boosting._predictors = [[chain(tree, 300)]]
    with pytest.raises(NotCompilableError, match="deeper than Python's parser goes"):
        compile_boosting(boosting)


@pytest.mark.parametrize("field", ["num_threshold", "value", "feature_idx"])
def test_nothing_that_a_tree_holds_is_run(boosting: Any, field: str) -> None:
    [[tree]] = boosting._predictors
    names = tree.nodes.dtype.names
    texts = tree.nodes.astype([(n, "U60" if n == field else tree.nodes.dtype[n]) for n in names])
    texts[field] = "__import__('sys').exit('this text was run')"
    boosting._predictors = [[SimpleNamespace(nodes=texts)]]
    with pytest.raises((TypeError, ValueError)):
        compile_boosting(boosting)
