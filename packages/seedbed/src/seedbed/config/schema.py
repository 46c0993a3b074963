"""The typed schema of params.yaml: strict, frozen, no unknown keys."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Task = Literal["binary", "multiclass", "regression"]
Role = Literal["feature", "target", "key", "time", "group", "known_after_outcome", "other"]
ColumnType = Literal["number", "category", "boolean", "time", "text", "image", "document"]
TimePart = Literal[
    "year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "seconds"
]
Severity = Literal["critical", "warning", "info"]
Aggregate = Literal["count", "mean", "sum", "min", "max", "last"]
ROWS = "_rows"
"""What stands for the rows themselves under ``aggregate`` of a join."""
TEXT_TYPES: tuple[ColumnType, ...] = ("category", "text", "image", "document")
"""The types whose values are text: what stands there, or the path of a file."""
UNKNOWN_BEFORE: tuple[Role, ...] = ("target", "known_after_outcome")
"""The roles of columns that nobody can know at the moment of prediction."""
Fraction = Annotated[float, Field(gt=0, lt=1)]


class Section(BaseModel):
    """A part of params.yaml that knows all of its keys and never changes after it was read."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


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
    missing: list[str] = []


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
    columns: list[str] = []
    aggregate: dict[str, Annotated[list[Aggregate], Field(min_length=1)]] = {}
    time: str | None = None
    rename: dict[str, str] = {}

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
    joins: list[Join] = []
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
    key: list[str] = []
    number: list[str] = []
    category: list[str] = []
    boolean: list[str] = []
    text: list[str] = []
    date: list[str] = []
    image: list[str] = []
    document: list[str] = []
    known_after_outcome: list[str] = []
    types: dict[str, ColumnType] = {}
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
    ] = {}

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


class Problem(Section):
    """The question in words, and all that depends on it alone.

    With `above`, the target is whether the target column exceeds that value; else `positive` is the
    positive class of a binary problem. `card` holds what a model card says of the question.
    """

    question: str
    card: list[str] = []
    task: Task
    above: float | None = None
    positive: str | int | bool | None = None
    metric: str
    threshold: Literal["f1", "balanced_accuracy", "half"] = "half"
    slices: list[str] = []


class Source(Section):
    """Where rows come from; `path` is a file, a glob or a folder for all kinds but package.

    What `options` may hold is in :data:`seedbed.config.sources.OPTIONS`.
    """

    kind: str
    path: str | None = None
    options: dict[str, Any] = {}

    def of(self, table: Table) -> "Source":
        """Return how a table is read: by kind and options of its own, where it has them."""
        if table.kind is None and table.options is None:
            return self
        return Source(kind=table.kind or self.kind, path=self.path, options=table.options or {})


class Expectation(Section):
    """One Great Expectations expectation: its class name, its arguments, its severity."""

    type: str
    severity: Severity = "critical"
    arguments: dict[str, Any] = {}


class Expectations(Section):
    """A suite."""

    suite: list[Expectation]


class ValidRange(Section):
    """The interval [low, high] outside of which a value of `column` is impossible."""

    column: str
    low: float | None = None
    high: float | None = None


class Cleaning(Section):
    """Value cleaning (also at serving) and row cleaning (training only)."""

    strip_text: bool = True
    missing_text: list[str] = [""]
    valid_range: list[ValidRange] = []
    drop_duplicates: bool = True


class Derived(Section):
    """A stateless feature made of other columns of the same row."""

    name: str
    kind: str
    columns: list[str]


class Text(Section):
    """How free text becomes numbers: n-grams, their weights, and how many numbers they become.

    `words` are n-grams of one and two words, `characters` of three and four characters within
    words. `tfidf` learns which there are and how rare each is; `hashing` only counts them.
    `components` of a truncated SVD stand for all n-grams; null keeps the n-grams themselves, for
    models that take sparse values.
    """

    analyzer: Literal["words", "characters"] = "words"
    weights: Literal["tfidf", "hashing"] = "tfidf"
    components: Annotated[int, Field(ge=1)] | None = 30


class Image(Section):
    """How images become numbers: a square of `size` pixels a side, grey or in `color`.

    `components` of a principal component analysis stand for the pixels.
    """

    size: Annotated[int, Field(ge=1, le=256)] = 16
    color: bool = False
    components: Annotated[int, Field(ge=1)] = 20


class Features(Section):
    """Which features there are.

    Stage featurize computes what a row alone tells: parts of its time (`time_parts`) and of each
    date (`date_parts`), these also as sine and cosine (`cyclic`), and what `derived` names. What
    learns is fitted on train rows, in the model's pipeline: `text` (of documents too) and `image`;
    the mean target of a category with more than `high_cardinality` values; `missing_indicators` for
    numbers; `clip`, two quantiles beyond which numbers are cut off; and `selection` of at most
    `selected` of the numbers that the estimator would see (k_best: by an F test of each;
    importance: by trees; variance: all that vary).
    """

    time_parts: list[TimePart] = []
    date_parts: list[TimePart] = ["year", "month", "day_of_week", "day_of_year", "hour", "seconds"]
    cyclic: bool = False
    use_derived: bool = False
    derived: list[Derived] = []
    drop: list[str] = []
    text: Text = Text()
    image: Image = Image()
    high_cardinality: Annotated[int, Field(ge=1)] | None = 254
    missing_indicators: bool = False
    clip: Annotated[list[Fraction], Field(min_length=2, max_length=2)] | None = None
    selection: Literal["k_best", "importance", "variance"] | None = None
    selected: Annotated[int, Field(ge=1)] = 50

    @field_validator("clip")
    @classmethod
    def _is_low_and_high(cls, clip: list[float] | None) -> list[float] | None:
        if clip and clip[0] >= clip[1]:
            raise ValueError(f"quantile {clip[0]:g} is not below {clip[1]:g}; write [0.01, 0.99]")
        return clip


class Split(Section):
    """Which rows are train, validation and test, and how cross-validation folds the train rows.

    With `repeats`, the train rows are folded anew so often, for steadier figures of small data.
    """

    kind: Literal["time", "random", "stratified", "group"]
    validation: Fraction
    test: Fraction
    folds: Annotated[int, Field(ge=2)]
    repeats: Annotated[int, Field(ge=1)] = 1
    seed: int = 0

    @model_validator(mode="after")
    def _leaves_train_rows(self) -> "Split":
        if self.validation + self.test >= 1:
            raise ValueError(
                f"validation {self.validation} and test {self.test} leave no train rows: "
                "keep the sum below 1"
            )
        if self.repeats > 1 and self.kind == "time":
            raise ValueError(
                f"repeats {self.repeats} and kind time exclude each other: time has one order, so "
                "folds by time are the same again; take repeats out"
            )
        return self


class Preprocessing(Section):
    """What stands before the estimator in the pipeline."""

    categories: Literal["one_hot", "ordinal", "native"]
    scale: bool
    impute: bool
    min_frequency: Annotated[int, Field(ge=1)] = 20


class Model(Section):
    """One estimator for both kinds of task: `arguments` go to whichever of the two is taken.

    A regression learns the logarithm (`log`) or the normal score (`quantile`) of a skewed target
    where `target_transform` says so; its predictions are in the target's unit either way.
    """

    name: str
    classification: dict[str, Any]
    regression: dict[str, Any]
    arguments: dict[str, Any] = {}
    preprocessing: Preprocessing
    calibration: Literal["sigmoid", "isotonic"] | None = None
    class_weight: Literal["balanced"] | None = None
    target_transform: Literal["log", "quantile"] | None = None


class Evaluation(Section):
    """How much work honest figures get.

    `second_baseline` fits the same estimator behind skrub's own preprocessing and reports it.
    """

    bootstrap: Annotated[int, Field(ge=40)]
    importance_rows: Annotated[int, Field(ge=10)]
    importance_repeats: Annotated[int, Field(ge=1)]
    second_baseline: Literal["skrub"] | None = None


class AgainstChampion(Section):
    """What a model must reach beside the one in use.

    `tolerance` is a share of the champion's figure.
    """

    compare: bool = True
    tolerance: Annotated[float, Field(ge=0)] = 0.01
    superiority: bool = False


class Monitor(Section):
    """From which effect on a model in use is said to drift, or to have lost performance.

    Attributes
    ----------
    psi : float
        Population stability index of a column, less what chance makes it.
    missing, unseen : float
        Shares of rows by which missing values, and values never seen before, may grow.
    domain_auc : float
        ROC AUC of a classifier that tells current rows from the reference.
    performance : float
        Share of the deciding metric that may be lost.
    false_alarms : float
        Chance of an alarm without drift: of all columns together, of the scores, and of the
        classifier.
    least_rows : int
        Fewer rows decide nothing.
    """

    psi: Annotated[float, Field(gt=0)] = 0.1
    missing: Annotated[float, Field(gt=0, le=1)] = 0.05
    unseen: Annotated[float, Field(gt=0, le=1)] = 0.02
    domain_auc: Annotated[float, Field(gt=0.5, le=1)] = 0.55
    performance: Annotated[float, Field(gt=0)] = 0.05
    false_alarms: Annotated[float, Field(gt=0, lt=1)] = 0.01
    least_rows: Annotated[int, Field(ge=20)] = 100


class Gate(Section):
    """What a model must reach before it may be packaged."""

    thresholds: dict[str, float] = {}
    better_than_baseline: bool = True
    champion: AgainstChampion = AgainstChampion()


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
    project: dict[str, Any] = {}
