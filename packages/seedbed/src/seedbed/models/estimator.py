"""The estimator that conf/model names, seeded, weighted and calibrated as chosen."""

import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.config.modelling import Model, Task
from seedbed.config.params import check_targets
from seedbed.config.project import project_module, read_settings
from seedbed.data.splits import AT_RANDOM
from seedbed.errors import UserError, did_you_mean, one_line

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sklearn.base import BaseEstimator

INNER_FOLDS = 3
"""Folds inside one fit: those of calibration and of stacking."""


def build_estimator(
    model: Model, task: Task, seed: int, split_kind: str, folds: "NDArray | None" = None
) -> "BaseEstimator":
    """Return the unfitted estimator for the task, calibration around it.

    Parameters
    ----------
    model : Model
        `classification` or `regression` is taken by the task; `arguments` are added to it.
    seed : int
        Goes to every `random_state` that conf/model leaves open, of nested estimators too.
    split_kind : {"time", "random", "stratified", "group"}
        Calibration and stacking keep groups together, as the split does; see :func:`inner_folds`.
    folds : ndarray, shape (n_rows,), optional
        Fold numbers of the rows that will be fitted, which keep groups together.

    Raises UserError if the estimator cannot be made, or cannot do what was chosen.
    """
    project_module("models")  # an edit of it makes the stages stale that build estimators
    spec = model.regression if task == "regression" else model.classification
    estimator = _instantiate({**spec, **model.arguments}, model.name)
    parameters = estimator.get_params(deep=True)
    seeds = {
        name: seed
        for name, value in parameters.items()
        if name.split("__")[-1] == "random_state" and value is None
    }
    estimator.set_params(**seeds)
    if model.class_weight is not None:
        _weigh_classes(estimator, model, task)
    inner = inner_folds(task, seed, split_kind, folds)
    if "cv" in parameters and parameters["cv"] is None:
        estimator.set_params(cv=inner)
    if task == "regression":
        return _with_transformed_target(estimator, model, seed)
    if model.target_transform is not None:
        raise UserError(
            f"model.target_transform: {model.target_transform!r} has no meaning where classes are "
            "predicted. Set it to null."
        )
    if not hasattr(estimator, "predict_proba") and not hasattr(estimator, "decision_function"):
        raise UserError(
            f"conf/model/{model.name}.yaml: {type(estimator).__name__} has neither predict_proba "
            "nor decision_function, so it scores no class. Name a classifier there."
        )
    if model.calibration is not None or not hasattr(estimator, "predict_proba"):
        from sklearn.calibration import CalibratedClassifierCV

        # ensemble=False fits one estimator on all rows, calibrated on scores of unseen rows.
        return CalibratedClassifierCV(
            estimator, method=model.calibration or "sigmoid", cv=inner, ensemble=False
        )
    return estimator


def inner_folds(task: Task, seed: int, split_kind: str, folds: "NDArray | None") -> Any:
    """Return how calibration and stacking fold the rows of one fit.

    Whole groups take turns in a split by groups, shuffled rows in one at random, unshuffled
    stretches in one by time. Those of time do not chain forward: scores are needed of every row,
    and the first stretch has none before it. So a stretch is also scored by a model of later ones;
    the folds of cross-validation and the parts of the split never are.
    """
    from sklearn.model_selection import KFold, PredefinedSplit, StratifiedKFold

    if split_kind == "group" and folds is not None and len(set(folds.tolist())) > 1:
        return PredefinedSplit(folds)
    shuffled = {"shuffle": True, "random_state": seed} if split_kind in AT_RANDOM else {}
    return (KFold if task == "regression" else StratifiedKFold)(INNER_FOLDS, **shuffled)


def drop_fitting_state(fitted: Any, owners: tuple[str, ...] | None = None) -> None:
    """Drop from a fitted estimator, and all in it, what only fitting needed.

    That is the inner folds, which can hold a number per train row, and how many threads binned the
    values.
    """
    owners = owners or read_settings(Path()).target_prefixes
    if isinstance(fitted, list | tuple):
        for part in fitted:
            drop_fitting_state(part, owners)
    if (
        isinstance(fitted, type)
        or not hasattr(fitted, "__dict__")
        or not f"{type(fitted).__module__}.".startswith(owners)
    ):
        return
    if hasattr(fitted, "get_params") and "cv" in fitted.get_params(deep=False):
        fitted.set_params(cv=None)
    if hasattr(fitted, "n_threads"):
        fitted.n_threads = 1
    for part in vars(fitted).values():
        drop_fitting_state(part, owners)


def innermost(estimator: "BaseEstimator") -> "BaseEstimator":
    """Return the estimator inside of calibration and target scaling."""
    for wrapper, inner in (
        ("CalibratedClassifierCV", "estimator"),
        ("TransformedTargetRegressor", "regressor"),
    ):
        if type(estimator).__name__ == wrapper:
            return innermost(getattr(estimator, inner))
    return estimator


def _instantiate(spec: dict[str, Any], name: str) -> "BaseEstimator":
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    check_targets("model", spec, Path(), lambda key: f"conf/model/{name}.yaml")
    try:
        estimator = instantiate(spec, _convert_="all")
    except InstantiationException as error:
        raise UserError(
            f"conf/model/{name}.yaml: the estimator cannot be made. {_why(error, spec)} Correct it "
            "there, or model.arguments where an override set it."
        ) from None
    if not hasattr(estimator, "fit") or not hasattr(estimator, "get_params"):
        raise UserError(
            f"conf/model/{name}.yaml: {spec['_target_']} is not a scikit-learn estimator."
        )
    return estimator


def _why(error: Exception, spec: dict[str, Any]) -> str:
    """Return why an estimator cannot be made, with the argument that was probably meant."""
    from hydra.utils import get_object

    text = one_line(error).rstrip(".")
    if located := re.search(r"Error locating target '([^']+)'", text):
        return _why_not_there(located[1])
    called = get_object(spec["_target_"])
    pattern = r"(\w+)(?:\.__init__)?\(\) got an unexpected keyword argument '(\w+)'"
    found = re.search(pattern, text)
    # An estimator inside of this one may have been called.
    if not found or "full_key:" in text or found[1] != called.__name__ or found[2] not in spec:
        return f"{text}."
    known = inspect.signature(called).parameters
    return f"{found[1]} has no argument {found[2]}{did_you_mean(found[2], known)}."


def _why_not_there(target: str) -> str:
    """Return why there is no such class, with the one that was probably meant."""
    module, _, name = target.rpartition(".")
    try:
        found = importlib.import_module(module)
    except ImportError as error:
        return (
            f"There is no {target}: {one_line(error)}. If a package is missing, add it to "
            "pyproject.toml and run `make lock setup`."
        )
    return f"{module} has no {name}{did_you_mean(name, dir(found))}."


def _weigh_classes(estimator: "BaseEstimator", model: Model, task: Task) -> None:
    if task == "regression":
        raise UserError(
            f"model.class_weight: {model.class_weight!r} has no meaning in a regression. "
            "Set it to null."
        )
    if "class_weight" not in estimator.get_params(deep=False):
        raise UserError(
            f"model.class_weight: {type(estimator).__name__} (model {model.name}) takes no class "
            "weights. Set it to null, or choose logistic_regression, linear_svm, random_forest or "
            "hist_gradient_boosting."
        )
    estimator.set_params(class_weight=model.class_weight)


def _with_transformed_target(
    estimator: "BaseEstimator", model: Model, seed: int
) -> "BaseEstimator":
    if model.calibration is not None:
        raise UserError(
            f"model.calibration: {model.calibration!r} has no meaning in a regression. "
            "Set it to null."
        )
    if not model.preprocessing.scale and model.target_transform is None:
        return estimator
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    from seedbed.models.preprocessing import LogTarget

    steps: list[Any] = []
    if model.target_transform == "log":
        steps.append(LogTarget())
    elif model.target_transform == "quantile":
        steps.append(QuantileTransformer(output_distribution="normal", random_state=seed))
    if model.preprocessing.scale:
        # What needs scaled features (penalties, gradient steps) needs a scaled target just as much.
        steps.append(StandardScaler())
    transformer = steps[0] if len(steps) == 1 else make_pipeline(*steps)
    exact = model.target_transform is None  # of ties the quantiles cannot be inverted exactly
    return TransformedTargetRegressor(estimator, transformer=transformer, check_inverse=exact)
