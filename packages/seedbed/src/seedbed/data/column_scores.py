"""How well one column alone tells the target, cross-fitted over bins of its values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from seedbed.config.modelling import Task

BINS = 64
FOLDS = 5
ROWS_OF_A_BIN = 10
"""Fewest rows of a bin, on average."""
JOINT_COLUMNS, JOINT_ROWS = 30, 4_000
"""Columns, the strongest, and rows that all other columns together are judged by."""
MOST_CLASSES = 20
"""Classes, the most frequent, that are looked at."""


@dataclass(frozen=True)
class Sample:
    """Rows of a target.

    Attributes
    ----------
    rows : array of int, shape (n_sampled,)
        Places in the target.
    y : array of float, shape (n_sampled,)
        The number of a row's class, or the rank of its target.
    weight : array of float, shape (n_sampled,)
        All classes have the same sum; all together have 1.
    fold : array of int, shape (n_sampled,)
    classes : list of str or None
        None of a regression.
    """

    rows: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    fold: np.ndarray
    classes: list[str] | None

    def figure(self, score: float) -> str:
        """Return a score as people know it: the ROC AUC of classes, R² of ranks."""
        return f"{(score + 1) / 2 if self.classes else max(score, 0.0):.3f}"

    def words(self, score: float) -> str:
        """Return the figure with its name."""
        return f"{'ROC AUC' if self.classes else 'R² of ranks'} {self.figure(score)}"


def draw_sample(
    target: pd.Series, task: Task, seed: int, most_rows: int, least_rows: int
) -> Sample | None:
    """Draw rows and folds; classes of fewer than `least_rows` are left out.

    Returns None where too few rows or only one class remain.
    """
    random = np.random.default_rng(seed)
    if task == "regression":
        rows = np.sort(random.permutation(len(target))[:most_rows])
        y = target.iloc[rows].astype("float64").rank().to_numpy()
        if len(rows) < least_rows or np.ptp(y) == 0:
            return None
        weight, classes = np.full(len(rows), 1 / len(rows)), None
    else:
        codes, values = pd.factorize(target.astype("str"), sort=True)
        counts = np.bincount(codes, minlength=len(values))
        frequent = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
        large = np.sort(frequent[counts[frequent] >= least_rows])
        if len(large) < 2:
            return None
        of_each = [random.permutation(np.flatnonzero(codes == code)) for code in large]
        rows = np.sort(np.concatenate([places[: most_rows // len(large)] for places in of_each]))
        y = np.searchsorted(large, codes[rows]).astype("float64")
        weight = 1 / (len(large) * np.bincount(y.astype(int))[y.astype(int)])
        classes = [str(values[code]) for code in large]
    fold = random.permutation(len(rows)) % FOLDS
    return Sample(rows, y, weight, fold, classes)


def encode(values: pd.Series) -> np.ndarray:
    """Return a column as numbers, NaN where missing; texts become their place in sorted order."""
    kinds = pd.api.types
    if kinds.is_datetime64_any_dtype(values) or kinds.is_timedelta64_dtype(values):
        return values.astype("int64").astype("float64").where(values.notna()).to_numpy()
    if kinds.is_numeric_dtype(values):
        return values.to_numpy("float64", na_value=np.nan)
    codes, _ = pd.factorize(values.astype("str"), sort=True)
    return np.where(codes < 0, np.nan, codes)


def column_score(values: np.ndarray, sample: Sample, text: bool) -> float:
    """Return how well a column's bins tell the target in the rows of other folds.

    Parameters
    ----------
    values : array of float, shape (n_sampled,)
        As :func:`encode` returns them.
    text : bool
        Whether the values are those of a text, which has bins of single values as long as these
        have rows enough.

    Returns
    -------
    float
        2 AUC - 1, the mean over classes, or R² of the ranks; 0 is chance, 1 perfection.
    """
    most = int(np.clip(len(values) // ROWS_OF_A_BIN, 4, BINS))
    bins = _bins(values, sample.weight, most, len(values) // 3 if text else most)
    width = int(bins.max()) + 1
    cell = sample.fold * width + bins
    if sample.classes is None:
        return _r_squared(cell, width, sample.y)
    return _gini(cell, width, sample.y, sample.weight, len(sample.classes))


def copied_share(values: np.ndarray, sample: Sample) -> float:
    """Return how nearly a column is the target by other names, among the rows with a value.

    For classes it is the share of rows, all classes weighing the same, whose value is that of their
    class, if the column has one value a class; else 0. For a regression it is the absolute rank
    correlation. A column without values in half of the rows has 0.
    """
    known = ~np.isnan(values)
    if known.mean() < 0.5:
        return 0.0
    values, y = values[known], sample.y[known]
    if sample.classes is None:
        ranks, y = pd.Series(values).rank().to_numpy(), pd.Series(y).rank().to_numpy()
        if np.ptp(ranks) == 0 or np.ptp(y) == 0:
            return 0.0
        return min(float(abs(np.corrcoef(ranks, y)[0, 1])), 1.0)
    codes, found = pd.factorize(values)
    if len(found) != len(sample.classes):
        return 0.0
    table = np.zeros((len(found), len(found)))
    np.add.at(table, (codes, y.astype(int)), sample.weight[known])
    of_its_own = len(set(table.argmax(axis=1))) == len(found)
    return min(float(table.max(axis=1).sum() / table.sum()), 1.0) if of_its_own else 0.0


def joint_score(
    encoded: Mapping[str, np.ndarray], scores: Mapping[str, float], sample: Sample, seed: int
) -> float:
    """Return the cross-validated score of a forest of the strongest columns."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.metrics import r2_score, roc_auc_score
    from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict

    strongest = sorted(encoded, key=lambda name: -scores[name])[:JOINT_COLUMNS]
    if not strongest:
        return 0.0
    # Every n-th row in the order of the target: each class keeps its share.
    rows = np.argsort(sample.y, kind="stable")[:: -(-len(sample.y) // JOINT_ROWS)]
    table, y = np.column_stack([encoded[name][rows] for name in strongest]), sample.y[rows]
    table = np.clip(table, -1e30, 1e30)  # trees hold 32 bits
    settings = {"n_estimators": 40, "min_samples_leaf": 2, "random_state": seed}
    if sample.classes is None:
        folds = KFold(3, shuffle=True, random_state=seed)
        model = ExtraTreesRegressor(max_features=0.5, **settings)
        return float(r2_score(y, cross_val_predict(model, table, y, cv=folds)))
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    model = ExtraTreesClassifier(class_weight="balanced", **settings)
    chances = cross_val_predict(model, table, y, cv=folds, method="predict_proba")
    areas = [roc_auc_score(y == k, chances[:, k]) for k in range(len(sample.classes))]
    return float(2 * np.mean(areas) - 1)


def _bins(values: np.ndarray, weight: np.ndarray, most: int, most_values: int) -> np.ndarray:
    """Return the bin of each row: its value if these are few, else quantiles; missing is the last.

    Quantiles are of the weight: a rare class has as many bins as a frequent one.
    """
    order = np.argsort(values, kind="stable")
    order = order[: len(values) - np.isnan(values).sum()]
    ordered = values[order]
    new = np.ones(len(order), bool)
    new[1:] = ordered[1:] != ordered[:-1]
    distinct = np.cumsum(new) - 1
    if not len(order) or distinct[-1] < max(most, most_values):
        bins = np.full(len(values), distinct[-1] + 1 if len(order) else 0)
        bins[order] = distinct
        return bins
    before = np.cumsum(weight[order]) - weight[order]
    share = (before / weight[order].sum())[np.flatnonzero(new)][distinct]
    bins = np.full(len(values), most)
    bins[order] = np.minimum(share * most, most - 1).astype(int)
    return bins


def _r_squared(cell: np.ndarray, width: int, y: np.ndarray) -> float:
    size = FOLDS * width
    sums = np.bincount(cell, y, size).reshape(FOLDS, width)
    rows = np.bincount(cell, minlength=size).reshape(FOLDS, width)
    mean = (sums.sum(0) - sums + y.mean()) / (rows.sum(0) - rows + 1)
    return float(1 - np.mean((y - mean.ravel()[cell]) ** 2) / y.var())


def _gini(cell: np.ndarray, width: int, y: np.ndarray, weight: np.ndarray, classes: int) -> float:
    size = FOLDS * width
    counts = np.stack([np.bincount(cell, weight * (y == k), size) for k in range(classes)])
    folds = counts.reshape(classes, FOLDS, width)
    others = folds.sum(axis=1, keepdims=True) - folds
    prior = 1 / len(y)  # of a bin that the other folds have no row of
    chances = (others + prior / classes) / (others.sum(axis=0) + prior)
    chances = chances.reshape(classes, size)
    judged: Sequence[int] = [1] if classes == 2 else range(classes)
    rest = counts.sum(axis=0)
    areas = [_area(chances[k], counts[k], rest - counts[k]) for k in judged]
    return min(float(2 * np.mean(areas) - 1), 1.0)  # sums of weights round


def _area(chance: np.ndarray, positive: np.ndarray, negative: np.ndarray) -> float:
    """Return the ROC AUC of cells with weights of positive and negative rows; ties are halves."""
    levels, level = np.unique(chance, return_inverse=True)
    positive = np.bincount(level, positive, len(levels))
    negative = np.bincount(level, negative, len(levels))
    below = np.cumsum(negative) - negative / 2
    return float((below * positive).sum() / (positive.sum() * negative.sum()))
