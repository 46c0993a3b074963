"""Predictions of a row that do not depend, to the last bit, on the rows that it is asked with.

Matrix products are the reason for care. BLAS computes the rows at the end of a matrix, and a single
row, by other instructions than the rest, so that sums are rounded otherwise. What rests on them
gets its rows in blocks of one shape. Trees, and products of sparse rows, go row by row anyway.
"""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.config.modelling import Task
from seedbed.data.one_value import LARGEST
from seedbed.errors import CodeError
from seedbed.models.outcome import Floats

BLOCK = 256
"""Rows of a block: a multiple of what BLAS takes at once, and few enough to cost microseconds."""
WORTH_THREADS = 20_000
"""Fewer rows are predicted in one thread: OpenMP's threads cost more than they save."""
ROUNDING = 1e-6
"""By how much a probability may leave 0 to 1: a sum of float32."""
FORESTS = ("RandomForest", "ExtraTrees")
TREES = ("HistGradientBoosting", *FORESTS, "DecisionTree", "Dummy")
LINEAR = ("LogisticRegression", "LinearSVC", "LinearSVR", "Ridge")


def score_encoded(estimator: Any, rows: Any, task: Task, classes: tuple[Any, ...] = ()) -> Floats:
    """Return the scores of rows that are encoded for a pipeline's estimator already.

    Parameters
    ----------
    rows : ndarray, sparse matrix or DataFrame, shape (n_rows, n_columns)
    task : {"binary", "multiclass", "regression"}

    Returns
    -------
    ndarray
        As :func:`~seedbed.models.predicting.predict_scores` returns it.

    Raises CodeError if an estimator, which may be a project's own, gives no prediction of each row.
    """
    import joblib

    method = "predict" if task == "regression" else "predict_proba"
    with joblib.parallel_config("sequential"):  # threads of a forest add up its trees as they come
        scores = np.asarray(predict_rowwise(estimator, rows, method), dtype=np.float64)
    low, high = (-np.inf, np.inf) if task == "regression" else (-ROUNDING, 1 + ROUNDING)
    if not (fits := (low <= scores) & (scores <= high)).all():
        needed = "a number" if task == "regression" else "a probability"
        raise CodeError(
            f"{type(estimator).__name__}.{method} gives {scores[~fits][0]} for a row, where "
            f"{needed} is needed. Correct it, or choose another model."
        )
    if task == "regression":
        return scores
    if task == "binary":
        return scores[:, list(estimator.classes_).index(True)]
    full = np.zeros((len(scores), len(classes)))
    full[:, [classes.index(str(label)) for label in estimator.classes_]] = scores
    return full


def predict_rowwise(estimator: Any, rows: Any, method: str) -> NDArray:
    """Return what a fitted estimator predicts of rows, each as if it were asked alone.

    Parameters
    ----------
    estimator : estimator
        The last step of a pipeline.
    rows : ndarray, sparse matrix or DataFrame, shape (n_rows, n_columns)
        What the steps before it make of the features.
    method : {"predict_proba", "predict"}
        Which of its methods is asked.

    Returns
    -------
    ndarray, shape (n_rows, n_classes) or (n_rows,)
    """
    kind = type(estimator).__name__
    if kind in ("StackingClassifier", "StackingRegressor"):
        parts = zip(estimator.estimators_, estimator.stack_method_, strict=True)
        found = [predict_rowwise(part, rows, how) for part, how in parts]
        joined = estimator._concatenate_predictions(rows, found)
        return predict_rowwise(estimator.final_estimator_, joined, method)
    if kind == "TransformedTargetRegressor":
        inner = predict_rowwise(estimator.regressor_, rows, method).reshape(-1, 1)
        return np.ravel(estimator.transformer_.inverse_transform(inner))
    if kind.startswith(FORESTS) and isinstance(rows, np.ndarray):
        rows = np.clip(rows, -LARGEST, LARGEST)  # scaled, a huge number is infinite in float32
    predict = partial(_ask, estimator, method)
    if goes_by_row(estimator, is_sparse(rows)):
        # A sum over the classes of a single row is another loop of NumPy's than that of several.
        return predict(rows) if _length(rows) > 1 else predict(take_rows(rows, [0, 0]))[:1]
    count = _length(rows)
    places = np.arange(-(-count // BLOCK) * BLOCK).clip(max=count - 1).reshape(-1, BLOCK)
    blocks = [predict(take_rows(rows, block)) for block in places]
    return np.concatenate(blocks)[:count]


def _ask(estimator: Any, method: str, rows: Any) -> NDArray:
    """Return what an estimator predicts of rows, all at once.

    Raises CodeError if that is not a number for each row, or one for each row and class.
    """
    answers = np.asarray(getattr(estimator, method)(rows))
    needed: tuple[int, ...] = (_length(rows),)
    if method == "predict_proba":
        if not hasattr(estimator, "classes_"):
            raise CodeError(
                f"{type(estimator).__name__} has no classes_ when it is fitted: let fit set them, "
                "the labels in the order of predict_proba's columns."
            )
        needed += (len(estimator.classes_),)
    elif method == "predict" and answers.shape == (*needed, 1):
        answers = answers.ravel()
    any_width = method == "decision_function" and answers.shape[:1] == needed
    if not any_width and answers.shape != needed:
        raise CodeError(
            f"{type(estimator).__name__}.{method} gives an array of shape {answers.shape} for "
            f"{needed[0]} rows, where {needed} is needed"
            f"{', a column for each of its classes_' if len(needed) > 1 else ''}. Correct it, or "
            "choose another model."
        )
    return answers


def goes_by_row(estimator: Any, sparse: bool) -> bool:
    """Return whether an estimator computes row by row, whatever the rows are."""
    kind = type(estimator).__name__
    if kind == "CalibratedClassifierCV":
        inner = [part.estimator for part in estimator.calibrated_classifiers_]
        return all(goes_by_row(part, sparse) for part in inner)
    if not type(estimator).__module__.startswith(("sklearn.", "seedbed.")):
        return False
    return kind.startswith(TREES) or (sparse and kind in LINEAR)


def is_sparse(rows: Any) -> bool:
    """Return whether rows are a sparse matrix."""
    from scipy.sparse import issparse

    return bool(issparse(rows))


def take_rows(rows: Any, places: Any) -> Any:
    """Return some rows, in an array each of which lies in one piece."""
    if hasattr(rows, "iloc"):
        return rows.iloc[places]
    taken = rows[places]
    return np.ascontiguousarray(taken) if isinstance(taken, np.ndarray) else taken


def _length(rows: Any) -> int:
    return int(rows.shape[0])
