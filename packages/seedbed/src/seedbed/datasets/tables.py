"""Several tables: how they join to the first one, guessed from their rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from seedbed.config.joins import ROWS, Aggregate, Join
from seedbed.config.schema import ColumnLists, ColumnType, Dataset, Table
from seedbed.data.joining import JoinedTable
from seedbed.datasets.guesses import Guess, check_column, read_as
from seedbed.datasets.inferring import infer_columns
from seedbed.datasets.links import in_order, parse_joins
from seedbed.datasets.names import NOT_OF_THE_ROW, hints_at
from seedbed.datasets.sniffing import Sniffed, read_as_text, sniff
from seedbed.datasets.splitting import SplitGuess, infer_split
from seedbed.errors import UserError, some_of

FIGURES: tuple[Aggregate, ...] = ("mean", "last")
"""Of each number of a table with many rows for a key; `last` only where a time orders them."""


@dataclass(frozen=True)
class Related:
    """The first table with the columns of others, and how they came there."""

    # shape (n_rows, n_columns): the first table as it stands in the file, and what the joins add
    rows: pd.DataFrame
    split: SplitGuess  # of the first table alone: a time of another table is not that of the row
    joins: list[Join]
    reasons: list[str]  # what each join is, in words
    # the columns of the other tables, as they are in their files
    guesses: dict[str, dict[str, Guess]]
    warnings: list[str]

    @property
    def keys(self) -> set[str]:
        """The columns of `rows` that a join goes by."""
        return {name for join in self.joins for name in join.pairs}


def sniff_tables(base: str, given: Sequence[str]) -> dict[str, Sniffed]:
    """Return how the tables beside the first are read, each given as NAME=PATH.

    Raises UserError if one is not given so, has the name of another, or cannot be read.
    """
    found: dict[str, Sniffed] = {}
    for text in given:
        name, sign, path = text.partition("=")
        if not sign or not re.fullmatch(r"\w+", name, flags=re.ASCII):
            raise UserError(
                f"--table {text}: write a name of letters, digits and _, an equals sign and a "
                "path, such as --table orders=orders.csv."
            )
        if name in (base, *found):
            raise UserError(
                f"--table {text}: there is a table {name} already. Give it another name; that of "
                "the first table is --name."
            )
        found[name] = sniff(path)
    return found


def relate_tables(
    base: str,
    frame: pd.DataFrame,
    others: Mapping[str, Sniffed],
    joins: Sequence[str],
    target: str,
    time: str | None = None,
    group: str | None = None,
) -> Related:
    """Join tables to the first one as stage ingest will.

    A table with one row for each key gives its columns, one with several gives figures of its rows:
    their count, and mean and last value of each number, of the rows before the time of the row.

    Parameters
    ----------
    base : str
        The name of the first table.
    frame : DataFrame, shape (n_rows, n_columns)
        The first table, as :func:`~seedbed.datasets.sniffing.read_as_text` returns it.
    others : dict of str to Sniffed
    joins : sequence of str
        Each as ``child.key=parent.key``; several of one table make a key of several columns.
    target, time, group : str
        See :func:`~seedbed.datasets.adding.add_dataset`.

    Raises UserError if a table or column is not there, or a table cannot be reached from the first.
    """
    check_column(frame, target, "--target")
    frames = {base: frame, **{name: read_as_text(sniffed) for name, sniffed in others.items()}}
    guesses = infer_columns(frame, target, time, group)
    split = infer_split(frame, guesses, time, group)
    known = split.column if split.kind == "time" else None
    dataset = Dataset(name=base, tables=[Table(name=name) for name in frames])
    rows = _as_read(frame, guesses)
    made: list[Join] = []
    reasons, warnings = [], []
    found: dict[str, dict[str, Guess]] = {}
    # The name that a column of a table has in the rows: of tables with one row for a row.
    names = {base: {str(name): str(name) for name in frame.columns}}
    for right, links in in_order(base, parse_joins(joins, frames), frames):
        if many := [link.parent for link in links if link.parent not in names]:
            raise UserError(
                f"--join: table {right} is joined to {many[0]}, which has many rows for one of "
                f"{base}. Join {right} and {many[0]} to one file first, and add that."
            )
        keys = {names[link.parent][link.parent_key]: link.child_key for link in links}
        found[right] = infer_columns(frames[right], "", None, None)
        table = _as_read(frames[right], found[right])
        dates = {name for name, guess in guesses.items() if guess.kind == "date"}
        types: dict[str, ColumnType] = {key: "time" if key in dates else "category" for key in keys}
        lists = ColumnLists(target=target, time=known, types=types)
        count = Join(table=right, keys=keys, aggregate={ROWS: ["count"]})
        counts = JoinedTable(table, count, dataset, lists).add_to(rows[list(keys)])[count.added[0]]
        if not counts.any():
            raise UserError(_no_row(base, rows, right, table, keys))
        moment = _time_of(frames[right], found[right])
        repeats = bool(table.dropna(subset=keys.values()).duplicated(list(keys.values())).any())
        # A child with a time may have one row for a key by chance, which may be a later one.
        is_child = not any(link.turned for link in links)
        reason = f"{(counts > 0).mean():.0%} of the rows have one"
        if repeats or (is_child and moment and known):
            join = _figures(right, keys, found[right], moment if known else None)
            reason = f"{reason} or more, {counts.mean():.1f} on average"
            warnings += _warn_of_time(right, moment, known, base)
            warnings += _warn_of_others(right, {*keys.values(), moment}, found[right])
        else:
            join = _columns(right, keys, table, rows)
            new_names = {name: join.rename.get(name, name) for name in join.columns}
            names[right] = new_names | {other: key for key, other in keys.items()}
        reasons.append(reason)
        rows = JoinedTable(table, join, dataset, lists).add_to(rows)
        made.append(join)
    added = [name for join in made for name in join.added]
    joined = pd.concat([frame, rows[added].set_axis(frame.index)], axis=1)
    return Related(joined, split, made, reasons, found, warnings)


def _as_read(frame: pd.DataFrame, guesses: Mapping[str, Guess]) -> pd.DataFrame:
    """Return a table as ingest reads it, by its formats and texts that stand for missing ones."""
    written = {
        name: read_as(frame[name], guess)
        if guess.form
        else frame[name].mask(frame[name].isin(guess.missing_texts))
        for name, guess in guesses.items()
        if guess.form or guess.missing_texts
    }
    return frame.assign(**written)


def _no_row(
    base: str, rows: pd.DataFrame, table: str, other: pd.DataFrame, keys: Mapping[str, str]
) -> str:
    left, right = list(keys), list(keys.values())
    examples = [
        ", ".join(map(str, values.dropna().iloc[0])) if len(values.dropna()) else "missing"
        for values in (rows[left], other[right])
    ]
    return (
        f"--join: no row of {table} has a key of {base}: {', '.join(left)} is {examples[0]} there, "
        f"and {', '.join(right)} of {table} is {examples[1]}, for example. Name other columns, or "
        "write the keys alike in both files."
    )


def _time_of(frame: pd.DataFrame, guesses: dict[str, Guess]) -> str | None:
    """Return the column that says when a row of a joined table happened, or None."""
    split = infer_split(frame, guesses, None, None)
    if split.kind == "time":
        return split.column
    dates = [name for name, guess in guesses.items() if guess.kind == "date"]
    return next((name for name in dates if not hints_at(name, NOT_OF_THE_ROW)), None)


def _figures(
    table: str, keys: dict[str, str], guesses: Mapping[str, Guess], time: str | None
) -> Join:
    aggregates: dict[str, list[Aggregate]] = {ROWS: ["count"]}
    for name, guess in guesses.items():
        if guess.kind == "number" and name not in (*keys.values(), time):
            aggregates[name] = list(FIGURES if time else FIGURES[:1])
    return Join(table=table, keys=keys, aggregate=aggregates, time=time)


def _warn_of_others(
    table: str, used: set[str | None], guesses: Mapping[str, Guess]
) -> Iterator[str]:
    """Say which columns give no figures, since they are no numbers."""
    kinds = ("boolean", "category", "high_cardinality", "date", "text")
    if others := [name for name in guesses if guesses[name].kind in kinds and name not in used]:
        first = others[0]
        yield (
            f"columns of {table} that are no numbers give no figures: {some_of(others, 5)}. For a "
            f"last value write `{first}: [last]` under aggregate of the join, and "
            f"{table}_{first}_last in a list under columns"
        )


def _columns(table: str, keys: dict[str, str], other: pd.DataFrame, rows: pd.DataFrame) -> Join:
    columns = [str(name) for name in other.columns if name not in keys.values()]
    rename = {name: f"{table}_{name}" for name in columns if name in rows.columns}
    return Join(table=table, keys=keys, columns=columns, rename=rename)


def _warn_of_time(table: str, moment: str | None, known: str | None, base: str) -> list[str]:
    if moment and known:
        return []
    if moment:
        why = f"the rows of {base} have no time: name it with --time if there is one"
    else:
        why = f"{table} has no time"
    return [
        f"all rows of {table} count for a row of {base}, also those that came later, since {why}"
    ]
