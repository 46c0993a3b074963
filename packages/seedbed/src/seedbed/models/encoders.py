"""Transformers that scikit-learn lacks: texts to numbers, clipping, selection that leaves gaps.

skrub's StringEncoder does for one column what :class:`TextEncoder` does for several. It is not used
here because what it learned cannot be saved without trusting a dozen types of skrub and pandas, and
because it has no n-grams of words and no sparse output.
"""

# mypy: disallow-subclassing-any=False
# scikit-learn comes without types.

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

MOST_NGRAMS = 20_000
"""The most frequent n-grams of a column that TF-IDF keeps, and the size of the table of hashes."""
NGRAMS = {
    "words": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "characters": {"analyzer": "char_wb", "ngram_range": (3, 4)},
}


class TextEncoder(TransformerMixin, BaseEstimator):
    """Encode columns of free text, each by its own n-grams, optionally reduced by truncated SVD.

    A missing text is one without n-grams. A column without any (all missing, or nothing but
    punctuation) becomes no number at all.

    Source: latent semantic analysis, Deerwester et al. (1990),
    doi:10.1002/(SICI)1097-4571(199009)41:6<391::AID-ASI1>3.0.CO;2-9.

    Parameters
    ----------
    analyzer : {"words", "characters"}
    weights : {"tfidf", "hashing"}
    components : int or None
        Numbers for each column; None gives the n-grams as a sparse matrix.
    random_state : int

    Attributes
    ----------
    encoders_ : list
        For each column a tuple of the vectorizer, the SVD or None, and the factor that its numbers
        are divided by; or None for a column without n-grams.

    Examples
    --------
    >>> texts = pd.DataFrame({"note": ["late again", None, "late", "on time"]})
    >>> TextEncoder(components=2).fit_transform(texts).shape
    (4, 2)
    """

    def __init__(
        self,
        analyzer: str = "words",
        weights: str = "tfidf",
        components: int | None = 30,
        random_state: int = 0,
    ) -> None:
        self.analyzer = analyzer
        self.weights = weights
        self.components = components
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the n-grams of each column, shape (n_rows, n_columns)."""
        self.n_features_in_ = X.shape[1]
        self.encoders_ = [self._learn(_texts(X[name])) for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> Any:
        """Return the numbers of each column, one column's beside the other's.

        Returns
        -------
        ndarray or sparse matrix, shape (n_rows, n_numbers)
        """
        from scipy import sparse

        blocks = [
            _reduce(encoder[0].transform(_texts(X[name])), encoder[1], encoder[2], self.components)
            for name, encoder in zip(X.columns, self.encoders_, strict=True)
            if encoder is not None
        ]
        if self.components is None:
            return sparse.hstack([sparse.csr_matrix((len(X), 0)), *blocks], format="csr")
        return np.hstack([np.empty((len(X), 0)), *blocks])

    def __getstate__(self) -> dict[str, Any]:
        """Return what is saved: without the memory address that scikit-learn checks words by."""
        for encoder in getattr(self, "encoders_", []):
            if encoder is not None:
                vars(encoder[0]).pop("_stop_words_id", None)
        return super().__getstate__()

    def _learn(self, texts: NDArray[np.object_]) -> tuple[Any, Any, float] | None:
        from sklearn.decomposition import TruncatedSVD

        vectorizer = self._vectorizer()
        analyze = vectorizer.build_analyzer()
        if not any(analyze(text) for text in texts):
            return None
        ngrams = vectorizer.fit_transform(texts)
        if self.components is None:
            return vectorizer, None, 1.0
        reducer = None
        if ngrams.shape[1] > self.components:
            size = min(self.components, len(texts))
            # Its share of the variance is 0 / 0 where all texts are alike.
            with np.errstate(invalid="ignore", divide="ignore"):
                reducer = TruncatedSVD(size, random_state=self.random_state).fit(ngrams)
        # One factor for all numbers of a column keeps what they weigh beside each other.
        spread = _reduce(ngrams, reducer, 1.0, self.components).var(axis=0).sum()
        return vectorizer, reducer, float(np.sqrt(spread)) or 1.0

    def _vectorizer(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

        if self.weights == "hashing":
            return HashingVectorizer(n_features=MOST_NGRAMS, **NGRAMS[self.analyzer])
        return TfidfVectorizer(max_features=MOST_NGRAMS, sublinear_tf=True, **NGRAMS[self.analyzer])


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
    random_state : int

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


def _texts(column: pd.Series) -> NDArray[np.object_]:
    return column.fillna("").to_numpy(dtype=object)


def _reduce(ngrams: Any, reducer: Any, factor: float, components: int | None) -> Any:
    if components is None:
        return ngrams
    return (ngrams.toarray() if reducer is None else reducer.transform(ngrams)) / factor


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
