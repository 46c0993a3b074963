"""A classifier that tells reference rows from current ones: drift of all columns together.

Where no column has drifted by itself, two of them may have drifted against each other. Its ROC AUC
is 0.5 if nothing tells the rows apart. Lopez-Paz & Oquab (2017), Revisiting classifier two-sample
tests, arXiv:1610.06545.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

FOLDS = 3
MOST_ROWS = 20_000
"""Of each sample, drawn at random: more tell little more."""
IMPORTANCE_ROWS = 2_000
NAMED = 5
"""Columns that are named, those with the largest importances."""


@dataclass(frozen=True)
class DomainDrift:
    """How well reference and current rows can be told apart."""

    auc: float  # ROC AUC of rows that the classifier was not fitted on, the mean over the folds
    p: float  # chance of one as large or larger if both are of one distribution
    # by how much the AUC falls when a column is shuffled, the largest first
    importances: dict[str, float]
    rows: int  # rows of both samples


def compare_domains(reference: pd.DataFrame, current: pd.DataFrame, seed: int = 0) -> DomainDrift:
    """Return how well cleaned rows of two samples can be told apart.

    Parameters
    ----------
    reference, current : DataFrame, shapes (n_rows, n_columns) and (m_rows, n_columns)
        The columns that have a profile.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.inspection import permutation_importance
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold

    samples = [
        rows.sample(min(len(rows), MOST_ROWS), random_state=seed) for rows in (reference, current)
    ]
    rows = encode(pd.concat(samples, ignore_index=True))
    is_current = np.repeat([0, 1], [len(sample) for sample in samples])
    areas, chances = [], []
    importances = np.empty(0)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for fitted, held_out in folds.split(rows, is_current):
        model = HistGradientBoostingClassifier(
            max_iter=50, max_leaf_nodes=15, random_state=seed, early_stopping=False
        )
        model.fit(rows.iloc[fitted], is_current[fitted])
        truth = is_current[held_out]
        areas.append(roc_auc_score(truth, model.predict_proba(rows.iloc[held_out])[:, 1]))
        chances.append(_chance(areas[-1], int(np.sum(truth == 0)), int(np.sum(truth == 1))))
        if not len(importances):  # of one classifier: they only name columns
            few = held_out[:: -(-len(held_out) // IMPORTANCE_ROWS)]
            importances = permutation_importance(
                model, rows.iloc[few], is_current[few], scoring="roc_auc", n_repeats=2,
                random_state=seed,
            ).importances_mean  # fmt: skip
    order = np.argsort(-importances, kind="stable")[:NAMED]
    named = {str(rows.columns[place]): float(importances[place]) for place in order}
    # Folds depend on each other: Vovk & Wang (2020), doi:10.1093/biomet/asaa027, double the mean.
    p = min(1.0, 2 * float(np.mean(chances)))
    return DomainDrift(float(np.mean(areas)), p, named, len(rows))


def encode(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns as numbers: of a category how frequent each value is among these rows."""
    encoded = {}
    for name in rows.columns:
        values = rows[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            encoded[name] = values.astype("float64")
        else:
            text = values.astype("str")
            frequency = text.map(text.value_counts().rank(method="first"))
            encoded[name] = frequency.astype("float64")
    return pd.DataFrame(encoded)


def _chance(auc: float, n: int, m: int) -> float:
    """Return the one-sided p-value of an AUC: Mann & Whitney (1947), doi:10.1214/aoms/1177730491.

    By the normal approximation.
    """
    from scipy.stats import norm

    deviation = np.sqrt((n + m + 1) / (12 * n * m))
    return float(norm.sf((auc - 0.5) / deviation))
