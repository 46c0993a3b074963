"""The typed schema of params.yaml: strict, frozen, no unknown keys.

The sections on data stand here; a project finds those on rows and models here as well.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from seedbed.config.joins import Join
from seedbed.config.modelling import Evaluation, Gate, Model, Problem
from seedbed.config.preparation import Cleaning, Expectations, Features, Split
from seedbed.config.section import Section

__all__ = [
    "Cleaning",
    "Column",
    "ColumnLists",
    "ColumnType",
    "Dataset",
    "Evaluation",
    "Expectations",
    "Features",
    "Gate",
    "Model",
    "Params",
    "Problem",
    "Role",
    "Source",
    "Split",
    "Table",
    "Window",
]

Role = Literal["feature", "target", "key", "time", "group", "known_after_outcome", "other"]
ColumnType = Literal["number", "category", "boolean", "time", "text", "image", "document"]
TEXT_TYPES: tuple[ColumnType, ...] = ("category", "text", "image", "document")
"""The types whose values are text: what stands there, or the path of a file."""
UNKNOWN_BEFORE: tuple[Role, ...] = ("target", "known_after_outcome")
"""The roles of columns that nobody can know at the moment of prediction."""


class Table(Section):
    """Where a table lies: a `file` of an installed `package`, or what its `loader` returns.

    Sources of files ignore these and read <name>.csv, <name>.parquet and so on; `kind` and
    `options` say how this table is read, where it is another way than `source` says. `missing`
    lists what stands for a missing text, beside the empty field, such as NA.
    """

    name: str
    kind: str | None = None
    options: dict[str, Any] | None = None
    package: str | None = None
    file: str | None = None
    loader: str | None = None
    missing: list[str] = Field(default_factory=list)


class Window(Section):
    """The half-open interval [start, end) of the time column, in the time zone of the data.

    null is unbounded.
    """

    start: str | None = None
    end: str | None = None

    @model_validator(mode="after")
    def _is_an_interval(self) -> "Window":
        bounds = [
            datetime.fromisoformat(bound) for bound in (self.start, self.end) if bound is not None
        ]
        if len({bound.tzinfo is None for bound in bounds}) == 2:
            raise ValueError(
                f"of start {self.start} and end {self.end} one has an offset and the other has none"
            )
        if len(bounds) == 2 and bounds[0] >= bounds[1]:
            raise ValueError(f"start {self.start} is not before end {self.end}")
        return self


class Dataset(Section):
    """Which rows there are: tables, how they join, and the window and sample of them that is used.

    The first table is the one whose rows are asked about. `samples_in_bundle` says how many train
    rows a bundle carries with its answers, for `seedbed bundle verify`; 0 if none may leave.
    """

    name: str
    tables: Annotated[list[Table], Field(min_length=1)]
    joins: list[Join] = Field(default_factory=list)
    window: Window = Window()
    sample: Annotated[int, Field(ge=1)] | None = None
    samples_in_bundle: Annotated[int, Field(ge=0)] = 50
    time_zone: str = "UTC"

    @field_validator("tables")
    @classmethod
    def _have_different_names(cls, tables: list[Table]) -> list[Table]:
        names = [table.name for table in tables]
        if len(set(names)) < len(names):
            raise ValueError(f"two tables have one name ({', '.join(names)})")
        return tables

    @field_validator("time_zone")
    @classmethod
    def _is_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(
                f"{name!r} is no time zone; write one such as Europe/Zurich or UTC"
            ) from None
        return name

    @property
    def base(self) -> str:
        """The name of the first table."""
        return self.tables[0].name

    @property
    def table_names(self) -> list[str]:
        """The names of all tables."""
        return [table.name for table in self.tables]

    def table(self, name: str) -> Table:
        """Return the table of that name."""
        return next(table for table in self.tables if table.name == name)


class ColumnLists(Section):
    """The columns by role: names, globs such as `temp*`, and what a list leaves out: `!temp_max`.

    `number`, `category`, `boolean`, `text` (free text), `date`, `image` and `document` (paths of
    files, relative to the repository) are the features. Columns of other roles are numbers, and the
    time a time, unless `types` says otherwise; a column that only `types` names is read and is no
    feature. `move` puts single columns into another list: it is for the command line, which cannot
    add to a list. :mod:`seedbed.config.columns` applies these to the columns of a table.
    """

    target: str
    time: str | None = None
    group: str | None = None
    key: list[str] = Field(default_factory=list)
    number: list[str] = Field(default_factory=list)
    category: list[str] = Field(default_factory=list)
    boolean: list[str] = Field(default_factory=list)
    text: list[str] = Field(default_factory=list)
    date: list[str] = Field(default_factory=list)
    image: list[str] = Field(default_factory=list)
    document: list[str] = Field(default_factory=list)
    known_after_outcome: list[str] = Field(default_factory=list)
    types: dict[str, ColumnType] = Field(default_factory=dict)
    move: dict[
        str,
        Literal[
            "number",
            "category",
            "boolean",
            "text",
            "date",
            "image",
            "document",
            "known_after_outcome",
        ],
    ] = Field(default_factory=dict)

    @field_validator("target", "time", "group", mode="before")
    @classmethod
    def _is_one(cls, name: Any) -> Any:
        if isinstance(name, list):
            raise ValueError("one column at most can have that role, so write a name and no list")
        return name


class Column(Section):
    """What one column of the rows means. Only role `feature` may ever reach a model.

    `key` says whether the column is part of the row's key.
    """

    role: Role
    type: ColumnType = "number"
    key: bool = False


class Source(Section):
    """Where rows come from; `path` is a file, a glob or a folder for all kinds but package.

    What `options` may hold is in :data:`seedbed.config.sources.OPTIONS`.
    """

    kind: str
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)

    def of(self, table: Table) -> "Source":
        """Return how a table is read: by kind and options of its own, where it has them."""
        if table.kind is None and table.options is None:
            return self
        return Source(kind=table.kind or self.kind, path=self.path, options=table.options or {})


class Params(Section):
    """All of params.yaml; `project` holds what stages of the project's own read."""

    conf_hash: str
    seed: int
    dataset: Dataset
    columns: ColumnLists
    problem: Problem
    source: Source
    expectations: Expectations
    cleaning: Cleaning
    features: Features
    split: Split
    model: Model
    evaluation: Evaluation
    gate: Gate
    project: dict[str, Any] = Field(default_factory=dict)
