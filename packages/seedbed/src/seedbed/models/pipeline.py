"""The ONE pipeline of a model: imputing, scaling, encoding, estimator, refitted in each fold."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.config.modelling import Model, Preprocessing, Task
from seedbed.config.preparation import Features
from seedbed.errors import UserError, one_line
from seedbed.models.decision import Kind
from seedbed.models.estimator import (
    build_estimator,
    drop_fitting_state,
    inner_folds,
    innermost,
)

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PARTS: dict[Kind, str] = {
    "category": "categories",
    "high_cardinality": "high_cardinality",
    "number": "numbers",
    "text": "texts",
    "image": "images",
}
"""What the part of a pipeline is called that encodes the features of a kind."""
NATIVE_CATEGORIES = 254
"""Categories that histogram gradient boosting can hold: 255 bins, one of them for rare ones."""


def build_pipeline(
    model: Model,
    task: Task,
    kinds: dict[str, Kind],
    seed: int,
    split_kind: str = "random",
    folds: NDArray | None = None,
    features: Features | None = None,
) -> "Pipeline":
    """Return the unfitted pipeline: a ColumnTransformer, a selection if chosen, the estimator.

    Parameters
    ----------
    task : {"binary", "multiclass", "regression"}
    kinds : dict
        Kind of each feature, as :func:`~seedbed.models.features.feature_kinds` gives it.
    split_kind : {"time", "random", "stratified", "group"}
    folds : ndarray, shape (n_rows,), optional
        See :func:`~seedbed.models.estimator.build_estimator`.
    features : Features, optional
        What is learned of the train rows before the estimator sees them.

    Raises UserError if the estimator cannot do what was chosen.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    from seedbed.models.encoders import ImageEncoder
    from seedbed.models.preprocessing import ColumnSelector

    features, preprocessing = features or Features(), model.preprocessing
    estimator = build_estimator(model, task, seed, split_kind, folds)
    names: dict[Kind, list[str]] = {}
    for name, kind in kinds.items():
        names.setdefault(kind, []).append(name)
    native = len(names.get("category", [])) if preprocessing.categories == "native" else 0
    if preprocessing.categories == "native":
        _mark_categories(estimator, native, model)
    steps: dict[Kind, Callable[[], Any]] = {
        # First, so that their positions do not depend on how many columns the others become.
        "category": lambda: _encoder(preprocessing, estimator),
        "high_cardinality": lambda: _target_encoder(
            preprocessing, task, inner_folds(task, seed, split_kind, folds)
        ),
        "number": lambda: _number_steps(preprocessing, features),
        "text": lambda: _text_encoder(features, model, estimator, seed),
        "image": lambda: ImageEncoder(features.image.components),
    }
    parts = [(PARTS[kind], make(), names[kind]) for kind, make in steps.items() if kind in names]
    selection = []
    if features.selection is not None:
        chosen = ColumnSelector(features.selection, features.selected, task, native, seed)
        selection.append(("selection", chosen))
    return Pipeline([("columns", ColumnTransformer(parts)), *selection, ("estimator", estimator)])


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

    Raises UserError if scikit-learn refuses the arguments or the data.
    """
    empty = features.columns[features.isna().all()]
    if len(empty):
        # Boosting of scikit-learn 1.9 cannot bin a column without a value; one value tells as much.
        zero = {name: "" if features[name].dtype == "str" else 0.0 for name in empty}
        features = features.fillna(zero)
    try:
        pipeline.fit(features, target)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"conf/model/{name}.yaml: fitting on {len(features)} rows failed. {one_line(error)} "
            "Correct it there, or model.arguments where an override set it."
        ) from error
    drop_fitting_state(pipeline)
    return pipeline


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


def _target_encoder(preprocessing: Preprocessing, task: Task, folds: Any) -> Any:
    """Return the encoder by the mean target, cross-fitted on train rows.

    Source: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical
    attributes, doi:10.1145/507533.507538.
    """
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler, TargetEncoder

    kind = "continuous" if task == "regression" else task
    encoder = TargetEncoder(target_type=kind, cv=folds)
    return make_pipeline(encoder, StandardScaler()) if preprocessing.scale else encoder


def _text_encoder(features: Features, model: Model, estimator: Any, seed: int) -> Any:
    from sklearn.utils import get_tags

    from seedbed.models.encoders import TextEncoder

    text = features.text
    if text.components is None and not get_tags(estimator).input_tags.sparse:
        raise UserError(
            "features.text.components: null gives a sparse matrix of all n-grams, and "
            f"{type(innermost(estimator)).__name__} (model {model.name}) takes none. Set it to a "
            "number, such as 30, or choose -S model=logistic_regression."
        )
    return TextEncoder(text.analyzer, text.weights, text.components, seed)


def _number_steps(preprocessing: Preprocessing, features: Features) -> Any:
    from sklearn.impute import MissingIndicator, SimpleImputer
    from sklearn.pipeline import FeatureUnion, make_pipeline
    from sklearn.preprocessing import StandardScaler

    from seedbed.models.preprocessing import QuantileClipper

    steps: list[Any] = []
    if features.clip is not None:
        steps.append(QuantileClipper(*features.clip))
    if features.missing_indicators and not preprocessing.impute:  # imputing adds them anyway
        indicator = MissingIndicator(error_on_new=False)
        steps.append(FeatureUnion([("values", "passthrough"), ("missing", indicator)]))
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
