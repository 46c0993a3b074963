"""The ONE pipeline of a model: imputing, scaling, encoding, estimator, refitted in each fold."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.schema import Model, Preprocessing, Task
from seedbed.errors import UserError, one_line
from seedbed.models.decision import Kind
from seedbed.models.estimator import build_estimator, drop_fitting_state, innermost
from seedbed.models.outcome import Floats
from seedbed.models.parallel import one_blas_thread

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

NATIVE_CATEGORIES = 254
"""Categories that histogram gradient boosting can hold: 255 bins, one of them for rare ones."""


def build_pipeline(
    model: Model,
    task: Task,
    kinds: dict[str, Kind],
    seed: int,
    split_kind: str = "random",
    folds: NDArray | None = None,
) -> "Pipeline":
    """Return the unfitted pipeline: a ColumnTransformer, then the estimator.

    Parameters
    ----------
    model : Model
    task : {"binary", "multiclass", "regression"}
    kinds : dict
        Kind of each feature, as :func:`~seedbed.models.features.feature_kinds` gives it.
    seed : int
    split_kind : {"time", "random", "group"}
    folds : ndarray, shape (n_rows,), optional
        See :func:`~seedbed.models.estimator.build_estimator`.

    Raises
    ------
    UserError
        If the estimator cannot do what was chosen.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    estimator = build_estimator(model, task, seed, split_kind, folds)
    categories = [name for name, kind in kinds.items() if kind == "category"]
    numbers = [name for name, kind in kinds.items() if kind == "number"]
    if model.preprocessing.categories == "native":
        _mark_categories(estimator, len(categories), model)
    parts: list[tuple[str, Any, list[str]]] = []
    # Categories first, so that their positions do not depend on how many indicators imputing adds.
    if categories:
        parts.append(("categories", _encoder(model.preprocessing, estimator), categories))
    if numbers:
        parts.append(("numbers", _number_steps(model.preprocessing), numbers))
    return Pipeline([("columns", ColumnTransformer(parts)), ("estimator", estimator)])


def fit_pipeline(
    pipeline: "Pipeline", features: pd.DataFrame, target: NDArray, name: str
) -> "Pipeline":
    """Fit in place and return the pipeline.

    Parameters
    ----------
    features : DataFrame, shape (n_rows, n_features)
    target : ndarray, shape (n_rows,)
        Labels (bool or str) or numbers.
    name : str
        Of the model, for messages.

    Raises
    ------
    UserError
        If scikit-learn refuses the arguments or the data.
    """
    try:
        pipeline.fit(features, target)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"conf/model/{name}.yaml: fitting on {len(features)} rows failed. {one_line(error)}"
        ) from error
    drop_fitting_state(pipeline[-1])
    return pipeline


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
    with (
        one_blas_thread()
    ):  # forests add up their trees in the order of the threads: predict in one
        if task == "regression":
            return np.asarray(pipeline.predict(features), dtype=np.float64)
        scores = pipeline.predict_proba(features).astype(np.float64)
    if task == "binary":
        return scores[:, list(pipeline.classes_).index(True)]
    full = np.zeros((len(features), len(classes)))
    full[:, [classes.index(str(label)) for label in pipeline.classes_]] = scores
    return full


def _encoder(preprocessing: Preprocessing, estimator: Any) -> Any:
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
    from sklearn.utils import get_tags

    if preprocessing.categories == "one_hot":
        return OneHotEncoder(
            handle_unknown="infrequent_if_exist",
            min_frequency=preprocessing.min_frequency,
            sparse_output=get_tags(estimator).input_tags.sparse,
        )
    native = preprocessing.categories == "native"
    unknown = np.nan if native or not preprocessing.impute else -1
    return OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=unknown,
        encoded_missing_value=unknown,
        min_frequency=preprocessing.min_frequency,
        max_categories=min(NATIVE_CATEGORIES, _bins(estimator) - 1) if native else None,
    )


def _number_steps(preprocessing: Preprocessing) -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    steps: list[Any] = []
    if preprocessing.impute:
        steps.append(SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True))
    if preprocessing.scale:
        steps.append(StandardScaler())
    return make_pipeline(*steps) if steps else "passthrough"


def _bins(estimator: Any) -> int:
    return getattr(innermost(estimator), "max_bins", NATIVE_CATEGORIES + 1)


def _mark_categories(estimator: Any, count: int, model: Model) -> None:
    inner = innermost(estimator)
    if "categorical_features" not in inner.get_params(deep=False):
        raise UserError(
            f"model.preprocessing.categories: native is not possible with {type(inner).__name__} "
            f"(model {model.name}), which knows no categories. Choose one_hot or ordinal."
        )
    inner.set_params(categorical_features=list(range(count)) or None)
