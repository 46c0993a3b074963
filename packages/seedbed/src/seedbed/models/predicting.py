"""What a fitted pipeline says of rows. It is apart from what builds one: serving needs no more."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from seedbed.config.schema import Task
from seedbed.models.outcome import Floats
from seedbed.models.parallel import one_blas_thread

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline


def predict_scores(
    pipeline: "Pipeline", features: pd.DataFrame, task: Task, classes: tuple[Any, ...] = ()
) -> Floats:
    """Return a fitted pipeline's scores of rows.

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
    with one_blas_thread():  # forests add up their trees in the order of the threads
        if task == "regression":
            return np.asarray(pipeline.predict(features), dtype=np.float64)
        scores = pipeline.predict_proba(features).astype(np.float64)
    if task == "binary":
        return scores[:, list(pipeline.classes_).index(True)]
    full = np.zeros((len(features), len(classes)))
    full[:, [classes.index(str(label)) for label in pipeline.classes_]] = scores
    return full
