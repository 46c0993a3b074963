"""What goes to an output, and the progress that is kept beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
from pydantic import Field

from seedbed.config.section import Section
from seedbed.errors import UserError, one_line
from seedbed.serving.scoring.batches import Done, Rejected
from seedbed.serving.unusual import Unusual

REMEDY = "Type the command as it was, or begin anew with --restart: what was answered is lost then."


class Totals(Section):
    """Counts of the rows up to here; `taken` and `cursor` say where an input goes on."""

    batches: int = 0
    taken: int = 0
    answered: int = 0
    rejected: int = 0
    unusual: dict[str, Unusual] = Field(default_factory=dict)
    cursor: Any = None

    def __add__(self, other: "Totals") -> "Totals":
        """Return the counts of these rows and of those after them."""
        names = dict.fromkeys([*self.unusual, *other.unusual])
        none = Unusual()
        return Totals(
            batches=self.batches + other.batches,
            taken=self.taken + other.taken,
            answered=self.answered + other.answered,
            rejected=self.rejected + other.rejected,
            unusual={
                name: self.unusual.get(name, none) + other.unusual.get(name, none) for name in names
            },
            cursor=other.cursor,
        )

    @property
    def done(self) -> Done:
        """Where an input goes on."""
        return Done(self.taken, self.cursor)


@dataclass(frozen=True)
class Part:
    """A batch as it goes to an output."""

    rows: pa.Table  # shape (n_good_rows, n_columns)
    rejected: Sequence[Rejected]
    counts: Totals  # of this batch alone


class Output(Protocol):
    """Takes parts in their order; after a kill it knows which it has."""

    totals: Totals  # of the parts that it has
    schema: pa.Schema | None  # of their rows; None before the first
    finished: bool  # whether nothing is left but :meth:`finish`

    def write(self, part: Part) -> None:
        """Keep a part, whole or not at all."""
        ...

    def finish(self) -> None:
        """Put all rows where they belong."""
        ...

    def close(self) -> None:
        """Give up what this process holds; what was written is kept."""
        ...


def refuse_other_run(there: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Refuse to go on with what another input, bundle or option began.

    Raises UserError if they differ; it names what does.
    """
    differs = [name for name in now if there.get(name) != now[name]]
    if differs:
        raise UserError(
            f"{where} holds rows of a run that was stopped, and now {' and '.join(differs)} "
            f"{'is' if len(differs) == 1 else 'are'} another. {REMEDY}"
        )


def conform(rows: pa.Table, schema: pa.Schema | None) -> pa.Table:
    """Return rows in the types of those before them.

    Raises UserError if a value does not fit.
    """
    if schema is None or rows.schema.equals(schema):
        return rows
    columns = {}
    for field in schema:
        try:
            columns[field.name] = rows[field.name].cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise UserError(
                f"column {field.name}: the first rows hold values of type {field.type}, and others "
                f"do not fit ({one_line(error)}). Leave it out with --keep."
            ) from None
    return pa.table(columns, schema=schema)
