"""The encoders for many rows: each distinct category is encoded once, and taken by its code."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Task
from seedbed.models.outcome import Floats
from seedbed.models.parallel import one_blas_thread
from seedbed.models.rowwise import WORTH_THREADS, score_encoded
from seedbed.serving.compiled.encoders import CategoryTable, NumberPart, Steps
from seedbed.serving.compiled.trees import category_codes

Encode = Callable[[pd.DataFrame], Any]


def compile_scores(
    steps: Steps, estimator: Any, task: Task, classes: tuple[Any, ...]
) -> Callable[[pd.DataFrame], Floats]:
    """Return the function that scores features as predict_scores does, faster.

    Parameters
    ----------
    estimator : estimator
        The last step of the pipeline.
    task : {"binary", "multiclass", "regression"}

    Returns
    -------
    function
        Of features in a DataFrame, shape (n_rows, n_features), numbers as float64 and categories
        as str; it returns what :func:`~seedbed.models.predicting.predict_scores` returns.
    """
    encode = _sparse_encoder(steps) if steps.sparse else _dense_encoder(steps)
    asked = _without_checks(estimator)

    def score(features: pd.DataFrame) -> Floats:
        with one_blas_thread(openmp=None):
            return score_encoded(asked, encode(features), task, classes)

    return score


def _dense_encoder(steps: Steps) -> Encode:
    def encode(features: pd.DataFrame) -> NDArray[np.float64]:
        encoded = np.empty((len(features), steps.width), order="F")
        for table in steps.tables:
            columns = slice(table.start, table.start + table.width)
            codes, distinct = pd.factorize(features[table.name], use_na_sentinel=True)
            encoded[:, columns] = _of_values(table, distinct)[codes]
        for part in steps.numbers:
            encoded[:, part.start : part.start + part.width] = _numbers(part, features)
        return encoded if steps.kept is None else encoded[:, steps.kept]

    return encode


def _sparse_encoder(steps: Steps) -> Encode:
    from scipy import sparse

    def encode(features: pd.DataFrame) -> Any:
        blocks: list[tuple[int, Any]] = []
        for table in steps.tables:
            codes, distinct = pd.factorize(features[table.name], use_na_sentinel=True)
            blocks.append((table.start, _sparse_of_values(table, distinct)[codes]))
        for part in steps.numbers:
            blocks.append((part.start, sparse.csr_matrix(_numbers(part, features))))
        blocks.sort(key=lambda block: block[0])
        encoded = sparse.hstack([block for _, block in blocks], format="csr")
        return encoded if steps.kept is None else encoded[:, steps.kept]

    return encode


def _of_values(table: CategoryTable, values: Any) -> NDArray[np.float64]:
    """Return what each value becomes, and in the last row, that of code -1, a missing one."""
    found = np.zeros((len(values) + 1, table.width))
    for row, value in enumerate([*values, None]):
        for place, number in table.entries.get(value, table.unseen):
            found[row, place - table.start] = number
    return found


def _sparse_of_values(table: CategoryTable, values: Any) -> Any:
    from scipy.sparse import csr_matrix

    rows = [table.entries.get(value, table.unseen) for value in [*values, None]]
    places = [place - table.start for row in rows for place, _ in row]
    numbers = [number for row in rows for _, number in row]
    ends = np.cumsum([0, *(len(row) for row in rows)])
    return csr_matrix((numbers, places, ends), shape=(len(rows), table.width))


def _numbers(part: NumberPart, features: pd.DataFrame) -> Any:
    return np.asarray(part.part.transform(features[part.names]))


class HistGradientBoostingUnchecked:
    """Histogram gradient boosting that is spared the check and the copy of its rows."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self.classes_ = getattr(estimator, "classes_", None)

    def predict_proba(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._estimator._loss.predict_proba(self._raw(rows))
        return found

    def predict(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = self._estimator._loss.link.inverse(self._raw(rows).ravel())
        return found

    def _raw(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        from sklearn.utils._openmp_helpers import _openmp_effective_n_threads

        estimator = self._estimator
        shape = (len(rows), estimator.n_trees_per_iteration_)
        found = np.zeros(shape, dtype=estimator._baseline_prediction.dtype, order="F")
        found += estimator._baseline_prediction
        threads = _openmp_effective_n_threads() if len(rows) >= WORTH_THREADS else 1
        estimator._predict_iterations(rows, estimator._predictors, found, False, threads)
        return found


def _without_checks(estimator: Any) -> Any:
    """Return what predicts the same of encoded rows, if they are coded as the estimator does it."""
    if not type(estimator).__name__.startswith("HistGradientBoosting"):
        return estimator
    codes = category_codes(estimator)
    same = all(code == bit for bits in codes.values() for code, bit in bits.items())
    return (
        HistGradientBoostingUnchecked(estimator)
        if same and list(codes) == list(range(len(codes)))
        else estimator
    )
