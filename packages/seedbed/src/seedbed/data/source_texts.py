"""Texts of sources: which stand for a missing value, and which are numbers or times."""

from collections.abc import Sequence

import pandas as pd

from seedbed.config.schema import Dataset
from seedbed.config.source_options import Options
from seedbed.data.csv_files import NOT_KNOWN, Types
from seedbed.errors import UserError, did_you_mean, row_of_source, some_of

SHOWN = 10
"""How many columns a message names."""


def without_missing(
    frame: pd.DataFrame, kind: str, types: Types, missing: Sequence[str]
) -> pd.DataFrame:
    """Return a table in which texts that stand for a missing value are missing; `frame` changes.

    The empty text is one of them, as in a CSV file.
    """
    for name in frame.columns:
        kind_of_column = types.get(name)
        # A cell of Excel and a value of JSON have no type that a column must have.
        is_untyped = kind in ("excel", "json", "api", "kafka")
        may_be_text = is_untyped and kind_of_column not in (None, "category")
        unknown = ["", *missing, *(NOT_KNOWN if may_be_text else ())]
        if frame[name].dtype.kind in "OU":  # of text, of several types, or categories
            is_unknown = frame[name].isin(unknown)
            if is_unknown.any():
                frame[name] = frame[name].mask(is_unknown)
    return frame


def parse_texts(values: pd.Series, form: str, where: str, name: str) -> pd.Series:
    """Return a column of text as numbers or times, by how they are written.

    Parameters
    ----------
    values : Series, shape (n_rows,)
        What is no text, such as a number that Excel holds, stays as it is; whole numbers that are
        times, such as seconds since 1970, are read by their digits. The index has the number of
        each row, for messages.
    form : str
        See :func:`seedbed.data.formats.parse`.
    where, name : str
        The file and the column, for messages.

    Raises UserError if a text is not written so; it names file, column, row and value.
    """
    from seedbed.data.formats import parse
    from seedbed.data.number_formats import split_unit

    if not split_unit(form)[0] and values.dtype.kind in "iuf" and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64").astype("str")
    is_text = values.notna()
    if not isinstance(values.dtype, pd.StringDtype):
        is_text = values.map(lambda value: isinstance(value, str)).astype(bool)
    texts = values[is_text].astype("str")
    texts = texts[texts.str.strip() != ""]
    found = parse(texts, form)
    lost = (found.isna() & texts.notna()).to_numpy()
    if lost.any():
        row = texts.index[lost.argmax()]
        raise UserError(
            f"{where}: {lost.sum()} of the values up to "
            f"{row_of_source(values.index[-1])} are not written as {form!r} "
            f"(source.options.formats.{name}), the first in {row_of_source(row)}: "
            f"{texts.iloc[lost.argmax()][:60]!r}. Correct the format or the file, or add the value "
            "to source.options.missing."
        )
    if is_text.all() or values[~is_text].isna().all():
        return found.reindex(values.index)
    others = values.mask(is_text).astype(object)
    return others.where(~values.index.isin(found.index), found.reindex(values.index).astype(object))


def with_formats(
    frame: pd.DataFrame, options: Options, where: str, dataset: Dataset, names: list[str]
) -> pd.DataFrame:
    """Return a table whose columns of text are read by ``source.options.formats``.

    `names` are those of all columns, also of those that are left out.
    """
    for name, form in options.formats.items():
        if name in frame.columns:
            frame[name] = parse_texts(frame[name], form, f"{where}, column {name}", name)
        elif len(dataset.tables) == 1 and name not in names:
            raise UserError(
                f"source.options.formats.{name}: {where} has no such column"
                f"{did_you_mean(name, names)}: it has {some_of(names, SHOWN)}. Correct the name, "
                "or source.options.encoding if names look broken, or remove the line."
            )
    return frame
