"""The lists under `columns` say what each column of a table is; a mistake in them is one paragraph."""

from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.config.columns import ColumnTypes, resolve_columns
from seedbed.config.schema import Column, ColumnLists
from seedbed.errors import UserError

NAMES = ["id", "at", "temp", "temp_max", "kind", "ok", "after", "note", "who", "y"]


def lists(**changes: Any) -> ColumnLists:
    return ColumnLists(**{"target": "y", "number": ["temp"], **changes})


def roles(**changes: Any) -> dict[str, str]:
    return {
        name: f"{column.role} {column.type}{' key' * column.key}"
        for name, column in resolve_columns(lists(**changes), NAMES).items()
    }


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"temp": "feature number", "y": "target number"}),
        ({"types": {"y": "category"}}, {"y": "target category"}),
        ({"time": "at", "group": "who"}, {"at": "time time", "who": "group number"}),
        ({"group": "who", "types": {"who": "category"}}, {"who": "group category"}),
        ({"key": ["id"]}, {"id": "key number key"}),
        ({"key": ["temp"]}, {"temp": "feature number key"}),
        ({"key": ["who"], "group": "who"}, {"who": "group number key"}),
        ({"category": ["kind"], "boolean": ["ok"]}, {"kind": "feature category", "ok": "feature boolean"}),
        ({"known_after_outcome": ["after"]}, {"after": "known_after_outcome number"}),
        ({"types": {"note": "category"}}, {"note": "other category"}),
        ({"number": ["temp*"]}, {"temp": "feature number", "temp_max": "feature number"}),
        ({"number": ["temp*", "!*_max"]}, {"temp_max": None, "temp": "feature number"}),
        ({"number": ["?emp"]}, {"temp": "feature number", "temp_max": None}),
        # A glob takes only what no list names: a target or a key never becomes a feature by it.
        ({"number": ["*"], "key": ["id"]}, {"id": "key number key", "y": "target number", "ok": "feature number"}),
        ({"number": ["*"], "category": ["kind"]}, {"kind": "feature category", "who": "feature number"}),
        ({"known_after_outcome": ["temp*"]}, {"temp": "feature number", "temp_max": "known_after_outcome number"}),
        ({"known_after_outcome": ["after"], "move": {"after": "number"}}, {"after": "feature number"}),
        ({"move": {"temp": "known_after_outcome"}, "boolean": ["ok"]}, {"temp": "known_after_outcome number"}),
        ({"move": {"note": "category"}, "types": {"note": "category"}}, {"note": "feature category"}),
        ({"text": ["note"], "date": ["at"]}, {"note": "feature text", "at": "feature time"}),
        ({"text": ["no*"], "date": ["a?"]}, {"note": "feature text", "at": "feature time"}),
        ({"date": ["at"], "move": {"note": "text", "at": "text", "who": "date"}}, {"note": "feature text", "at": "feature text", "who": "feature time"}),
        ({"types": {"note": "text", "at": "time"}}, {"note": "other text", "at": "other time"}),
        ({"key": ["temp"], "move": {"temp": "category"}}, {"temp": "feature category key"}),
    ],
)  # fmt: skip
def test_the_lists_give_each_column_a_role_and_a_type(
    changes: dict[str, Any], expected: dict[str, str | None]
) -> None:
    found = roles(**changes)
    assert {name: found.get(name) for name in expected} == expected


def test_columns_come_in_the_order_of_the_table_whatever_the_order_of_the_lists() -> None:
    found = resolve_columns(lists(number=["temp_max", "temp"], key=["who", "id"]), NAMES)
    assert list(found) == ["id", "temp", "temp_max", "who", "y"]


def test_a_name_with_the_signs_of_a_glob_is_that_column() -> None:
    found = resolve_columns(ColumnLists(target="price [EUR]", number=["*"]), ["price [EUR]", "km"])
    assert found == {"price [EUR]": Column(role="target"), "km": Column(role="feature")}


@pytest.mark.parametrize(
    "changes",
    [{"number": ["*"], "key": ["id"]}, {"number": ["t*", "!*x"], "time": "at"}, {"move": {"ok": "boolean"}}],
)  # fmt: skip
def test_later_stages_find_the_same_columns_in_what_ingest_kept(changes: dict[str, Any]) -> None:
    found = resolve_columns(lists(**changes), NAMES)
    assert resolve_columns(lists(**changes), list(found)) == found


def test_types_are_known_before_the_table_is_read() -> None:
    types = ColumnTypes(lists(number=["temp*"], time="at", category=["kind"]))
    assert {name: types.get(name) for name in NAMES if name in types} == {
        "at": "time",
        "temp": "number",
        "temp_max": "number",
        "kind": "category",
        "y": "number",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"number": ["tmp*"]}, "columns.number has the glob 'tmp*', which matches none of the 10 columns of the data (id, at"),
        ({"number": ["Temp_Max"]}, "columns.number names Temp_Max, which is not in the data (did you mean temp_max?)"),
        ({"target": "z"}, "columns.target names z, which is not in the data; they have id, at, temp"),
        ({"time": "when"}, "columns.time names when, which is not in the data"),
        ({"types": {"noet": "category"}}, "columns.types names noet, which is not in the data (did you mean note?)"),
        ({"move": {"hour": "number"}}, "columns.move names hour, which is not in the data"),
        ({"known_after_outcome": ["temp"]}, "columns.known_after_outcome takes temp, and so does columns.number"),
        ({"target": "temp"}, "columns.number takes temp, and so does columns.target"),
        ({"category": ["temp"]}, "columns.category takes temp, and so does columns.number"),
        ({"time": "at", "date": ["at"]}, "columns.date takes at, and so does columns.time"),
        ({"text": ["temp"]}, "columns.text takes temp, and so does columns.number"),
        ({"time": "temp"}, "columns.number takes temp, and so does columns.time"),
        ({"group": "temp"}, "columns.number takes temp, and so does columns.group"),
        ({"key": ["y"]}, "columns.key takes y, and so does columns.target"),
        ({"key": ["after"], "known_after_outcome": ["after"]}, "columns.key takes after, and so does columns.known"),
        ({"types": {"temp": "category"}}, "columns.types takes temp, and so does columns.number"),
        ({"number": ["t*"], "known_after_outcome": ["temp_*"]}, "add '!temp_max' to that list"),
        ({"time": "at", "types": {"at": "category"}}, "columns.types.at is category, and columns.time names that column"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_paragraph(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as error:
        resolve_columns(lists(**changes), NAMES)
    assert words in str(error.value)
    assert str(error.value).endswith("Edit the conf/dataset file.")
    assert "\n" not in str(error.value)


def test_a_name_of_the_pipelines_own_is_refused() -> None:
    with pytest.raises(UserError, match="columns.number takes _row, and names that begin with _"):
        resolve_columns(lists(number=["*"]), ["_row", "y"])


@pytest.mark.parametrize("role", ["target", "time", "group"])
def test_there_is_one_of_it_at_most(role: str) -> None:
    with pytest.raises(ValidationError, match="one column at most can have that role"):
        lists(**{role: ["a", "b"]})


def test_two_thousand_columns_are_told_shortly_and_found_fast() -> None:
    names = [f"x{number}" for number in range(2000)]
    found = resolve_columns(lists(number=["x*"]), [*names, "y"])
    assert list(found) == [*names, "y"]
    with pytest.raises(UserError) as error:
        resolve_columns(lists(number=["z*"]), [*names, "y"])
    assert len(str(error.value)) < 400
