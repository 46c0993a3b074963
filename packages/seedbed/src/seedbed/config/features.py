"""Which features a configuration makes, and of which columns.

Training, the signature of a bundle and the checks of a configuration go by it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

from seedbed.config.columns import SHOWN, Mistake
from seedbed.config.extensions import Registry
from seedbed.config.preparation import Derived, Features, TimePart
from seedbed.config.schema import UNKNOWN_BEFORE, Column, ColumnType
from seedbed.errors import UserError, did_you_mean, some_of

NUMBERS: tuple[ColumnType, ...] = ("number", "boolean")


class Takes(NamedTuple):
    """How many columns a kind of derived feature takes, at least and at most; of which types."""

    least: int
    most: int | None
    types: tuple[ColumnType, ...]


class FeatureKind(NamedTuple):
    """A kind of derived feature that the project registers: what it takes, and its function.

    `elementwise` says that the function can be given NumPy's scalars in place of columns.
    """

    takes: Takes
    compute: Callable[..., Any]
    elementwise: bool = False


TAKES = {
    "difference": Takes(2, 2, NUMBERS),
    "ratio": Takes(2, 2, NUMBERS),
    "product": Takes(2, None, NUMBERS),
    "days_between": Takes(2, 2, ("time",)),
    "combine": Takes(1, None, ("number", "category", "boolean")),
    "is_missing": Takes(1, 1, get_args(ColumnType)),
}
"""The kinds that seedbed has; :mod:`seedbed.data.feature_functions` computes them."""
PERIODS: dict[TimePart, float] = {
    "month": 12,
    "day": 31,
    "day_of_week": 7,
    "day_of_year": 365.25,
    "hour": 24,
    "minute": 60,
}
"""After how many of its units a part of a time begins anew."""
KINDS: Registry[FeatureKind] = Registry("kind of feature", "features")
"""The kinds that the project's features.py adds."""


class Feature(NamedTuple):
    """How a feature is made.

    `kind` is the type of the column (`number` for a boolean) for the column itself, a part of a
    time or a cycle of it, or a kind of derived feature.
    """

    kind: str
    columns: tuple[str, ...]


def plan_features(columns: Mapping[str, Column], features: Features) -> dict[str, Feature]:
    """Return how each feature that a model sees is made, by its name.

    Raises UserError if one cannot be made, or uses what is known only after the outcome.
    """
    for mistake in find_feature_mistakes(columns, features):
        raise UserError(
            f"{mistake.key} {mistake.message}. Edit `features` in the conf/dataset file, or the "
            "file of conf/features."
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
    whole : bool, default=True
        Whether these are all columns; if not, nobody can tell yet that there is no feature.
    """
    taken = set(columns)
    for part in _parts(columns, features):
        if part.name in taken:
            yield Mistake(part.key, f"takes the name of column {part.name}: rename that one")
        taken.add(part.name)
    if features.use_derived:
        for place, derived in enumerate(features.derived):
            for message in _find_wrong(derived, columns, taken):
                yield Mistake(f"features.derived.{place}", f"({derived.name}) {message}")
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
        name: Feature("number" if column.type == "boolean" else column.type, (name,))
        for name, column in columns.items()
        if column.role == "feature" and column.type != "time"
    }
    made |= {part.name: Feature(part.kind, (part.column,)) for part in _parts(columns, features)}
    if features.use_derived:
        made |= {
            derived.name: Feature(derived.kind, tuple(derived.columns))
            for derived in features.derived
        }
    return made


class _Part(NamedTuple):
    """A part of a time as a feature; `key` is where the configuration asks for it."""

    name: str
    kind: str
    column: str
    key: str


def _parts(columns: Mapping[str, Column], features: Features) -> Iterator[_Part]:
    times = [name for name, column in columns.items() if column.role == "time"][:1]
    dates = [
        name
        for name, column in columns.items()
        if column.role == "feature" and column.type == "time"
    ]
    chosen = [
        *((time, "at", "time_parts", features.time_parts) for time in times),
        *((date, date, "date_parts", features.date_parts) for date in dates),
    ]
    for column, prefix, key, parts in chosen:
        for part in dict.fromkeys(parts):
            cycle = [f"{part}_sin", f"{part}_cos"] if features.cyclic and part in PERIODS else []
            for kind in [part, *cycle]:
                yield _Part(f"{prefix}_{kind}", kind, column, f"features.{key}.{part}")
