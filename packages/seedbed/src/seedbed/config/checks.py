"""What one section of params.yaml alone cannot tell: the sections that contradict each other."""

from collections.abc import Iterator, Mapping

from seedbed.config.columns import (
    FEATURES,
    ColumnTypes,
    Mistake,
    find_conflicts,
    is_glob,
    take_columns,
)
from seedbed.config.features import find_feature_mistakes
from seedbed.config.metrics import why_not
from seedbed.config.schema import Column, Params
from seedbed.config.sources import find_option_mistakes, why_no_source
from seedbed.errors import did_you_mean


def find_mistakes(params: Params) -> Iterator[Mistake]:
    """Yield what would stop a later stage, or be passed over in silence.

    The data are not known yet: the names that stand in params.yaml are taken for their columns, and
    what globs take is judged by ingest.
    """
    columns = take_columns(params.columns, dict.fromkeys(_names(params)))
    if why := why_no_source(params.source.kind):
        yield Mistake("source.kind", why)
    yield from find_option_mistakes(params.source)
    yield from _of_dataset(params)
    yield from find_conflicts(params.columns, columns)
    yield from _of_problem(params, columns)
    listed = [entry for role in FEATURES for entry in getattr(params.columns, role)]
    yield from find_feature_mistakes(columns, params.features, not any(map(is_glob, listed)))
    kind = params.split.kind
    if kind != "random" and not getattr(params.columns, kind):
        yield Mistake(
            "split.kind",
            f"is {kind}, and columns.{kind} names no column: choose -S split=random, or name one "
            f"with -S columns.{kind}=...",
            edit="columns",
        )
    yield from _of_cleaning(params, columns)
    for name in params.gate.thresholds:
        if why := why_not(name, params.problem.task):
            yield Mistake(f"gate.thresholds.{name}", why)


def _names(params: Params) -> Iterator[str]:
    yield params.columns.target
    yield from ColumnTypes(params.columns)
    yield from params.problem.slices
    yield from params.features.drop
    for derived in params.features.derived:
        yield from derived.columns
    for limits in params.cleaning.valid_range:
        yield limits.column


def _of_dataset(params: Params) -> Iterator[Mistake]:
    tables = params.dataset.table_names
    for place, join in enumerate(params.dataset.joins):
        if join.table not in tables:
            yield Mistake(
                f"dataset.joins.{place}.table",
                f"is {join.table!r}, which is not among dataset.tables"
                f"{did_you_mean(join.table, tables)}",
            )
        if unknown := [name for name in join.rename if name not in join.columns]:
            yield Mistake(
                f"dataset.joins.{place}.rename",
                f"renames {unknown[0]!r}, which is not among the join's columns",
            )


def _of_problem(params: Params, columns: Mapping[str, Column]) -> Iterator[Mistake]:
    problem, target = params.problem, params.columns.target
    kind, above, positive = columns[target].type, problem.above, problem.positive
    types = f"columns.types.{target}"
    if above is not None and problem.task != "binary":
        yield Mistake(
            "problem.above",
            f"is {above:g}, and only a binary target is made by a limit: take it out",
        )
    elif (above is not None or problem.task == "regression") and kind != "number":
        asked = f"must exceed {above:g}" if above is not None else "is predicted as a number"
        yield Mistake(types, f"is {kind}, and the target {asked}: its type must be number")
    elif kind == "time":
        yield Mistake(types, "is time, and a time is no target: make it a number or a category")
    if problem.task == "binary" and above is None:
        if positive is None:
            yield Mistake(
                "problem.positive",
                f"is not set: say which value of {target} is positive, or set problem.above",
            )
        elif kind in ("category", "text") and not isinstance(positive, str):
            yield Mistake(
                "problem.positive",
                f"is {positive!r}, and {target} is a {kind}, which is text: YAML takes yes, no, "
                "true, 1 and the like for something else, unless they stand in quotes",
            )
        elif kind == "number" and isinstance(positive, str):
            yield Mistake(
                "problem.positive",
                f"is {positive!r}, and {target} is a number: add {target}: category to "
                "columns.types, or write a number",
            )
    transform = params.model.target_transform
    if transform is not None and problem.task != "regression":
        yield Mistake(
            "model.target_transform",
            f"is {transform}, and only the target of a regression can be transformed: set it to "
            "null",
        )
    if why := why_not(problem.metric, problem.task):
        yield Mistake("problem.metric", f"is {problem.metric!r}, which {why}")
    for name in problem.slices:
        if name not in columns:
            yield Mistake(
                "problem.slices",
                f"names {name!r}, which is not among columns{did_you_mean(name, columns)}: give it "
                "a type under columns.types",
            )


def _of_cleaning(params: Params, columns: Mapping[str, Column]) -> Iterator[Mistake]:
    for place, limits in enumerate(params.cleaning.valid_range):
        key, name = f"cleaning.valid_range.{place}", limits.column
        if name not in columns or columns[name].type != "number":
            numbers = [other for other, column in columns.items() if column.type == "number"]
            meant = did_you_mean(name, numbers) if name not in columns else ""
            yield Mistake(
                key,
                f"is for column {name}, and columns has no number of that name{meant}",
            )
        elif limits.low is not None and limits.high is not None and limits.low > limits.high:
            yield Mistake(
                key,
                f"of {name} runs from {limits.low:g} to {limits.high:g}: turn them round",
            )
