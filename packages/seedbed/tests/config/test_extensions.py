"""What a project registers is found by its name, and a name that is taken is refused."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from seedbed.config.extensions import only_seedbed
from seedbed.config.features import KINDS
from seedbed.config.metrics import METRICS, metric
from seedbed.config.sources import SOURCES, why_no_source
from seedbed.data.features import feature
from seedbed.data.sources import source
from seedbed.errors import UserError

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
        (metric("maximize"), "a task of @metric is 'none'. It may be binary, multiclass, regression."),
        (
            metric("maximize", "binary", uses="decision"),
            "uses of @metric is 'decision' (did you mean decisions?). It may be scores, decisions.",
        ),
        (feature(types=("numbr",)), "a type of @feature is 'numbr' (did you mean number?)"),
    ],
)  # fmt: skip
def test_a_word_that_a_decorator_does_not_know_is_refused(
    decorate: Callable[..., Any], message: str
) -> None:
    with only_seedbed(), pytest.raises(UserError, match=re.escape(message)) as refusal:
        decorate(named("of_ones_own"))
    assert str(refusal.value).startswith("project.extensions, line 12: ")


def test_a_source_that_nobody_has_is_named_with_those_there_are() -> None:
    assert why_no_source("csv") is None
    assert "is 'cvs', and there is no such source (did you mean csv?)" in str(why_no_source("cvs"))
