"""One run of `seedbed score`: from an input to an output, whole or to go on with later."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from seedbed.data.roles import key_columns
from seedbed.errors import UserError, did_you_mean, some_of
from seedbed.progress import RowProgress
from seedbed.serving.bundle import Bundle
from seedbed.serving.scoring.batches import ROW_NUMBER, Batch
from seedbed.serving.scoring.inputs import Input, Wanted
from seedbed.serving.scoring.logging import ScoreLog
from seedbed.serving.scoring.outputs import Output, Part, Totals, conform
from seedbed.serving.scoring.predicting import VERSION, Scored, answer_schema
from seedbed.serving.scoring.reading import count_rows
from seedbed.serving.scoring.workers import score_all, scoring

SHOWN = 5
"""How many columns a message names."""


@dataclass(frozen=True)
class Plan:
    """What a run does with rows."""

    bundle: Bundle
    path: Path  # where the bundle lies
    wanted: Wanted
    numbered: bool  # whether the output has the column :data:`ROW_NUMBER`
    on_error: Literal["reject", "stop"]

    @property
    def identity(self) -> dict[str, Any]:
        """What must be the same when a run that was stopped goes on."""
        return {
            "the bundle": self.bundle.version,
            "--keep": list(self.wanted.kept),
            "--on-error": self.on_error,
            "the size of a batch": self.wanted.size,
        }


def plan_run(
    source: Input,
    bundle: Bundle,
    path: Path,
    keep: str = "keys",
    on_error: Literal["reject", "stop"] = "reject",
    *,
    size: int,
    numbered: bool = False,
) -> Plan:
    """Return what is to be done with the rows of an input.

    Parameters
    ----------
    path : Path
        Where it lies, for processes that load it.
    keep : str
        "keys", "all" or names of columns between commas: those of the input that the output has.
    on_error : {"reject", "stop"}
        What happens to rows that do not fit the bundle's signature.
    size : int
        Rows of a batch: what a killed run loses at most of each process.
    numbered : bool
        Whether to number the rows also where keys tell them apart.

    Raises UserError if the input lacks a column, or a column that is kept has the name of an
    answer.
    """
    needed = {column.name: column.type for column in bundle.signature.columns}
    absent = [f"{name} ({kind})" for name, kind in needed.items() if name not in source.columns]
    if absent:
        others = set(source.columns) - set(needed)
        near = did_you_mean(absent[0].partition(" (")[0], others)
        raise UserError(
            f"{source.name}: {len(absent)} of the {len(needed)} columns that {path} needs are "
            f"missing: {', '.join(absent)}{near}. There are {some_of(source.columns, 20)}. Rename "
            "or add them; a column whose values are not known may be empty."
        )
    keys = [name for name in key_columns(bundle.recipe.columns) if name in source.columns]
    kept = {"keys": keys, "all": list(source.columns)}.get(keep)
    if kept is None:
        kept = list(dict.fromkeys(name.strip() for name in keep.split(",") if name.strip()))
        for name in kept:
            if name not in source.columns:
                raise UserError(
                    f"--keep: {source.name} has no column {name!r}"
                    f"{did_you_mean(name, source.columns)}. Write all, keys, or names of its "
                    "columns between commas."
                )
    numbered = numbered or (keep == "keys" and not keys)
    added = [*answer_schema(bundle).names, VERSION, *([ROW_NUMBER] if numbered else [])]
    if clash := [name for name in kept if name in added]:
        raise UserError(
            f"{source.name}: the column{'s' * (len(clash) > 1)} {', '.join(clash)} would stand "
            "beside an answer of that name. Leave it out (--keep), or rename it in the input."
        )
    columns = tuple(dict.fromkeys([*needed, *kept]))
    numbers = {name for name, kind in needed.items() if kind == "number"} - set(kept)
    return Plan(
        bundle, path, Wanted(columns, frozenset(numbers), tuple(kept), size), numbered, on_error
    )


def run(
    plan: Plan, source: Input, output: Output, processes: int = 1, log: ScoreLog | None = None
) -> Totals:
    """Answer all rows of an input that the output does not have yet; return the counts of all.

    Parameters
    ----------
    processes : int
        How many predict at a time.
    log : ScoreLog, optional
        What is answered is kept there as well.

    Raises UserError if there are no rows, none of the first can be read, or, by choice, one cannot.
    """
    try:
        if not output.finished:
            _go_on(plan, source, output, processes, log)
        if log:
            log.finish()
        output.finish()
        if log:
            log.close()
    finally:
        output.close()
    return output.totals


def _go_on(plan: Plan, source: Input, output: Output, processes: int, log: ScoreLog | None) -> None:
    done = output.totals.done
    batches = source.batches(plan.wanted, done)
    progress = RowProgress(source.rows, done.rows)
    first = next(batches, None)
    if first is None:
        if not done.rows:
            raise UserError(f"{source.name}: there are no rows. Give an input with rows.")
        return
    with (
        scoring(plan.bundle, plan.path, source.wording, processes) as submit,
        closing(score_all(chain([first], batches), submit, processes)) as answered,
    ):
        for batch, scored in answered:
            _refuse_bad(plan, source, output, batch, scored)
            rows = conform(_compose(plan, batch, scored), output.schema)
            if log:  # first, so that a row that has an answer is never missing there
                log.add(batch, scored, source.wording)
            output.write(Part(rows, scored.rejected, _count(batch, scored)))
            progress.add(batch.taken)
    progress.close()


def _refuse_bad(plan: Plan, source: Input, output: Output, batch: Batch, scored: Scored) -> None:
    if not scored.rejected:
        return
    bad = scored.rejected[0]
    what = f"row {bad.row}{bad.column and f', column {bad.column}'}: {bad.value!r}: {bad.reason}"
    if plan.on_error == "stop":
        raise UserError(
            f"{source.name}, {what}. Correct it and type the command again with --restart, or have "
            "such rows set aside with --on-error reject."
        )
    if not output.totals.batches and not len(scored.answers):
        raise UserError(
            f"{source.name}: none of the first {batch.taken} rows can be read: {what}. Correct the "
            "input, or how it is read (--option)."
        )


def _compose(plan: Plan, batch: Batch, scored: Scored) -> pa.Table:
    """Return the rows of the output."""
    kept = batch.columns.select(list(plan.wanted.kept))
    if plan.numbered:
        kept = kept.add_column(0, ROW_NUMBER, [pa.array(batch.numbers)])
    if scored.good is not None:
        kept = kept.filter(pa.array(scored.good))
    columns = {name: _decoded(kept[name]) for name in kept.column_names}
    answers = {name: scored.answers[name] for name in scored.answers.column_names}
    version = pa.repeat(plan.bundle.version, len(scored.answers))
    return pa.table({**columns, **answers, VERSION: version})


def _decoded(values: pa.ChunkedArray) -> pa.ChunkedArray:
    is_encoded = pa.types.is_dictionary(values.type)
    return values.cast(values.type.value_type) if is_encoded else values


def _count(batch: Batch, scored: Scored) -> Totals:
    return Totals(
        batches=1,
        taken=batch.taken,
        answered=len(scored.answers),
        rejected=count_rows(scored.rejected),
        unusual=scored.unusual,
        cursor=batch.cursor,
    )


def describe(plan: Plan, totals: Totals) -> Iterator[str]:
    """Yield the warnings on values beyond those in training."""
    for column in plan.bundle.signature.columns:
        if found := totals.unusual.get(column.name):
            yield from found.sentences(column)
