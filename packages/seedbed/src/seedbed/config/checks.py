"""What one section of params.yaml alone cannot tell: the sections that contradict each other."""

from collections.abc import Iterator

from seedbed.config.features import Mistake, feature_mistakes
from seedbed.config.metrics import why_not
from seedbed.config.schema import Params
from seedbed.errors import did_you_mean


def find_mistakes(params: Params) -> Iterator[Mistake]:
    """Yield what would stop a later stage, or be passed over in silence, so that it is told before the first one."""
    yield from _of_dataset(params)
    yield from _of_columns(params)
    yield from _of_problem(params)
    yield from feature_mistakes(params.columns, params.features)
    yield from _of_split(params)
    yield from _of_cleaning(params)
    for name in params.gate.thresholds:
        if why := why_not(name, params.problem.task):
            yield Mistake(f"gate.thresholds.{name}", why)


def _of_dataset(params: Params) -> Iterator[Mistake]:
    dataset = params.dataset
    if dataset.base not in dataset.tables:
        meant = did_you_mean(dataset.base, dataset.tables)
        yield Mistake(
            "dataset.base", f"is {dataset.base!r}, which is not among dataset.tables{meant}"
        )
    for place, join in enumerate(dataset.joins):
        if unknown := [name for name in join.rename if name not in join.columns]:
            yield Mistake(
                f"dataset.joins.{place}.rename",
                f"renames {unknown[0]!r}, which is not among the join's columns",
            )


def _of_columns(params: Params) -> Iterator[Mistake]:
    columns = params.columns
    for name, column in columns.items():
        if name.startswith("_"):
            yield Mistake(
                f"columns.{name}",
                "begins with _, and such names are the pipeline's own: rename it where rows come from too",
            )
        if column.role == "time" and column.type != "time":
            yield Mistake(
                f"columns.{name}.type",
                f"is {column.type}, and its role is time: its type must be time too",
            )
    for role in ("time", "group"):
        named = [name for name, column in columns.items() if column.role == role]
        if len(named) > 1:
            yield Mistake(
                f"columns.{named[1]}.role",
                f"is {role}, and so is that of {named[0]}: one column at most can have that role",
            )


def _of_problem(params: Params) -> Iterator[Mistake]:
    columns, problem = params.columns, params.problem
    name, above = problem.target.column, problem.target.above
    if name not in columns or columns[name].role != "target":
        targets = (
            ", ".join(other for other, column in columns.items() if column.role == "target")
            or "none"
        )
        yield Mistake(
            "problem.target.column",
            f"is {name!r}, which is no column of role target under columns (those are: {targets})",
        )
    else:
        kind = columns[name].type
        if above is not None and problem.task != "binary":
            yield Mistake(
                "problem.target.above",
                f"is {above:g}, and only a binary target is made by a limit: take it out",
            )
        elif (above is not None or problem.task == "regression") and kind != "number":
            asked = f"must exceed {above:g}" if above is not None else "is predicted as a number"
            yield Mistake(
                f"columns.{name}.type",
                f"is {kind}, and the target {asked}: its type must be number",
            )
        elif kind == "time":
            yield Mistake(
                f"columns.{name}.type",
                "is time, and a time is no target: make it a number or a category",
            )
        if problem.task == "binary" and above is None and problem.positive is None:
            yield Mistake(
                "problem.positive",
                f"is not set: say which value of {name} is the positive one, or set problem.target.above",
            )
        elif (
            problem.task == "binary"
            and kind == "category"
            and not isinstance(problem.positive, str | None)
        ):
            yield Mistake(
                "problem.positive",
                f"is {problem.positive!r}, and {name} is a category, which is text: YAML takes yes, no, true, 1 and the like for "
                "something else, unless they stand in quotes",
            )
    if why := why_not(problem.metric, problem.task):
        yield Mistake("problem.metric", f"is {problem.metric!r}, which {why}")
    for other in problem.slices:
        if other not in columns:
            yield Mistake(
                "problem.slices",
                f"names {other!r}, which is not among columns{did_you_mean(other, columns)}",
            )


def _of_split(params: Params) -> Iterator[Mistake]:
    kind = params.split.kind
    if kind != "random" and not any(column.role == kind for column in params.columns.values()):
        yield Mistake(
            "split.kind",
            f"is {kind}, and no column has the role {kind}: choose -S split=random, or give a column that role",
            edit="columns",
        )


def _of_cleaning(params: Params) -> Iterator[Mistake]:
    for name, (low, high) in params.cleaning.valid_range.items():
        key = f"cleaning.valid_range.{name}"
        if name not in params.columns or params.columns[name].type != "number":
            numbers = [other for other, column in params.columns.items() if column.type == "number"]
            meant = did_you_mean(name, numbers) if name not in params.columns else ""
            yield Mistake(
                key,
                f"is for a column of type number, and there is none of that name under columns{meant}",
            )
        elif low is not None and high is not None and low > high:
            yield Mistake(
                key,
                f"is [{low:g}, {high:g}], whose lower end is above the upper one: turn them round",
            )
