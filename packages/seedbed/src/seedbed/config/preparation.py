"""The sections of params.yaml on rows: validation, cleaning, features and split."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from seedbed.config.section import Fraction, Section

TimePart = Literal[
    "year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "seconds"
]
Severity = Literal["critical", "warning", "info"]


class Expectation(Section):
    """One Great Expectations expectation: its class name, its arguments, its severity."""

    type: str
    severity: Severity = "critical"
    arguments: dict[str, Any] = Field(default_factory=dict)


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
    missing_text: list[str] = Field(default=[""])
    valid_range: list[ValidRange] = Field(default_factory=list)
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

    time_parts: list[TimePart] = Field(default_factory=list)
    date_parts: list[TimePart] = Field(
        default=["year", "month", "day_of_week", "day_of_year", "hour", "seconds"]
    )
    cyclic: bool = False
    use_derived: bool = False
    derived: list[Derived] = Field(default_factory=list)
    drop: list[str] = Field(default_factory=list)
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
