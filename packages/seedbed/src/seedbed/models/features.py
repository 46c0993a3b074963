"""What models read of data/features: features in two types, split, slices, clusters."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from seedbed.data.tables import CLUSTER, SLICE, SPLIT, TEXT_KINDS
from seedbed.errors import UserError
from seedbed.models.decision import Kind


def feature_kinds(rows: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of every feature: each column whose name does not begin with "_".

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        data/features; their `attrs` say which features are free text or images.

    Raises UserError if there is none, or one is neither number, boolean nor text.
    """
    kinds: dict[str, Kind] = {}
    texts = rows.attrs.get(TEXT_KINDS, {})
    for name, dtype in rows.dtypes.items():
        if str(name).startswith("_"):
            continue
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            kinds[str(name)] = "number"
        elif pd.api.types.is_string_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
            kinds[str(name)] = texts.get(name, "category")
        else:
            raise UserError(
                f"data/features: column {name} has type {dtype}, and a model takes numbers, "
                "booleans and text. List a time under columns.date, which makes its parts "
                "features, or give it another role in the conf/dataset file."
            )
    if not kinds:
        raise UserError(
            "data/features has no feature column. Name at least one feature in the conf/dataset "
            "file."
        )
    return kinds


def mark_high_cardinality(
    kinds: dict[str, Kind], train: pd.DataFrame, limit: int | None
) -> dict[str, Kind]:
    """Return the kinds with "high_cardinality" for categories of more than `limit` values.

    It is decided once, on all train rows, so that the folds fit pipelines of one form; what a value
    is worth is learned in each fold.

    Parameters
    ----------
    train : DataFrame, shape (n_rows, n_features)
    limit : int or None
        None: no category is marked.
    """
    return {
        name: "high_cardinality"
        if kind == "category" and limit is not None and train[name].nunique() > limit
        else kind
        for name, kind in kinds.items()
    }


def feature_frame(rows: pd.DataFrame, kinds: dict[str, Kind]) -> pd.DataFrame:
    """Return the features alone, in a fixed order and in two types: float64 for numbers, else str.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
    kinds : dict
        As :func:`feature_kinds` gave it when the pipeline was fitted.

    Returns
    -------
    DataFrame, shape (n_rows, n_features)
        A missing value is NaN in both types.

    Raises UserError if a column is missing or a number cannot be read as one.
    """
    missing = [name for name in kinds if name not in rows.columns]
    if missing:
        raise UserError(
            f"The model needs the feature columns {', '.join(missing)}, which the rows do not have."
        )
    columns = {}
    for name, kind in kinds.items():
        try:
            columns[name] = _number(rows[name]) if kind == "number" else rows[name].astype("str")
        except (ValueError, TypeError) as error:
            raise UserError(
                f"Feature column {name} is a number for the model, and a value is not one: {error}."
            ) from None
    return pd.DataFrame(columns, index=rows.index)


def split_rows(rows: pd.DataFrame, part: str) -> pd.DataFrame:
    """Return the train, validation or test rows.

    Raises UserError if there are none.
    """
    found = rows[rows[SPLIT] == part].reset_index(drop=True)
    if found.empty:
        raise UserError(
            f"data/features: none of the {len(rows)} rows is a {part} row. Use more rows "
            "(dataset.sample, dataset.window), or a larger share for it in conf/split."
        )
    return found


def slices_of(rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the slice columns by the name of the slice."""
    names = [str(name) for name in rows.columns if str(name).startswith(SLICE)]
    return {name.removeprefix(SLICE): rows[name] for name in names}


def clusters_of(rows: pd.DataFrame) -> NDArray[np.intp]:
    """Return the cluster of each row, from 0, shape (n_rows,): it is resampled as a whole."""
    return np.unique(rows[CLUSTER].to_numpy(), return_inverse=True)[1]


def _number(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return column.astype("float64")
    return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), index=column.index)
