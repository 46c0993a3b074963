"""Which features a configuration makes, and of which columns.

Training, the signature of a bundle and the checks of a configuration go by it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from seedbed.config.columns import SHOWN, Mistake
from seedbed.config.extensions import Registry
from seedbed.config.schema import UNKNOWN_BEFORE, Column, ColumnType, Derived, Features
from seedbed.errors import UserError, did_you_mean, some_of

NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")


class Takes(NamedTuple):
    """How many columns a kind of derived feature takes, at least and at most; of which types."""

    least: int
    most: int | None
    types: tuple[ColumnType, ...]


class FeatureKind(NamedTuple):
    """A kind of derived feature that the project registers: what it takes, and its function."""

    takes: Takes
    compute: Callable[..., Any]


TAKES = {
    "difference": Takes(2, 2, NUMBERS),
    "ratio": Takes(2, 2, NUMBERS),
    "days_between": Takes(2, 2, ("time",)),
    "combine": Takes(1, None, ("number", "category", "boolean")),
    "is_missing": Takes(1, 1, ("number", "category", "boolean", "time")),
}
"""The kinds that seedbed has; :mod:`seedbed.data.features` computes them."""
KINDS: Registry[FeatureKind] = Registry("kind of feature", "features")
"""The kinds that the project's features.py adds."""


class Feature(NamedTuple):
    """How a feature is made.

    `kind` is `number` or `category` for the column itself, a part of the time, or a kind of derived
    feature.
    """

    kind: str
    columns: tuple[str, ...]


def plan_features(columns: Mapping[str, Column], features: Features) -> dict[str, Feature]:
    """Return how each feature that a model sees is made, by its name.

    Raises
    ------
    UserError
        If one cannot be made, or uses what is known only after the outcome.
    """
    for mistake in find_feature_mistakes(columns, features):
        raise UserError(
            f"{mistake.key} {mistake.told}. Edit the conf/dataset or conf/features file."
        )
    made = _all_features(columns, features)
    return {name: feature for name, feature in made.items() if name not in features.drop}


def find_feature_mistakes(
    columns: Mapping[str, Column], features: Features, whole: bool = True
) -> Iterator[Mistake]:
    """Yield what is wrong with the features of a dataset.

    Parameters
    ----------
    columns : mapping of str to Column
    features : Features
    whole : bool, default=True
        Whether these are all columns; if not, nobody can tell yet that there is no feature.
    """
    if _time(columns):
        for part in features.time_parts:
            if f"at_{part}" in columns:
                yield Mistake(
                    f"features.time_parts.{part}",
                    f"takes the name of column at_{part}: rename that one",
                )
    if features.use_derived:
        taken = {*columns, *(f"at_{part}" for part in features.time_parts)}
        for place, derived in enumerate(features.derived):
            for told in _find_wrong(derived, columns, taken):
                yield Mistake(f"features.derived.{place}", f"({derived.name}) {told}")
            taken.add(derived.name)
    made = _all_features(columns, features)
    for name in features.drop:
        if name not in made:
            yield Mistake(
                "features.drop",
                f"names {name!r}, which is no feature{did_you_mean(name, made)} (there are: "
                f"{some_of(list(made), SHOWN)})",
            )
    if whole and not set(made) - set(features.drop):
        yield Mistake(
            "features.drop",
            "leaves no feature for a model: list columns under columns.number, category or "
            "boolean, or drop fewer",
        )


def _find_wrong(derived: Derived, columns: Mapping[str, Column], taken: set[str]) -> Iterator[str]:
    if derived.name.startswith("_"):
        yield "begins with _, and such names are the pipeline's own: rename it"
    if derived.name in taken:
        yield "takes the name of a column or of another feature: rename one of the two"
    found = KINDS.find(derived.kind) if derived.kind not in TAKES else None
    if derived.kind not in TAKES and found is None:
        known = [*TAKES, *KINDS.all()]
        yield (
            f"is of kind {derived.kind!r}, and there is none{did_you_mean(derived.kind, known)}: "
            f"choose one of {', '.join(known)}, or write one in the project's features.py"
        )
        return
    least, most, types = found.takes if found else TAKES[derived.kind]
    if len(derived.columns) < least or (most is not None and len(derived.columns) > most):
        yield (
            f"is a {derived.kind} of {len(derived.columns)} columns, and it takes "
            f"{most or f'{least} or more'}"
        )
    for name in derived.columns:
        if name not in columns:
            yield (
                f"names {name!r}, which is not among columns{did_you_mean(name, columns)}: give it "
                "a type under columns.types"
            )
        elif columns[name].role in UNKNOWN_BEFORE:
            yield (
                f"names {name}, which has the role {columns[name].role}, so it is not known when "
                "the model is asked and can never become a feature: leave it out"
            )
        elif columns[name].type not in types:
            yield (
                f"is a {derived.kind} of {name}, whose type is {columns[name].type}: it takes "
                f"{' or '.join(types)}"
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
            derived.name: Feature(derived.kind, tuple(derived.columns))
            for derived in features.derived
        }
    return made


def _time(columns: Mapping[str, Column]) -> str | None:
    return next((name for name, column in columns.items() if column.role == "time"), None)
