"""Which features a configuration makes, and of which columns: what training, the signature and the checks agree on."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from seedbed.config.schema import UNKNOWN_BEFORE, Column, ColumnType, Features
from seedbed.errors import UserError, did_you_mean

NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")
TAKES: dict[str, tuple[int, int | None, tuple[ColumnType, ...]]] = {
    "difference": (2, 2, NUMBERS),
    "ratio": (2, 2, NUMBERS),
    "clock_minutes": (1, 1, ("number",)),
    "days_between": (2, 2, ("time",)),
    "combine": (1, None, ("number", "category", "boolean")),
    "is_missing": (1, 1, ("number", "category", "boolean", "time")),
}
"""How many columns each kind of derived feature takes, at least and at most, and of which types."""


class Feature(NamedTuple):
    """How a feature is made: `number` or `category` of the column itself, a part of the time, or a kind of derived feature."""

    kind: str
    columns: tuple[str, ...]


class Mistake(NamedTuple):
    """What is wrong with the value of a key in params.yaml; `edit` is the key to change where that is another."""

    key: str
    told: str
    edit: str = ""


def plan_features(columns: Mapping[str, Column], features: Features) -> dict[str, Feature]:
    """Return how each feature that a model sees is made, by its name.

    Raises
    ------
    UserError
        If one cannot be made, or uses what is known only after the outcome.
    """
    for mistake in feature_mistakes(columns, features):
        raise UserError(
            f"{mistake.key} {mistake.told}. Edit the conf/dataset or conf/features file."
        )
    return {
        name: made
        for name, made in _all_features(columns, features).items()
        if name not in features.drop
    }


def feature_mistakes(columns: Mapping[str, Column], features: Features) -> Iterator[Mistake]:
    """Yield what is wrong with the features of a dataset."""
    for name, column in columns.items():
        if column.role == "feature" and column.type == "time":
            yield Mistake(
                f"columns.{name}.role",
                "is feature, and its type is time: give it the role time and use features.time_parts, or the role ignore, and make "
                "a number of it with the kind days_between under features.derived, which -S features=rich computes",
            )
    if _time(columns):
        for part in features.time_parts:
            if f"at_{part}" in columns:
                yield Mistake(
                    f"features.time_parts.{part}",
                    f"takes the name of column at_{part}: rename that one",
                )
    if features.use_derived:
        for name in features.derived:
            yield from _derived_mistakes(name, columns, features)
    made = _all_features(columns, features)
    for name in features.drop:
        if name not in made:
            yield Mistake(
                "features.drop",
                f"names {name!r}, which is no feature (there are: {', '.join(made)})",
            )
    if not set(made) - set(features.drop):
        yield Mistake(
            "features.drop",
            "leaves no feature for a model: give columns the role feature, or drop fewer",
        )


def _derived_mistakes(
    name: str, columns: Mapping[str, Column], features: Features
) -> Iterator[Mistake]:
    key, derived = f"features.derived.{name}", features.derived[name]
    if name.startswith("_"):
        yield Mistake(key, "begins with _, and such names are the pipeline's own: rename it")
    if name in columns or name in [f"at_{part}" for part in features.time_parts]:
        yield Mistake(
            key, "takes the name of a column or of a part of the time: rename one of the two"
        )
    least, most, types = TAKES[derived.kind]
    if len(derived.columns) < least or (most is not None and len(derived.columns) > most):
        yield Mistake(
            key,
            f"is a {derived.kind} of {len(derived.columns)} columns, and it takes {most or f'{least} or more'}",
        )
    for used in derived.columns:
        if used not in columns:
            yield Mistake(
                key, f"names {used!r}, which is not among columns{did_you_mean(used, columns)}"
            )
        elif columns[used].role in UNKNOWN_BEFORE:
            yield Mistake(
                key,
                f"names {used}, which has the role {columns[used].role}, so it is not known when the model is asked and can never "
                "become a feature: leave it out",
            )
        elif columns[used].type not in types:
            yield Mistake(
                key,
                f"is a {derived.kind} of {used}, whose type is {columns[used].type}: it takes {' or '.join(types)}",
            )


def _all_features(columns: Mapping[str, Column], features: Features) -> dict[str, Feature]:
    made = {
        name: Feature("category" if column.type == "category" else "number", (name,))
        for name, column in columns.items()
        if column.role == "feature"
    }
    if time := _time(columns):
        made |= {f"at_{part}": Feature(part, (time,)) for part in features.time_parts}
    if features.use_derived:
        made |= {
            name: Feature(derived.kind, tuple(derived.columns))
            for name, derived in features.derived.items()
        }
    return made


def _time(columns: Mapping[str, Column]) -> str | None:
    return next((name for name, column in columns.items() if column.role == "time"), None)
