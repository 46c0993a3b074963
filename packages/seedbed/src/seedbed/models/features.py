"""Which columns a model may see, and in what types: the one door between tables and pipelines."""

import numpy as np
import pandas as pd

from seedbed.errors import UserError
from seedbed.models.decision import Kind


def feature_kinds(rows: pd.DataFrame) -> dict[str, Kind]:
    """Return the kind of every feature: each column whose name does not begin with "_".

    Raises
    ------
    UserError
        If there is none, or one is neither number, boolean nor text.
    """
    kinds: dict[str, Kind] = {}
    for name, dtype in rows.dtypes.items():
        if str(name).startswith("_"):
            continue
        if pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype):
            kinds[str(name)] = "number"
        elif pd.api.types.is_string_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
            kinds[str(name)] = "category"
        else:
            raise UserError(
                f"data/features: column {name} has type {dtype}, and a model takes numbers, booleans and text. "
                "Use features.time_parts for a time column, or take it out of the features in the conf/dataset file."
            )
    if not kinds:
        raise UserError(
            "data/features has no feature column. List a column under columns.number or columns.category in the conf/dataset file."
        )
    return kinds


def feature_frame(rows: pd.DataFrame, kinds: dict[str, Kind]) -> pd.DataFrame:
    """Return the features alone, in a fixed order and in two types: float64 for numbers, str for categories.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
    kinds : dict
        As :func:`feature_kinds` gave it when the pipeline was fitted.

    Returns
    -------
    DataFrame, shape (n_rows, n_features)
        A missing value is NaN in both types.

    Raises
    ------
    UserError
        If a column is missing or a number cannot be read as one.
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


def _number(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return column.astype("float64")
    return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), index=column.index)
