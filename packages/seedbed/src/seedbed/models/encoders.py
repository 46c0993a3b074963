"""Encoders that scikit-learn lacks: of texts and of small images.

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
from sklearn.base import BaseEstimator, TransformerMixin

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


class ImageEncoder(TransformerMixin, BaseEstimator):
    """Encode columns of small images, given as pixels in hexadecimal, by principal components.

    A missing image is an average one.

    Parameters
    ----------
    components : int
        Numbers for each column, or fewer where there are fewer rows or pixels.

    Attributes
    ----------
    encoders_ : list
        For each column a tuple of the mean image, shape (n_pixels,), and its components over the
        spread of all, shape (n_components, n_pixels); or None for a column without an image.

    Examples
    --------
    >>> images = pd.DataFrame({"photo": ["00ff", "ff00", None, "00ff"]})
    >>> ImageEncoder(components=1).fit_transform(images).round(2).ravel().tolist()
    [-0.71, 1.41, 0.0, -0.71]
    """

    def __init__(self, components: int = 20) -> None:
        self.components = components

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:
        """Learn the components of each column, shape (n_rows, n_columns)."""
        self.n_features_in_ = X.shape[1]
        self.encoders_ = [self._learn(_texts(X[name])) for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the numbers of each column, one column's beside the other's."""
        blocks = [np.empty((len(X), 0))]
        for name, encoder in zip(X.columns, self.encoders_, strict=True):
            if encoder is not None:
                mean, components = encoder
                block = np.zeros((len(X), len(components)))
                images = _texts(X[name])
                there = images != ""
                centred = _pixels(images[there], len(mean)) - mean
                # The sums of one row are the same whatever other rows there are, as BLAS's are not.
                block[there] = np.einsum("ij,kj->ik", centred, components, optimize=False)
                blocks.append(block)
        return np.hstack(blocks)

    def _learn(self, images: NDArray[np.object_]) -> tuple[NDArray, NDArray] | None:
        from sklearn.decomposition import PCA

        images = images[images != ""]
        if not len(images):
            return None
        pixels = _pixels(images, len(images[0]) // 2)
        size = min(self.components, *pixels.shape)
        with np.errstate(invalid="ignore", divide="ignore"):  # of one image there is no variance
            found = PCA(size, svd_solver="full").fit(pixels)
        spread = float(np.sqrt(pixels.var(axis=0).sum())) or 1.0
        return found.mean_, found.components_ / spread


def _texts(column: pd.Series) -> NDArray[np.object_]:
    return column.fillna("").to_numpy(dtype=object)


def _pixels(images: NDArray[np.object_], size: int) -> NDArray[np.float64]:
    """Return one row of `size` values between 0 and 1 for each image."""
    values = np.frombuffer(bytes.fromhex("".join(images)), dtype=np.uint8)
    return values.reshape(-1, size) / 255


def _reduce(ngrams: Any, reducer: Any, factor: float, components: int | None) -> Any:
    if components is None:
        return ngrams
    return (ngrams.toarray() if reducer is None else reducer.transform(ngrams)) / factor
