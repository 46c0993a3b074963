"""Linear models and networks for one row: sparse rows by their own sums, dense ones by NumPy."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.models.parallel import one_blas_thread
from seedbed.models.rowwise import BLOCK
from seedbed.serving.compiled.numbers import Numbers

Product = Callable[[Numbers], NDArray[np.float64]]


def compile_linear(estimator: Any, sparse: bool) -> Callable[[Numbers], NDArray[np.float64]]:
    """Return the function that gives a row's decision values, shape (n_values,)."""
    coefficients = estimator.coef_.T if estimator.coef_.ndim == 2 else estimator.coef_
    product = (_sparse_product if sparse else _dense_product)(coefficients)
    intercept = estimator.intercept_
    return lambda row: np.atleast_1d(product(row) + intercept)


def compile_network(estimator: Any, sparse: bool) -> Callable[[Numbers], NDArray[np.float64]]:
    """Return the function that gives a network's last activations, shape (1, n_outputs)."""
    from sklearn.neural_network._base import ACTIVATIONS

    hidden, last = ACTIVATIONS[estimator.activation], ACTIVATIONS[estimator.out_activation_]
    first = (_sparse_product if sparse else _dense_product)(estimator.coefs_[0])
    layers = list(zip(estimator.coefs_[1:], estimator.intercepts_[1:], strict=True))

    def predict(row: Numbers) -> NDArray[np.float64]:
        activation = (first(row) + estimator.intercepts_[0]).reshape(1, -1)
        for weights, intercepts in layers:
            hidden(activation)
            activation = _in_block(activation, weights) + intercepts
        last(activation)
        return activation

    return predict


def _sparse_product(coefficients: NDArray[np.float64]) -> Product:
    """Return the product of a row with coefficients that adds up as SciPy does, from the left.

    Source: csr_matvec and csr_matvecs in scipy/sparse/sparsetools/csr.h.
    """
    if coefficients.ndim == 2 and coefficients.shape[1] > 1:

        def multiply(row: Numbers) -> NDArray[np.float64]:
            total = np.zeros(coefficients.shape[1])
            for place, value in enumerate(row):
                if value:
                    total += value * coefficients[place]
            return total

        return multiply
    weights = coefficients.ravel().tolist()

    def multiply_one(row: Numbers) -> NDArray[np.float64]:
        total = 0.0
        for value, weight in zip(row, weights, strict=True):
            if value:
                total += value * weight
        return np.array([total])

    return multiply_one


def _dense_product(coefficients: NDArray[np.float64]) -> Product:
    return lambda row: _in_block(np.array([row]), coefficients)[0]


def _in_block(row: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a row times a matrix as BLAS computes it in a block of rows, shape (1, k)."""
    block = np.empty((BLOCK, row.shape[1]))
    block[:] = row
    with one_blas_thread(openmp=None):
        found = block @ matrix
    return found[:1]
