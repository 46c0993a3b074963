"""Cleaning in two parts: values (also of every request) and rows (for training only)."""

import pandas as pd

from seedbed.config.modelling import Problem
from seedbed.config.preparation import Cleaning, ValidRange
from seedbed.config.schema import TEXT_TYPES
from seedbed.data.roles import Columns, key_columns, target_column
from seedbed.errors import UserError, some_of


def clean_values(frame: pd.DataFrame, columns: Columns, cleaning: Cleaning) -> pd.DataFrame:
    """Return the same rows with text stripped and impossible values made missing.

    Each value is judged by itself, so that a row served alone is cleaned as it was in training.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Columns that are not configured, and configured columns that are absent, are left alone.
    columns : dict of str to Column
    cleaning : Cleaning
    """
    ranges = {limits.column: limits for limits in cleaning.valid_range}
    cleaned = {}
    for name in frame.columns:
        values = frame[name]
        kind = columns[name].type if name in columns else None
        if kind in TEXT_TYPES:
            values = _clean_text(values, cleaning)
        elif name in ranges:
            values = _clean_number(values, ranges[name])
        cleaned[name] = values
    return pd.DataFrame(cleaned, index=frame.index)


def clean_rows(
    frame: pd.DataFrame, columns: Columns, problem: Problem, cleaning: Cleaning
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return the rows that can be learned from, and how many were dropped for which reason.

    Of rows with one key (without key columns: of rows that are equal in all), the first in a total
    order of all columns stays: without an order, "first" would depend on how the source happened to
    deliver them.

    Raises
    ------
    UserError
        If no row is left, or the target has only one value.
    """
    target = target_column(columns)
    kept = frame[frame[target].notna()]
    without_target = len(frame) - len(kept)
    duplicates = 0
    if cleaning.drop_duplicates:
        keys = key_columns(columns) or list(columns)
        repeated = kept.duplicated(keys, keep=False)
        if repeated.any():
            firsts = (
                kept[repeated]
                .sort_values([*keys, *(name for name in columns if name not in keys)])
                .duplicated(keys)
            )
            kept = kept.drop(index=firsts[firsts].index)
            duplicates = int(firsts.sum())
    _refuse_constant_target(kept, target, problem)
    counts = {
        "rows_in": len(frame),
        "without_target": without_target,
        "duplicates": duplicates,
        "rows_out": len(kept),
    }
    return kept.reset_index(drop=True), counts


def describe_duplicates(rows: pd.DataFrame, columns: Columns) -> str:
    """Return by which columns rows count as duplicates, with the most frequent values of these.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        Cleaned values, before rows are dropped.
    columns : dict of str to Column
    """
    keys = key_columns(columns)
    known = rows[rows[target_column(columns)].notna()]
    if not keys:
        return "rows that are equal in all columns"
    counts = known.groupby(keys, dropna=False).size()
    values = counts.idxmax() if len(keys) > 1 else [counts.idxmax()]
    shown = ", ".join(
        f"{name}={'missing' if pd.isna(value) else value}"
        for name, value in zip(keys, values, strict=True)
    )
    return f"rows of one key ({', '.join(keys)}), such as the {counts.max()} rows of {shown}"


def count_changes(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, int]:
    """Return how many values of each column became missing in cleaning, where any did."""
    lost = {name: int((after[name].isna() & before[name].notna()).sum()) for name in before.columns}
    return {name: count for name, count in lost.items() if count}


def _clean_text(values: pd.Series, cleaning: Cleaning) -> pd.Series:
    # Work on the few distinct values: hundreds of thousands of rows share them.
    codes, distinct = pd.factorize(values, use_na_sentinel=True)
    texts = pd.Series(distinct, dtype="str")
    if cleaning.strip_text:
        texts = texts.str.strip()
    texts = texts.mask(texts.isin(cleaning.missing_text))
    if values.dtype == "str" and texts.equals(pd.Series(distinct, dtype="str")):
        return values
    lookup = pd.concat([texts, pd.Series([None], dtype="str")], ignore_index=True)
    return pd.Series(
        lookup.array.take(codes, allow_fill=False), index=values.index, name=values.name
    )


def _clean_number(values: pd.Series, limits: ValidRange) -> pd.Series:
    impossible = pd.Series(False, index=values.index)
    if limits.low is not None:
        impossible |= values < limits.low
    if limits.high is not None:
        impossible |= values > limits.high
    return values.astype("float64").mask(impossible)


def _refuse_constant_target(rows: pd.DataFrame, name: str, problem: Problem) -> None:
    if rows.empty:
        raise UserError(
            f"columns.target: no row has a value of {name}, so there is nothing to learn from. "
            "Check the source."
        )
    above = problem.above
    answers = rows[name] > above if above is not None else rows[name]
    if answers.nunique() < 2:
        value = (
            f"{name} > {above:g} is {answers.iloc[0]}"
            if above is not None
            else f"{name} is {answers.iloc[:1].tolist()[0]!r}"
        )
        raise UserError(
            f"columns.target: {value} in all {len(rows)} rows, so there is nothing to learn. Widen "
            "dataset.window or dataset.sample, or choose another target or limit in the "
            "conf/dataset file."
        )
    if problem.task == "binary" and above is None:
        values = sorted(answers.unique().tolist(), key=str)
        if len(values) != 2 or problem.positive not in values:
            remedy = (
                "Set problem.task to multiclass, and problem.metric to one of its metrics"
                if len(values) > 2
                else "Set problem.positive to one of them"
            )
            raise UserError(
                f"problem.positive: {problem.positive!r} must be one of the two values of {name}, "
                f"which has {some_of(list(map(repr, values)), 5)}. {remedy}, in the conf/dataset "
                "file."
            )
