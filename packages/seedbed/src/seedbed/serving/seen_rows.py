"""The rows a model has seen, as a sketch of their keys that is small and shows an overlap.

Kept are the smallest keys. Keys are hashes, so the smallest are a random sample of all, the same
wherever it is drawn: bottom-k sampling, Cohen & Kaplan (2007), Summarizing data using bottom-k
sketches.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MOST = 100_000
"""0.8 MB; of more rows a sample is kept. Of m among n seen rows, none is found with a
probability of about exp(-MOST * m / n): 1 in 20,000 for 1,000 of 10 million, 1 in 3 for 1,000 of
100 million."""


@dataclass(frozen=True)
class SeenRows:
    """The smallest keys of the rows a model was trained or chosen on, sorted, at most `MOST`."""

    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, keys: NDArray[np.uint64]) -> "SeenRows":
        """Return the sketch of these rows, shape (n,), in any order."""
        return cls(np.unique(keys)[:MOST])

    def count(self, keys: NDArray[np.uint64]) -> int:
        """Return how many of these rows, shape (n,), are in the sketch."""
        return int(np.isin(keys, self.keys).sum())

    def write(self, path: Path) -> None:
        """Write the sketch as a NumPy file."""
        np.save(path, self.keys, allow_pickle=False)

    @classmethod
    def read(cls, path: Path) -> "SeenRows":
        """Read what :meth:`write` wrote."""
        return cls(np.load(path, allow_pickle=False))
