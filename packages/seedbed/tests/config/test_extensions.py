"""What a project registers is found by its name, and a name that is taken is refused."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any

import pytest

from seedbed.config.extensions import only_seedbed, place_of
from seedbed.config.features import KINDS
from seedbed.config.metrics import METRICS, metric
from seedbed.config.sources import SOURCES, why_no_source
from seedbed.data.features import feature
from seedbed.data.sources import source
from seedbed.errors import UserError
from seedbed.stages import stage

DECORATORS: dict[str, tuple[Callable[..., Any], Any]] = {
    "feature": (feature(columns=1), KINDS),
    "metric": (metric("maximize", "binary"), METRICS),
    "source": (source, SOURCES),
}


def named(name: str) -> Callable[..., Any]:
    """Return a new function of that name, as on a line of its own."""
    code = compile("\n" * len(name) + f"def {name}(*values): ...", "project", "exec")
    space: dict[str, Any] = {"__name__": "project.extensions"}
    exec(code, space)
    return space[name]


@pytest.mark.parametrize(("decorate", "registry"), DECORATORS.values(), ids=DECORATORS)
def test_a_registered_function_is_found_until_its_project_is_left(
    decorate: Callable[..., Any], registry: Any
) -> None:
    with only_seedbed():
        decorate(named("of_ones_own"))
        assert registry.find("of_ones_own") is not None
    assert registry.find("of_ones_own") is None


@pytest.mark.parametrize(("decorate", "registry"), DECORATORS.values(), ids=DECORATORS)
def test_a_name_used_twice_is_refused(decorate: Callable[..., Any], registry: Any) -> None:
    first, second = named("of_ones_own"), named("of_ones_own_too")
    second.__name__ = first.__name__
    with only_seedbed():
        decorate(first)
        with pytest.raises(UserError, match=r"'of_ones_own' already, project\.extensions, line 12"):
            decorate(second)


@pytest.mark.parametrize(
    ("decorate", "name"), [(feature(), "ratio"), (source, "csv")], ids=["feature", "source"]
)
def test_a_name_of_seedbeds_own_is_refused(decorate: Callable[..., Any], name: str) -> None:
    with pytest.raises(UserError, match=f"seedbed itself has a .*'{name}'"):
        decorate(named(name))


@pytest.mark.parametrize(
    ("decorate", "message"),
    [
        (metric("max", "binary"), "the direction of @metric is 'max'. It may be maximize, minimize"),
        (metric("maximise", "binary"), "is 'maximise' (did you mean maximize?)"),
        (
            metric("maximize", "binary", "regresion"),
            "a task of @metric is 'regresion' (did you mean regression?)",
        ),
        (metric("maximize"), "@metric names no task. It may be binary, multiclass, regression."),
        (feature(types=("numbr",)), "a type of @feature is 'numbr' (did you mean number?)"),
        *(
            (feature(columns), f"columns of @feature is {columns!r}. It may be a number from 1, or")
            for columns in ("again", 0, -1, 1.5, None, (2, 1), (0, None), (1, 0), (1, 2, 3), ("1", 2), True)
        ),
        (feature(types="number"), "types of @feature is 'number'. It may be a tuple such as"),
        (feature(1, True), "types of @feature is True. It may be a tuple such as"),  # type: ignore[arg-type]
        (feature(types=()), "types of @feature is (). It may be a tuple such as"),
        (feature(elementwise="no"), "elementwise of @feature is 'no'. It may be True or False."),
        (metric(["maximize"], "binary"), "the direction of @metric is ['maximize']"),
    ],
)  # fmt: skip
def test_what_a_decorator_does_not_take_is_refused(
    decorate: Callable[..., Any], message: str
) -> None:
    with only_seedbed(), pytest.raises(UserError, match=re.escape(message)):
        decorate(named("of_ones_own"))


@pytest.mark.parametrize("columns", [1, 3, (1, 1), (1, 3), (2, None), [2, None]])
def test_a_kind_of_feature_says_how_many_columns_it_takes(columns: Any) -> None:
    with only_seedbed():
        feature(columns)(named("of_ones_own"))
        least, most, _ = KINDS.all()["of_ones_own"].takes
    assert [least, most] == ([columns] * 2 if isinstance(columns, int) else list(columns))


@pytest.mark.parametrize(
    ("decorate", "right"),
    [(feature, "@feature()"), (metric, '@metric("maximize", "binary")')],
    ids=["feature", "metric"],
)
def test_a_decorator_without_its_brackets_is_refused(
    decorate: Callable[..., Any], right: str
) -> None:
    kind = right.partition("(")[0]
    with pytest.raises(UserError, match=re.escape(f"{kind} needs brackets: write {right}.")):
        decorate(named("of_ones_own"))


@pytest.mark.parametrize(
    "found", [int, "csv", partial(named("of_ones_own"), 1)], ids=["class", "name", "partial"]
)
@pytest.mark.parametrize(
    ("name", "decorate"),
    [*((name, decorate) for name, (decorate, _) in DECORATORS.items()), ("stage", stage)],
    ids=[*DECORATORS, "stage"],
)
def test_what_is_decorated_is_a_function(
    name: str, decorate: Callable[..., Any], found: Any
) -> None:
    with pytest.raises(UserError, match=f"@{name} is given .*, and takes a function: write it in"):
        decorate(found)


@pytest.mark.parametrize(
    ("decorate", "head", "message"),
    [
        (feature(2), "(a)", "is called with 2 arguments (a column, a column), and takes others: too many"),
        (feature((1, 3)), "(a, b)", "is called with 1 argument (a column), and takes others: missing a"),
        (feature((1, 3)), "(a, b=0)", "is called with 3 arguments"),
        (feature((1, None)), "(a)", "is called with 2 arguments"),
        (metric("maximize", "binary"), "(truth, scores)", "is called with 1 argument (sample), and"),
        (source, "(path)", "is called with 4 arguments (source, dataset, table, types), and takes"),
    ],
)  # fmt: skip
def test_a_function_that_does_not_take_what_it_will_be_called_with_is_refused(
    decorate: Callable[..., Any], head: str, message: str
) -> None:
    space: dict[str, Any] = {}
    exec(f"def of_ones_own{head}: ...", space)
    with only_seedbed(), pytest.raises(UserError, match=re.escape(f"of_ones_own {message}")):
        decorate(space["of_ones_own"])


@pytest.mark.parametrize("decorate", [feature(), metric("maximize", "binary"), source, stage])
def test_a_function_that_would_not_be_run_is_refused(decorate: Callable[..., Any]) -> None:
    async def of_ones_own(*values: Any) -> None: ...

    with only_seedbed(), pytest.raises(UserError, match="begins with async def, and would not be"):
        decorate(of_ones_own)


def test_a_stage_that_yields_is_refused() -> None:
    def of_ones_own(seed: int) -> Iterator[int]:
        yield seed

    with pytest.raises(
        UserError, match="of_ones_own is a stage, and would not be run, as it yields"
    ):
        stage(of_ones_own)  # type: ignore[type-var]


class Tables:
    def of_ones_own(self, *values: Any) -> None: ...


@pytest.mark.parametrize("wrapped", [lru_cache(named("of_ones_own")), Tables().of_ones_own])
def test_a_method_and_a_wrapped_function_are_functions(wrapped: Any) -> None:
    with only_seedbed():
        source(wrapped)
        assert SOURCES.find("of_ones_own") is not None


def test_the_place_of_a_function_is_that_of_what_it_wraps() -> None:
    assert place_of(lru_cache(named("of_ones_own"))) == "project.extensions, line 12"


def test_a_source_that_nobody_has_is_named_with_those_there_are() -> None:
    assert why_no_source("csv") is None
    assert "is 'cvs', and there is no such source (did you mean csv?)" in str(why_no_source("cvs"))
