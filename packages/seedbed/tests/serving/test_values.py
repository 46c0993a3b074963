"""What one column of sent rows may hold, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from seedbed.errors import UserError
from seedbed.serving.values import read_values, refuse_infinite

ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("number", [1, 2], [1.0, 2.0]),
        ("number", [1, None], [1.0, None]),
        ("number", [None, None], [None, None]),
        ("number", pd.array([1, None], dtype="Int64"), [1.0, None]),
        ("number", pd.Series([1, None, 2.5], dtype="object"), [1.0, None, 2.5]),
        ("category", ["a", None], ["a", None]),
        ("category", [None, None], [None, None]),
        ("category", pd.Series(["a", np.nan], dtype="object"), ["a", None]),
        ("category", pd.Categorical(["a", None]), ["a", None]),
        ("boolean", [True, False], [True, False]),
        ("boolean", pd.Series([True, None], dtype="object"), [True, None]),
        ("boolean", [None, None], [None, None]),
    ],
)
def test_values_of_the_right_type_are_read_and_the_missing_stay_missing(
    kind: str, values: object, expected: list
) -> None:
    read = read_values(pd.Series(values), "x", kind, "UTC")  # type: ignore[arg-type]
    assert str(read.dtype) == {"number": "float64", "category": "str", "boolean": "boolean"}[kind]
    assert [None if pd.isna(value) else value for value in read] == expected


@pytest.mark.parametrize(
    ("kind", "values", "row", "value", "remedy"),
    [
        ("number", [1, "12"], 1, "'12'", "a number, without quotes"),
        ("number", [True, 1], 0, "True", "a number"),
        ("number", [True, False], 0, "True", "a number"),
        ("number", ["a", "b"], 0, "'a'", "a number"),
        ("number", [1, 10**400], 1, "1000", "a number"),
        ("category", [9, 10], 0, "9", "text, in quotes"),
        ("category", ["a", 1.5], 1, "1.5", "text"),
        ("boolean", [0, 1], 0, "0", "true or false"),
        ("boolean", ["yes", None], 0, "'yes'", "true or false"),
        ("time", [20130101, 20130102], 0, "20130101", "a time in ISO 8601"),
        ("time", ["2013-01-01T00:00:00Z", "tomorrow"], 1, "'tomorrow'", "a time in ISO 8601"),
        ("time", ["2013-03-10T02:30:00"], 0, "'2013-03-10T02:30:00'", "a time with its offset"),
        ("time", ["2013-11-03T01:30:00"], 0, "'2013-11-03T01:30:00'", "a time with its offset"),
    ],
)
def test_a_value_of_another_type_is_refused_with_column_row_and_remedy(
    kind: str, values: list, row: int, value: str, remedy: str
) -> None:
    with pytest.raises(UserError) as told:
        read_values(
            pd.Series(values, dtype="object" if kind != "category" else None), "speed", kind, ZONE
        )  # type: ignore[arg-type]
    message = str(told.value)
    assert "column speed" in message
    assert f"row {row}: {value}" in message
    assert remedy in message


def test_an_infinite_number_is_refused() -> None:
    refuse_infinite(pd.Series([1.0, np.nan]), "speed")
    with pytest.raises(UserError, match=r"column speed.*row 1: inf"):
        refuse_infinite(pd.Series([1.0, np.inf]), "speed")
