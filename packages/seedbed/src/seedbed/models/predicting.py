"""What a fitted pipeline says of rows. It is apart from what builds one: serving needs no more."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from seedbed.config.modelling import Task
from seedbed.models.outcome import Floats
from seedbed.models.parallel import one_blas_thread
from seedbed.models.rowwise import WORTH_THREADS, score_encoded

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def predict_scores(
    pipeline: "Pipeline", features: pd.DataFrame, task: Task, classes: tuple[Any, ...] = ()
) -> Floats:
    """Return a fitted pipeline's scores of rows, each the same whatever the other rows are.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
    classes : tuple
        All classes there are; one that the pipeline has not seen (a fold may lack it) gets
        probability 0.

    Returns
    -------
    ndarray
        Shape (n_rows,): probability of the positive class, or the prediction of a regression;
        shape (n_rows, n_classes) when multiclass.
    """
    steps, estimator = pipeline[:-1], pipeline[-1]
    with one_blas_thread(openmp=None if len(features) >= WORTH_THREADS else 1):
        encoded = steps.transform(features) if len(steps) else features
        return score_encoded(estimator, encoded, task, classes)
