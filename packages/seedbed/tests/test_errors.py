"""Words that stand in a paragraph for a person."""

import pytest

from seedbed.errors import did_you_mean, one_line, some_of


@pytest.mark.parametrize(
    ("name", "known", "question"),
    [
        ("colour", ["size", "color"], " (did you mean color?)"),
        ("CITY", ["km", "city"], " (did you mean city?)"),
        ("sample", ["sample"], ""),
        ("sample", ["zone"], ""),
        (7, [70, "x"], " (did you mean 70?)"),
        ("a", [], ""),
    ],
)
def test_the_nearest_other_name_is_asked_for(
    name: object, known: list[object], question: str
) -> None:
    assert did_you_mean(name, known) == question


def test_of_many_names_some_are_listed() -> None:
    assert some_of(["a", "b"], 2) == "a, b"
    assert some_of(["a", "b", "c", "d"], 2) == "a, b and 2 more"


def test_the_message_of_a_library_takes_one_line() -> None:
    assert one_line(ValueError("so\n  it is ")) == "so it is"
    assert one_line(ValueError()) == "ValueError"
