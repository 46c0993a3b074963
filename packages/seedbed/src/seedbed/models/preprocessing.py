"""Transformers that scikit-learn lacks: clipping, a logarithm, selection of columns."""

# mypy: disallow-subclassing-any=False
# scikit-learn comes without types.

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin


class QuantileClipper(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Cut numbers off at two quantiles of the rows it is fitted on.

    A column whose two quantiles are equal is left as it is: of one that is nearly always 0 every
    other value would be lost. A missing value stays missing.

    Parameters
    ----------
    low, high : float
        Quantiles, between 0 and 1.

    Attributes
    ----------
    low_, high_ : ndarray, shape (n_columns,)

    Examples
    --------
    >>> clipper = QuantileClipper(0.0, 0.75).fit(pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0, 5.0]}))
    >>> clipper.transform(pd.DataFrame({"x": [0.0, 9.0]})).ravel().tolist()
    [1.0, 4.0]
    """

    def __init__(self, low: float = 0.01, high: float = 0.99) -> None:
        self.low = low
        self.high = high

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the quantiles of each column, shape (n_rows, n_columns)."""
        values = np.asarray(X, dtype=np.float64)
        self.n_features_in_ = values.shape[1]
        bounds = pd.DataFrame(values).quantile([self.low, self.high]).to_numpy()
        apart = bounds[0] < bounds[1]
        self.low_ = np.where(apart, bounds[0], -np.inf)
        self.high_ = np.where(apart, bounds[1], np.inf)
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the numbers within the bounds, shape (n_rows, n_columns)."""
        return np.clip(np.asarray(X, dtype=np.float64), self.low_, self.high_)


class LogTarget(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Take the logarithm of a target plus one, for targets that are skewed and not negative.

    Its mean on that scale is nearer to the median than to the mean of the target's own.

    Examples
    --------
    >>> target = np.array([[0.0], [99.0]])
    >>> LogTarget().fit(target).inverse_transform(LogTarget().fit_transform(target)).ravel()
    array([ 0., 99.])
    """

    def fit(self, X: NDArray, y: Any = None) -> Self:
        """Refuse a target, shape (n_rows, 1), that has no logarithm."""
        if (lowest := float(np.min(X))) < 0:
            raise ValueError(
                f"model.target_transform: the target goes down to {lowest:g}, and log is for "
                "targets of 0 or more. Choose quantile or null"
            )
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X: NDArray) -> NDArray:
        """Return log(1 + x)."""
        return np.log1p(X)

    def inverse_transform(self, X: NDArray) -> NDArray:
        """Return exp(x) - 1."""
        return np.expm1(X)


class ColumnSelector(TransformerMixin, BaseEstimator):
    """Keep the columns that tell most of the target, missing values and all.

    Where columns are compared, the median stands for a missing value. A column of one value is
    never kept.

    Parameters
    ----------
    by : {"k_best", "importance", "variance"}
        The F test of each column alone, the importances of extremely randomized trees, or nothing
        but that the column varies.
    keep : int
        Most columns that are kept, without those of `always`; "variance" keeps all that vary.
    task : {"binary", "multiclass", "regression"}
    always : int
        That many first columns are kept in any case: the codes of categories that the estimator
        takes as categories, which have no order.

    Attributes
    ----------
    kept_ : ndarray of int, shape (n_kept,)

    Examples
    --------
    >>> selector = ColumnSelector("variance")
    >>> selector.fit_transform(np.array([[1.0, 2.0, 3.0], [1.0, np.nan, 5.0]]))
    array([[3.],
           [5.]])
    """

    def __init__(
        self,
        by: str = "k_best",
        keep: int = 50,
        task: str = "binary",
        always: int = 0,
        random_state: int = 0,
    ) -> None:
        self.by = by
        self.keep = keep
        self.task = task
        self.always = always
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> Self:
        """Choose among the columns of X, shape (n_rows, n_columns)."""
        self.n_features_in_ = X.shape[1]
        filled = _filled(X)
        varies = np.flatnonzero(_spread(filled) > 0)
        varies = varies[varies >= self.always]
        if self.by != "variance" and len(varies) > self.keep:
            with np.errstate(invalid="ignore", divide="ignore"):  # a column may decide the target
                selector = self._selector().fit(filled[:, varies], y)
            varies = varies[selector.get_support()]
        self.kept_ = np.concatenate([np.arange(self.always), varies])
        return self

    def transform(self, X: Any) -> Any:
        """Return the chosen columns, shape (n_rows, n_kept)."""
        return X[:, self.kept_]

    def _selector(self) -> Any:
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
        from sklearn.feature_selection import SelectFromModel, SelectKBest, f_classif, f_regression

        regression = self.task == "regression"
        if self.by == "k_best":
            return SelectKBest(f_regression if regression else f_classif, k=self.keep)
        trees = (ExtraTreesRegressor if regression else ExtraTreesClassifier)(
            n_estimators=50, min_samples_leaf=5, random_state=self.random_state
        )
        return SelectFromModel(trees, threshold=-np.inf, max_features=self.keep)


def _filled(X: Any) -> Any:
    """Return the columns with medians for missing values; a sparse matrix has none of these."""
    from scipy import sparse
    from sklearn.impute import SimpleImputer

    if sparse.issparse(X):
        return X
    return SimpleImputer(strategy="median", keep_empty_features=True).fit_transform(X)


def _spread(X: Any) -> NDArray[np.float64]:
    """Return how far the largest value of each column lies above the smallest."""
    from scipy import sparse

    spread = X.max(axis=0) - X.min(axis=0)
    return spread.toarray().ravel() if sparse.issparse(spread) else np.asarray(spread)
