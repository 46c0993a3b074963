"""Reads the rows that are to be watched: a file, files by a glob, or a prediction log."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from seedbed.config.schema import Source
from seedbed.data.roles import group_column, target_column, time_column
from seedbed.data.values import ValueReadError
from seedbed.errors import UserError, did_you_mean, some_of
from seedbed.monitoring.logs import is_log, read_log
from seedbed.monitoring.notes import LogNotes
from seedbed.serving.bundle import Bundle
from seedbed.serving.log_files import PLACE
from seedbed.serving.scoring.batches import Batch, Done
from seedbed.serving.scoring.inputs import Input, Wanted, open_files
from seedbed.serving.scoring.reading import read_frame, set_aside
from seedbed.serving.signature import InputColumn, Signature

BATCH = 65_536
"""Rows that are read at a time."""
SHOWN = 5


def read_rows(
    bundle: Bundle,
    text: str,
    notes: LogNotes,
    options: dict[str, Any] | None = None,
    defaults: Source | None = None,
    first: date | None = None,
    last: date | None = None,
) -> Iterator[pd.DataFrame]:
    """Yield the rows that a path, a glob or a prediction log names, each column in its type.

    These are the columns of the bundle's signature and, where there are such, its target, time,
    group and slices.

    Parameters
    ----------
    notes : LogNotes
        Takes what is passed over in a prediction log.
    options : dict, optional
        How files are written, see :func:`~seedbed.serving.scoring.inputs.open_files`.
    defaults : Source, optional
    first, last : date, optional
        Days of a prediction log.

    Raises UserError if there is nothing to read, a column is missing or a value cannot be read.
    """
    if is_log(Path(text)):
        columns = bundle.recipe.columns
        target, time = target_column(columns), time_column(columns)
        yield from read_log(Path(text), bundle.version, target, notes, first, last, time)
        return
    if first or last:
        raise UserError(
            f"{text}: days can be chosen of a prediction log, which holds a folder a day."
        )
    opened = open_files(text, options, defaults)
    known = opened.columns
    needed = [column.name for column in bundle.signature.columns]
    if absent := [name for name in needed if name not in known]:
        raise UserError(
            f"{text}: there is no column {some_of(absent, SHOWN)}, which the model needs. It has "
            f"{some_of(list(known), SHOWN)}."
        )
    signature = _with_outcomes(bundle, set(known))
    names = tuple(column.name for column in signature.columns)
    numbers = frozenset(column.name for column in signature.columns if column.type == "number")
    for batch in _whole_batches(opened, text, names, numbers):
        yield _read_batch(batch, signature, opened, text)


def read_outcomes(
    bundle: Bundle,
    text: str,
    keys: Sequence[str],
    options: dict[str, Any] | None = None,
    defaults: Source | None = None,
) -> pd.DataFrame:
    """Return the keys, as they are written, and the target of a file of outcomes.

    Raises UserError if a column is missing, or a row or a value of the target cannot be read.
    """
    target = target_column(bundle.recipe.columns)
    opened = open_files(text, options, defaults)
    for name in (*keys, target):
        if name not in opened.columns:
            near = did_you_mean(name, opened.columns)
            remedy = "It is the target." if name == target else "Name the key with --on."
            held = some_of(list(opened.columns), SHOWN)
            raise UserError(f"{text}: there is no column {name}{near}; it has {held}. {remedy}")
    names = tuple(name for name in dict.fromkeys((*keys, PLACE, target)) if name in opened.columns)
    outcome = InputColumn(name=target, type=bundle.recipe.columns[target].type, nullable=True)
    signature = bundle.signature.model_copy(update={"columns": [outcome]})
    parts = [
        batch.columns.to_pandas().assign(
            **{target: _read_batch(batch, signature, opened, text)[target]}
        )
        for batch in _whole_batches(opened, text, names)
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(names))


def _read_batch(batch: Batch, signature: Signature, opened: Input, text: str) -> pd.DataFrame:
    try:
        return read_frame(batch, signature, opened.wording)
    except ValueReadError:
        _, found = set_aside(batch, signature, opened.wording)
        wrong = found[0]
        raise UserError(
            f"{text}: row {wrong.row}, column {wrong.column}: {wrong.value!r}: {wrong.reason}. "
            "Correct it, or how the file is read (--option)."
        ) from None


def _whole_batches(
    opened: Input, text: str, names: tuple[str, ...], numbers: frozenset[str] = frozenset()
) -> Iterator[Batch]:
    """Yield batches; a row that cannot be split into values is an error."""
    for batch in opened.batches(Wanted(names, numbers, (), BATCH), Done()):
        if batch.rejected:
            wrong = batch.rejected[0]
            raise UserError(
                f"{text}: row {wrong.row} cannot be read: {wrong.reason}. Correct it, or remove it."
            )
        yield batch


def _with_outcomes(bundle: Bundle, known: set[str]) -> Signature:
    """Return the bundle's signature with the columns that outcomes are judged by."""
    columns = bundle.recipe.columns
    beside = [target_column(columns), time_column(columns), group_column(columns)]
    wanted = [*(name for name in beside if name), *bundle.recipe.problem.slices]
    held = {column.name for column in bundle.signature.columns}
    added = [
        InputColumn(name=name, type=columns[name].type, nullable=True)
        for name in dict.fromkeys(wanted)
        if name in known and name not in held
    ]
    return bundle.signature.model_copy(update={"columns": [*bundle.signature.columns, *added]})
