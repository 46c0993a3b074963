"""The sections of params.yaml that say how tables join."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from seedbed.config.section import Section

Aggregate = Literal["count", "mean", "sum", "min", "max", "last"]
ROWS = "_rows"
"""What stands for the rows themselves under ``aggregate`` of a join."""


class Join(Section):
    """A left join of `table` to the first table on equal `keys`: each row of that stays one row.

    `keys` are names that both tables have, or ``{column: column of table}``. The join adds the
    `columns` of the one row that matches or, where many do, figures of them: `aggregate` lists them
    by column, such as ``{amount: [mean, last], _rows: [count]}``, which adds shop_amount_mean,
    shop_amount_last and shop_count of a table shop. `_rows` are the rows themselves; a missing
    value enters no figure. With `time`, a column of the table, only its rows before
    ``columns.time`` of the row count. `rename` gives added columns another name.
    """

    table: str
    keys: Annotated[list[str] | dict[str, str], Field(min_length=1)]
    columns: list[str] = Field(default_factory=list)
    aggregate: dict[str, Annotated[list[Aggregate], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    time: str | None = None
    rename: dict[str, str] = Field(default_factory=dict)

    @field_validator("keys", mode="before")
    @classmethod
    def _are_names(cls, keys: Any) -> Any:
        names = [*keys, *keys.values()] if isinstance(keys, dict) else keys
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("write names as a list, or as {column: column of the joined table}")
        return keys

    @property
    def pairs(self) -> dict[str, str]:
        """The keys: the column of the joined table by the column that it equals."""
        return self.keys if isinstance(self.keys, dict) else {name: name for name in self.keys}

    @property
    def figures(self) -> dict[str, tuple[str, Aggregate]]:
        """Column and aggregate of each figure, by the name of the column that is added."""
        return {
            self.rename.get(name, name): (column, aggregate)
            for column, aggregates in self.aggregate.items()
            for aggregate in aggregates
            for name in [f"{self.table}{'' if column == ROWS else f'_{column}'}_{aggregate}"]
        }

    @property
    def added(self) -> list[str]:
        """The names of the columns that are added."""
        return [*(self.rename.get(name, name) for name in self.columns), *self.figures]
