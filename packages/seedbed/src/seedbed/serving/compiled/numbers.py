"""What the Pipeline does to numbers, for one row: clip, impute, mark what is missing, scale."""

from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

from seedbed.serving.compiled.exceptions import NotCompilableError

Numbers = list[float]
Encode = Callable[[Numbers], Numbers]


def compile_numbers(step: Any) -> Encode:
    """Return what a fitted step of the number features does to the numbers of one row.

    Raises NotCompilableError if it names a step that has no compiled form.
    """
    kind = type(step).__name__
    if kind == "Pipeline":
        return _chained([compile_numbers(inner) for _, inner in step.steps])
    if kind == "FeatureUnion":
        parts = [compile_numbers(inner) for _, inner in step.transformer_list]
        return lambda row: [number for part in parts for number in part(row)]
    if kind not in STEPS or (kind == "FunctionTransformer" and step.func is not None):
        raise NotCompilableError(f"the encoder {kind}")
    return STEPS[kind](step)


def _chained(steps: Sequence[Encode]) -> Encode:
    def encode(row: Numbers) -> Numbers:
        for step in steps:
            row = step(row)
        return row

    return encode


def _clip(step: Any) -> Encode:
    bounds = list(zip(step.low_.tolist(), step.high_.tolist(), strict=True))
    return lambda row: [
        low if value < low else high if value > high else value
        for value, (low, high) in zip(row, bounds, strict=True)
    ]


def _impute(step: Any) -> Encode:
    fill = step.statistics_.tolist()
    mark = _mark_missing(step.indicator_) if step.add_indicator else lambda row: []
    return lambda row: [
        *[other if isnan(value) else value for value, other in zip(row, fill, strict=True)],
        *mark(row),
    ]


def _mark_missing(step: Any) -> Encode:
    marked = step.features_.tolist()
    return lambda row: [float(isnan(row[place])) for place in marked]


def _scale(step: Any) -> Encode:
    factors = list(zip(step.mean_.tolist(), step.scale_.tolist(), strict=True))
    return lambda row: [
        (value - mean) / scale for value, (mean, scale) in zip(row, factors, strict=True)
    ]


STEPS: dict[str, Callable[[Any], Encode]] = {
    "FunctionTransformer": lambda step: list,
    "QuantileClipper": _clip,
    "SimpleImputer": _impute,
    "MissingIndicator": _mark_missing,
    "StandardScaler": _scale,
}
