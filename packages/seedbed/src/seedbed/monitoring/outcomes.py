"""Adds outcomes that have come since to a prediction log."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.errors import UserError, did_you_mean, one_line
from seedbed.files import replacing
from seedbed.locks import lock
from seedbed.monitoring.logs import OUTCOME, OUTCOMES, is_log, log_files
from seedbed.serving.log_files import PLACE, REQUEST


@dataclass(frozen=True)
class Added:
    """What :func:`add_outcomes` did with the rows of a file."""

    new: int  # outcomes that were added, that had been added before, and that took another's place
    same: int
    replaced: int
    unknown: int  # rows whose key is not in the log


def add_outcomes(
    folder: Path, rows: pd.DataFrame, target: str, on: Sequence[str], replace: bool = False
) -> Added:
    """Add outcomes to a prediction log; the same ones once more change nothing.

    Parameters
    ----------
    rows : DataFrame, shape (n_rows, n_columns)
        With the target and the columns of `on`.
    on : sequence of str
        Columns by which a row of the log is found: ``request_id`` (and ``request_row``, 0 where it
        is not given), or inputs that are unique in the log.
    replace : bool
        Whether an outcome may take the place of another one of the same key.

    Raises UserError if the log has no such key, a key is that of several requests in it, or an
    outcome contradicts another or one that was added before; nothing is added then.
    """
    if not is_log(folder):
        raise UserError(
            f"{folder}: this is no prediction log, which has a folder for each day. Give the one "
            "that `seedbed serve --log` writes."
        )
    if REQUEST in on and PLACE not in on:
        rows, on = rows if PLACE in rows else rows.assign(**{PLACE: 0}), [*on, PLACE]
    given = rows[[*on, target]].dropna(subset=[target]).drop_duplicates()
    if (twice := given.duplicated(list(on), keep=False)).any():
        raise UserError(
            f"The outcomes contradict each other: for {_shown(given[twice], on)} there is more "
            f"than one {target}. Keep one for each key."
        )
    with closing(lock(folder / ".outcomes.lock")):
        logged = _read_keys(folder, on)
        asked = _with_key(logged, folder, on)
        found = _alike(given, asked, on).merge(asked, how="left", on=list(on), indicator=True)
        known = found["_merge"] == "both"
        kept = found.loc[known, [REQUEST, PLACE, target]].rename(columns={target: OUTCOME})
        before = _read_outcomes(folder)
        # Of days that the log has forgotten, there is nothing left to judge.
        before = kept.iloc[:0] if before is None else before[before[REQUEST].isin(logged[REQUEST])]
        both = kept.merge(before, on=[REQUEST, PLACE], suffixes=("", "_before"))
        differ = both[both[OUTCOME] != both[f"{OUTCOME}_before"]]
        if len(differ) and not replace:
            first = differ.iloc[0]
            raise UserError(
                f"{len(differ):,} outcomes contradict what was added before: for "
                f"{_shown(differ, [REQUEST, PLACE])} {target} is {first[OUTCOME]!s}, and was "
                f"{first[f'{OUTCOME}_before']!s}. Nothing was added. If the new ones are right, "
                "repeat the command with --replace."
            )
        whole = pd.concat([before, kept]).drop_duplicates([REQUEST, PLACE], keep="last")
        with replacing(folder / OUTCOMES) as beside:
            whole.sort_values([REQUEST, PLACE]).to_parquet(beside, index=False)
    same = len(both) - len(differ)
    return Added(len(kept) - len(both), same, len(differ), int((~known).sum()))


def _read_outcomes(folder: Path) -> pd.DataFrame | None:
    file = folder / OUTCOMES
    return pd.read_parquet(file) if file.is_file() else None


def _read_keys(folder: Path, on: Sequence[str]) -> pd.DataFrame:
    """Return the request, the row and the key of each row in the log."""
    names = list(dict.fromkeys([REQUEST, PLACE, *on]))
    tables = []
    for file in log_files(folder):
        try:
            held = pq.read_schema(file).names
            if absent := [name for name in names if name not in held]:
                raise UserError(
                    f"{file}: the prediction log has no column {absent[0]}"
                    f"{did_you_mean(absent[0], held)}. Name the key with --on: {REQUEST}, or "
                    "inputs that the log keeps."
                )
            tables.append(pq.read_table(file, columns=names))
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"{file}: this file is damaged ({one_line(error)}). Remove it from the log, and "
                "repeat the command."
            ) from None
    return pa.concat_tables(tables, promote_options="permissive").to_pandas()


def _with_key(logged: pd.DataFrame, folder: Path, on: Sequence[str]) -> pd.DataFrame:
    """Return the rows that have a key, which must tell them apart."""
    asked = logged.dropna(subset=list(on)).drop_duplicates()
    if (twice := asked.duplicated(list(on), keep=False)).any():
        raise UserError(
            f"{folder}: {', '.join(on)} do not tell the rows of the prediction log apart: "
            f"{_shown(asked[twice], on)} is there {int(twice.sum())} times. Use {REQUEST}."
        )
    return asked


def _alike(given: pd.DataFrame, asked: pd.DataFrame, on: Sequence[str]) -> pd.DataFrame:
    """Return the outcomes with keys of the types that the log has."""
    for name in on:
        kind = asked[name].dtype
        try:
            given = given.assign(**{name: given[name].astype(kind)})
        except (ValueError, TypeError) as error:
            raise UserError(
                f"The outcomes' column {name} is not of the prediction log's type {kind} "
                f"({one_line(error)}). Write it as it was sent."
            ) from None
    return given


def _shown(rows: pd.DataFrame, on: Sequence[str]) -> str:
    return ", ".join(f"{name}={rows[name].iloc[0]}" for name in on)
