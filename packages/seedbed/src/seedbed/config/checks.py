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
from seedbed.config.joins import ROWS, Join
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
    if kind == "stratified" and params.problem.task == "regression":
        yield Mistake(
            "split.kind",
            "is stratified, which spreads classes, and the target of a regression has none: choose "
            "-S split=random",
        )
    if kind in ("time", "group") and not getattr(params.columns, kind):
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
    for place, table in enumerate(params.dataset.tables):
        own = params.source.of(table)
        if own is not params.source:
            key = f"dataset.tables.{place}"
            if why := why_no_source(own.kind):
                yield Mistake(f"{key}.kind", why)
            for mistake in find_option_mistakes(own):
                yield Mistake(mistake.key.replace("source", key, 1), mistake.message)
    for place, join in enumerate(params.dataset.joins):
        for name, message in _of_join(join, params):
            yield Mistake(f"dataset.joins.{place}.{name}", message)


def _of_join(join: Join, params: Params) -> Iterator[tuple[str, str]]:
    """Yield the keys that are wrong in a join, and why."""
    tables = params.dataset.table_names
    if join.table not in tables:
        meant = did_you_mean(join.table, tables)
        yield "table", f"is {join.table!r}, which is not among dataset.tables{meant}"
    if again := [name for name in join.columns if name in join.pairs.values()]:
        yield "columns", f"names {again[0]!r}, which is a key of the join: take it out"
    if bool(join.columns) == bool(join.aggregate):
        message = "are both set" if join.columns else "are both empty"
        yield (
            "columns",
            f"and aggregate {message}: list columns of a table with one row for a key, or figures "
            "of one with many under aggregate, such as {amount: [mean, last], _rows: [count]}",
        )
    before = join.model_copy(update={"rename": {}}).added
    if unknown := [name for name in join.rename if name not in before]:
        yield (
            "rename",
            f"renames {unknown[0]!r}, which is not among the join's columns"
            f"{did_you_mean(unknown[0], before)}",
        )
    if set(join.aggregate.get(ROWS, ["count"])) != {"count"}:
        yield f"aggregate.{ROWS}", f"is {join.aggregate[ROWS]}: rows have a count only"
    if join.time is not None and not join.aggregate:
        yield "time", f"is {join.time!r}, and only figures under aggregate go by time: take it out"
    elif join.time is not None and params.columns.time is None:
        yield (
            "time",
            f"is {join.time!r}, so that only rows before columns.time count, which names no "
            "column: name one, or take time out",
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
