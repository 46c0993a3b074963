"""The sections of params.yaml on models: the problem, the estimator, its figures and the gate."""

from typing import Annotated, Any, Literal

from pydantic import Field

from seedbed.config.section import Section

Task = Literal["binary", "multiclass", "regression"]
ThresholdRule = Literal["f1", "balanced_accuracy", "half"]


class Problem(Section):
    """The question in words, and all that depends on it alone.

    With `above`, the target is whether the target column exceeds that value; else `positive` is the
    positive class of a binary problem. `card` holds what a model card says of the question.
    """

    question: str
    card: list[str] = Field(default_factory=list)
    task: Task
    above: float | None = None
    positive: str | int | bool | None = None
    metric: str
    threshold: ThresholdRule = "half"
    slices: list[str] = Field(default_factory=list)


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
    arguments: dict[str, Any] = Field(default_factory=dict)
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


class Gate(Section):
    """What a model must reach before it may be packaged."""

    thresholds: dict[str, float] = Field(default_factory=dict)
    better_than_baseline: bool = True
    champion: AgainstChampion = AgainstChampion()
