"""Any estimator that conf/model names, for one row: by its kind, and by those it is made of."""

from collections.abc import Callable
from typing import Any

import numpy as np

from seedbed.serving.compiled.exceptions import NotCompilableError
from seedbed.serving.compiled.linear import compile_linear, compile_network
from seedbed.serving.compiled.numbers import Numbers
from seedbed.serving.compiled.trees import compile_boosting, compile_forest

Predict = Callable[[Numbers], Numbers]
CONSTANT = ("prior", "most_frequent", "constant", "uniform", "mean", "median", "quantile")
"""Strategies of dummy estimators that answer every row alike."""


def compile_estimator(estimator: Any, method: str, sparse: bool) -> Predict:
    """Return the function that gives what a method of a fitted estimator predicts of one row.

    Parameters
    ----------
    method : {"predict_proba", "decision_function", "predict"}
        `predict` is for regressions.
    sparse : bool
        Whether the Pipeline hands a sparse matrix to the estimator.

    Returns
    -------
    function
        Of an encoded row; it returns a list of one number, or of one for each class.

    Raises NotCompilableError if it names an estimator that has no compiled form.
    """
    kind = type(estimator).__name__
    if kind not in COMPILERS or not type(estimator).__module__.startswith("sklearn."):
        raise NotCompilableError(f"the estimator {kind}")
    if not hasattr(estimator, method):
        raise NotCompilableError(f"the estimator {kind} without {method}")
    return COMPILERS[kind](estimator, method, sparse)


def _boosted(estimator: Any, method: str, sparse: bool) -> Predict:
    from scipy.special import expit

    raw = compile_boosting(estimator)
    link = estimator._loss.link
    if method == "decision_function" or type(link).__name__ == "IdentityLink":
        return raw
    if method == "predict":
        return lambda row: link.inverse(np.array(raw(row))).tolist()
    if estimator.n_trees_per_iteration_ == 1:

        def predict_two(row: Numbers) -> Numbers:
            positive = float(expit(raw(row)[0]))
            return [1 - positive, positive]

        return predict_two

    def predict_all(row: Numbers) -> Numbers:
        # Two rows in Fortran's order: NumPy adds up their classes as those of many rows.
        scores = np.asfortranarray([raw(row)] * 2)
        return estimator._loss.predict_proba(scores)[0].tolist()

    return predict_all


def _linear_classifier(estimator: Any, method: str, sparse: bool) -> Predict:
    from scipy.special import expit
    from sklearn.utils.extmath import softmax

    linear = compile_linear(estimator, sparse)
    if method == "decision_function":
        return lambda row: linear(row).tolist()
    if len(estimator.classes_) > 2:
        return lambda row: softmax(linear(row).reshape(1, -1))[0].tolist()

    def predict_two(row: Numbers) -> Numbers:
        positive = float(expit(linear(row)[0]))
        return [1 - positive, positive]

    return predict_two


def _network(estimator: Any, method: str, sparse: bool) -> Predict:
    network = compile_network(estimator, sparse)
    if method == "predict" or estimator.n_outputs_ > 1:
        return lambda row: network(row)[0].tolist()

    def predict_two(row: Numbers) -> Numbers:
        positive = float(network(row)[0, 0])
        return [1 - positive, positive]

    return predict_two


def _forest(estimator: Any, method: str, sparse: bool) -> Predict:
    return compile_forest(estimator)


def _linear_regressor(estimator: Any, method: str, sparse: bool) -> Predict:
    linear = compile_linear(estimator, sparse)
    return lambda row: linear(row).tolist()


def _dummy(estimator: Any, method: str, sparse: bool) -> Predict:
    if estimator.strategy not in CONSTANT:
        raise NotCompilableError(f"a dummy estimator of strategy {estimator.strategy}")
    constant = np.ravel(getattr(estimator, method)([[0.0]])).tolist()
    return lambda row: constant


def _with_transformed_target(estimator: Any, method: str, sparse: bool) -> Predict:
    inner = compile_estimator(estimator.regressor_, method, sparse)
    back = _inverse(estimator.transformer_)
    return lambda row: [back(inner(row)[0])]


def _stacked(estimator: Any, method: str, sparse: bool) -> Predict:
    if estimator.passthrough:
        raise NotCompilableError("stacking with passthrough")
    members = [
        compile_estimator(part, how, sparse)
        for part, how in zip(estimator.estimators_, estimator.stack_method_, strict=True)
    ]
    final = compile_estimator(estimator.final_estimator_, method, sparse=False)
    two = method != "predict" and len(estimator.classes_) == 2
    starts = [int(two and how == "predict_proba") for how in estimator.stack_method_]

    def predict(row: Numbers) -> Numbers:
        found: Numbers = []
        for member, start in zip(members, starts, strict=True):
            found += member(row)[start:]
        return final(found)

    return predict


def _inverse(transformer: Any) -> Callable[[float], float]:
    """Return the function that gives a transformed target back in its own unit."""
    kind = type(transformer).__name__
    if kind == "Pipeline":
        inner = [_inverse(step) for _, step in reversed(transformer.steps)]

        def back(value: float) -> float:
            for step in inner:
                value = step(value)
            return value

        return back
    if kind == "StandardScaler":
        scale, mean = float(transformer.scale_[0]), float(transformer.mean_[0])
        return lambda value: value * scale + mean
    return lambda value: float(transformer.inverse_transform(np.array([[value]]))[0, 0])


def _calibrated(estimator: Any, method: str, sparse: bool) -> Predict:
    if estimator.method not in ("sigmoid", "isotonic"):
        raise NotCompilableError(f"calibration by {estimator.method}")
    parts = [_calibrated_part(part, sparse) for part in estimator.calibrated_classifiers_]

    def predict(row: Numbers) -> Numbers:
        found = [part(row) for part in parts]
        sums = [0.0] * len(found[0])
        for probabilities in found:
            sums = [total + value for total, value in zip(sums, probabilities, strict=True)]
        return [total / len(parts) for total in sums]

    return predict


def _calibrated_part(part: Any, sparse: bool) -> Predict:
    method = (
        "decision_function" if hasattr(part.estimator, "decision_function") else "predict_proba"
    )
    inner = compile_estimator(part.estimator, method, sparse)
    calibrate = [_calibrator(calibrator) for calibrator in part.calibrators]
    count = len(part.classes)
    if list(part.estimator.classes_) != list(part.classes):
        raise NotCompilableError("calibration of an estimator that lacks a class")

    def predict(row: Numbers) -> Numbers:
        scores = inner(row)
        if count == 2:
            positive = calibrate[0](scores[-1])
            found = [1.0 - positive, positive]
        else:
            found = [one(score) for one, score in zip(calibrate, scores, strict=True)]
            total = float(np.sum(np.array([found]), axis=1)[0])
            found = [value / total for value in found] if total else [1 / count] * count
        return [1.0 if 1.0 < value <= 1.0 + 1e-5 else value for value in found]

    return predict


def _calibrator(calibrator: Any) -> Callable[[float], float]:
    from scipy.special import expit

    if type(calibrator).__name__ == "_SigmoidCalibration":
        slope, intercept = float(calibrator.a_), float(calibrator.b_)
        return lambda score: float(expit(-(slope * score + intercept)))
    return lambda score: float(calibrator.predict(np.array([score]))[0])


COMPILERS: dict[str, Callable[[Any, str, bool], Predict]] = {
    "CalibratedClassifierCV": _calibrated,
    "DummyClassifier": _dummy,
    "DummyRegressor": _dummy,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "HistGradientBoostingClassifier": _boosted,
    "HistGradientBoostingRegressor": _boosted,
    "LinearRegression": _linear_regressor,
    "LinearSVC": _linear_classifier,
    "LinearSVR": _linear_regressor,
    "LogisticRegression": _linear_classifier,
    "MLPClassifier": _network,
    "MLPRegressor": _network,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "Ridge": _linear_regressor,
    "StackingClassifier": _stacked,
    "StackingRegressor": _stacked,
    "TransformedTargetRegressor": _with_transformed_target,
}
"""By its class, what compiles a fitted estimator."""
