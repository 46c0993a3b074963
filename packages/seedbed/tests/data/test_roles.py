"""A row's key is its own whatever stands beside it."""

import pandas as pd
import pytest

from seedbed.config.schema import Column
from seedbed.data.roles import columns_with, group_column, key_columns, row_key, time_column

COLUMNS = {
    "id": Column(role="key", key=True),
    "line": Column(role="feature", type="category", key=True),
    "at": Column(role="time", type="time"),
    "who": Column(role="group", type="category"),
    "km": Column(role="feature"),
}


def rows() -> pd.DataFrame:
    at = pd.to_datetime(["2024-01-01T08:00:00Z", "2024-01-01T09:00:00Z", "2024-01-01T08:00:00Z"])
    return pd.DataFrame(
        {"id": [1, 1, 2], "line": ["a", "a", None], "at": at, "who": list("xyx"), "km": [1.0, 2, 3]}
    )


def test_columns_are_found_by_their_role_in_their_own_order() -> None:
    assert columns_with(COLUMNS, "key", "feature") == ["id", "line", "km"]
    assert columns_with(COLUMNS, "target") == []
    assert (time_column(COLUMNS), group_column(COLUMNS)) == ("at", "who")
    assert time_column({}) is group_column({}) is None


def test_a_key_is_made_of_keys_and_time() -> None:
    assert key_columns(COLUMNS) == ["id", "line", "at"]
    assert key_columns({"at": COLUMNS["at"], "km": COLUMNS["km"]}) == []


@pytest.mark.parametrize("role", ["target", "known_after_outcome"])
def test_without_a_key_a_row_is_known_by_what_is_known_before_the_outcome(role) -> None:
    columns = {"at": COLUMNS["at"], "who": COLUMNS["who"], "km": Column(role=role)}
    before = row_key(rows(), columns)
    assert row_key(rows().assign(km=-1.0), columns).tolist() == before.tolist()
    assert row_key(rows().assign(who="z"), columns).tolist() != before.tolist()


def test_a_row_keeps_its_key_wherever_it_stands() -> None:
    together = row_key(rows(), COLUMNS)
    assert together.nunique() == 3
    assert str(together.dtype) == "uint64"
    for place in range(3):
        alone = rows().iloc[[place]].assign(km=99.0, id=lambda part: part["id"].astype("float64"))
        assert row_key(alone, COLUMNS).tolist() == [together[place]]


@pytest.mark.parametrize(
    ("name", "value"), [("id", 7), ("line", "b"), ("at", pd.Timestamp("2025-01-01", tz="UTC"))]
)
def test_another_value_in_the_key_is_another_row(name: str, value: object) -> None:
    other = row_key(rows().iloc[[0]].assign(**{name: value}), COLUMNS)
    assert other.tolist() != row_key(rows(), COLUMNS)[:1].tolist()


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64"])
def test_large_numbers_that_are_one_float_are_other_keys(dtype: str) -> None:
    columns = {"id": COLUMNS["id"]}
    numbers = [2**62 + 1, 2**62 + 2, 2**62 + 3, 5]
    together = row_key(pd.DataFrame({"id": pd.Series(numbers, dtype=dtype)}), columns)
    assert together.nunique() == 4
    for place, number in enumerate(numbers):
        alone = row_key(pd.DataFrame({"id": pd.Series([number], dtype=dtype)}), columns)
        assert alone.tolist() == [together[place]]
    missing = pd.DataFrame({"id": pd.Series([None, *numbers], dtype="Int64")})
    assert row_key(missing, columns).tolist()[1:] == together.tolist()
    assert row_key(pd.DataFrame({"id": [5.0]}), columns).tolist() == [together[3]]
