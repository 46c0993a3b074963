"""The files of people: each kind is read as it is typed there, several as one table, or refused."""

import datetime
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.config.schema import Dataset, Source, Table
from seedbed.data.sources import read_batches, read_source
from seedbed.data.values import read_values
from seedbed.errors import UserError

LARGE = 2**60 + 1
TEXT = st.characters(codec="utf-8", exclude_categories=["C"])


def read(
    path: Path | str, kind: str, types: dict | None = None, tables: int = 1, **options: Any
) -> pd.DataFrame:
    names = ["rows", "more"][:tables]
    dataset = Dataset(name="d", tables=[Table(name=name) for name in names])
    source = Source(kind=kind, path=str(path), options=options)
    return read_source(source, dataset, "rows", types or {})


def as_lists(frame: pd.DataFrame) -> dict[str, list]:
    """Return the columns, None where a value is missing."""
    return {
        name: [None if pd.isna(value) else value for value in frame[name]] for name in frame.columns
    }


def write_workbook(path: Path, **sheets: list[list]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


ROWS = [
    ["a", "code", "when", "ok", None],
    [1, "007", datetime.datetime(2024, 1, 2, 3, 4), True],
    [None, "x", datetime.datetime(1950, 1, 1), None],
    [3, None, None, False],
    [None] * 4,
    [None] * 4,
]


def test_a_sheet_is_read_as_its_cells_are_typed(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "rows.xlsx", first=[["x"], [1]], second=ROWS)
    for place in (path, tmp_path):
        assert as_lists(read(place, "excel", sheet=2)) == {
            "a": [1, None, 3],
            "code": ["007", "x", None],
            "when": [pd.Timestamp("2024-01-02 03:04"), pd.Timestamp("1950-01-01"), None],
            "ok": [True, None, False],
        }
    assert as_lists(read(path, "excel", sheet="first")) == {"x": [1]}


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "json", "excel"])
def test_an_empty_text_is_missing_in_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"city": ["Bern", "", "Chur"], "n": ["1", "", "2"]})
    path = tmp_path / f"rows.{'xlsx' if kind == 'excel' else kind}"
    keep = {"json": {"orient": "records"}, "feather": {}}.get(kind, {"index": False})
    getattr(frame, f"to_{kind}")(path, **keep)
    found = read(path, kind, types={"city": "category"})
    assert found.isna().to_numpy().tolist() == [[False] * 2, [True] * 2, [False] * 2]


@pytest.mark.parametrize("kind", ["csv", "excel"])
@pytest.mark.parametrize("asked", [["a"], ["a", "note"]], ids=["one column", "both columns"])
def test_each_file_ends_with_its_last_row_that_holds_anything_in_any_column(
    kind: str, asked: list[str], tmp_path: Path
) -> None:
    rows: list[list] = [["a", "note"], [1, "x"], [None, "seen"], [None] * 2, [None] * 2]
    for name in ("first", "second"):
        if kind == "excel":
            write_workbook(tmp_path / f"{name}.xlsx", only=rows)
        else:
            (tmp_path / f"{name}.csv").write_text("a,note\n1,x\n,seen\n,\n,\n")
    source = Source(kind=kind, path=str(tmp_path / "*"))
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    types = {"a": "number", "note": "category"}
    found = pd.concat(read_batches(source, dataset, "rows", types, lambda _names: asked))
    assert list(found) == asked
    assert as_lists(found)["a"] == [1, None, 1, None]


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("a,b\n", "a,c\n1,2\n", "lacks b and has c"),
        ("a,c\n1,2\n", "a,b\n,\n", "lacks c and has b"),
        ("a,b\n,\n", "b,a\n1,2\n", ""),
    ],
)
def test_a_file_without_rows_has_columns_all_the_same(
    first: str, second: str, words: str, tmp_path: Path
) -> None:
    for name, text in (("1", first), ("2", second)):
        (tmp_path / f"{name}.csv").write_text(text)
    if words:
        with pytest.raises(UserError, match=words):
            read(tmp_path / "*.csv", "csv")
    else:
        assert as_lists(read(tmp_path / "*.csv", "csv")) == {"a": [2], "b": [1]}
        assert list(read(tmp_path / "*.csv", "csv")) == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "options", "expected"),
    [
        ([["Report"], ["a"], [1]], {"skip_rows": 1}, {"a": [1]}),
        ([["Report"], ["a"], [1]], {"header": 2}, {"a": [1]}),
        ([[1, "x"], [2, "y"]], {"header": None}, {"column_1": [1, 2], "column_2": ["x", "y"]}),
        ([["a", "a"], [2, "y"]], {"names": ["n", "t"]}, {"n": [2], "t": ["y"]}),
        ([["a", None, "b"], [1, None, 2]], {}, {"a": [1], "b": [2]}),
        ([["a", None], [1, 2]], {}, {"a": [1], "Unnamed: 1": [2]}),
        ([["price"], ["1.234,50"], [7]], {"formats": {"price": "1.234,5"}}, {"price": [1234.5, 7]}),
        ([["a", "b"], ["-", 1]], {"missing": ["-"]}, {"a": [None], "b": [1]}),
    ],
)
def test_options_say_where_the_table_of_a_sheet_is(
    tmp_path: Path, rows: list, options: dict, expected: dict
) -> None:
    path = write_workbook(tmp_path / "rows.xlsx", only=rows)
    assert as_lists(read(path, "excel", **options)) == expected


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([["a"], [1]], {"sheet": "onyl"}, "there is no sheet onyl .did you mean only"),
        ([["a"], [1]], {"sheet": 3}, "there is no sheet 3; the workbook has only"),
        ([], {}, "sheet 1 is empty"),
        ([["a"]], {}, "no rows"),
        ([["a", "b"], [None, None]], {}, "no rows"),
        ([["a"], [1]], {"header": 5}, "has 2 rows, and source.options.header is 5"),
        ([["a", "a"], [1, 2]], {}, "the column a is there more than once.*source.options.names"),
    ],
)
def test_a_sheet_without_the_table_is_told(
    tmp_path: Path, rows: list, options: dict, words: str
) -> None:
    path = write_workbook(tmp_path / "rows.xlsx", only=rows)
    with pytest.raises(UserError, match=words):
        read(path, "excel", **options)


def test_a_date_before_1900_is_text_in_excel_and_no_other_date(tmp_path: Path) -> None:
    path = write_workbook(tmp_path / "rows.xlsx", only=[["when"], ["1850-02-01"], [datetime.date(2024, 1, 2)]])  # fmt: skip
    assert read(path, "excel")["when"].map(str).tolist() == ["1850-02-01", "2024-01-02 00:00:00"]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ([{"a": LARGE, "b": {"c": [1], "d": "x"}}, {"a": None, "e": True}], {}, {"a": [LARGE, None], "e": [None, True], "b.c": ["[1]", None], "b.d": ["x", None]}),
        ({"data": {"rows": [{"a": 1.5}]}, "n": 1}, {"records": "data.rows"}, {"a": [1.5]}),
        ('{"a": 1}\n\n{"a": 2}', {"lines": True}, {"a": [1, 2]}),
        ('\ufeff[{"ä": 18446744073709551615}]', {}, {"ä": [2**64 - 1]}),
        ([{"price": "1.234,5"}, {"price": ""}, {"price": "2"}], {"formats": {"price": "1.234,5"}}, {"price": [1234.5, None, 2]}),
    ],
)  # fmt: skip
def test_records_of_json_become_rows(
    tmp_path: Path, content: Any, options: dict, expected: dict
) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "rows.json").write_text(text, encoding="utf-8")
    assert as_lists(read(tmp_path, "json", **options)) == expected


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", {}, "the file is empty"),
        ('[{"a": 1},', {}, r"not JSON .line 1, column 11.*source.options.lines"),
        ('[{"a": {"b": 1}, "a.b": 2}]', {}, "the column a.b is there more than once"),
        ('{"a": 1}\n{"a"', {"lines": True}, "rows.json, line 2: this is not JSON"),
        ('{"a": [1]}', {}, "a list of records is expected.*source.options.records"),
        ('{"a": [1]}', {"records": "b.c"}, "there is no 'b'; there are a"),
        ("[1, 2]", {}, "record 1: 1 is no object"),
        ("[]", {}, "no rows"),
        ("[" * 100_000, {}, "too deep|not JSON"),
    ],
)
def test_json_without_records_is_told(tmp_path: Path, text: str, options: dict, words: str) -> None:
    (tmp_path / "rows.json").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=words):
        read(tmp_path, "json", **options)


def test_a_partitioned_folder_is_one_table_and_codes_stay_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"zip": ["007", "08"], "k": pd.array([LARGE, None], dtype="Int64")})
    frame.to_parquet(tmp_path / "rows", partition_cols=["zip"])
    (tmp_path / "rows/_SUCCESS").touch()
    for path in (tmp_path, tmp_path / "rows"):
        assert as_lists(read(path, "parquet")) == {"k": [LARGE, None], "zip": ["007", "08"]}
    frame.drop(columns="k").to_parquet(tmp_path / "rows/zip=08/more.parquet")
    with pytest.raises(UserError, match="more.parquet.*lacks k and has zip|zip is there more"):
        read(tmp_path, "parquet")


def test_feather_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"zip": [None, "007"], "k": pd.array([LARGE, None], dtype="Int64")})
    frame.to_feather(tmp_path / "rows.feather")
    assert as_lists(read(tmp_path, "feather")) == as_lists(frame)
    (tmp_path / "rows.feather").write_bytes(b"ARROW1 and nothing else")
    with pytest.raises(UserError, match="not a whole Feather file"):
        read(tmp_path, "feather")


@pytest.mark.parametrize("kind", ["csv", "parquet", "excel", "feather"])
def test_files_of_a_pattern_are_read_in_order_as_one_table(tmp_path: Path, kind: str) -> None:
    for place, numbers in enumerate([[1, 2], [LARGE, 3]]):
        frame = pd.DataFrame({"code": ["x", "y"], "k": numbers})
        if place:
            frame = frame[["k", "code"]]
        write = frame.to_feather if kind == "feather" else getattr(frame, f"to_{kind}")
        ending = "xlsx" if kind == "excel" else kind
        more = {} if kind == "feather" else {"index": False}
        write(tmp_path / f"part-{place}.{ending}", **more)
    found = as_lists(read(tmp_path / "part-*", kind))
    assert found["code"] == ["x", "y", "x", "y"]
    assert found["k"][:2] == [1, 2]
    assert found["k"][2] == (float(LARGE) if kind == "excel" else LARGE)


def test_integers_of_one_file_are_not_rounded_by_what_another_lacks(tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text(f"k,x\n{LARGE},1\n")
    (tmp_path / "part-2.csv").write_text("k,x\n,1\n5,1\n")
    (tmp_path / "part-3.csv").write_text("k,x\n")
    assert as_lists(read(tmp_path / "part-*.csv", "csv"))["k"] == [LARGE, None, 5]


def test_other_columns_in_a_file_of_a_pattern_are_named(tmp_path: Path) -> None:
    (tmp_path / "part-1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "part-2.csv").write_text("a,c\n1,2\n")
    with pytest.raises(UserError, match=r"part-2.csv: it lacks b and has c, other than .*part-1"):
        read(tmp_path / "part-*.csv", "csv")
    with pytest.raises(UserError, match="no file matches"):
        read(tmp_path / "port-*.csv", "csv")
    with pytest.raises(UserError, match="is a pattern, and dataset d has the tables rows, more"):
        read(tmp_path / "part-*.csv", "csv", tables=2)


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        ({"price": "1.234,5"}, {"price": [1234.5, None, 2], "when": ["31.12.2024 17:00"] * 3}),
        ({"when": "%d.%m.%Y %H:%M"}, {"price": ["1.234,50", None, "2"], "when": [pd.Timestamp("2024-12-31 17:00")] * 3}),
    ],
)  # fmt: skip
def test_single_columns_are_read_as_their_format_says(
    tmp_path: Path, formats: dict, expected: dict
) -> None:
    lines = [f"{price};31.12.2024 17:00\n" for price in ("1.234,50", "n/a", "2")]
    (tmp_path / "rows.csv").write_text("price;when\n" + "".join(lines))
    types = {"price": "number", "when": "time"} if "price" in formats else {"price": "number"}
    found = read(tmp_path, "csv", types, separator=";", formats=formats)
    assert as_lists(found) == expected


@pytest.mark.parametrize(
    ("formats", "words"),
    [
        ({"price": "1.234,5"}, r"rows.csv, column price: 1 of the values up to row 3 are not written as '1.234,5' .source.options.formats.price., the first in row 3: 'twelve'.*source.options.missing"),
        ({"prise": "1.234,5"}, "source.options.formats.prise: .*no such column .did you mean price"),
    ],
)  # fmt: skip
def test_a_value_that_a_format_does_not_fit_is_shown(
    tmp_path: Path, formats: dict, words: str
) -> None:
    (tmp_path / "rows.csv").write_text('price,x\n"1,5",1\n,1\ntwelve,1\n')
    with pytest.raises(UserError, match=words):
        read(tmp_path, "csv", {"price": "number"}, formats=formats)


def test_rows_at_the_end_that_hold_nothing_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a,b,,,\n1,x,,,\n,,,,\n2,y,,,\n,,,,\n,,,,\n,,,,\n")
    assert as_lists(read(tmp_path, "csv")[["a", "b"]]) == {"a": [1, None, 2], "b": ["x", None, "y"]}
    (tmp_path / "rows.csv").write_text("a,b\n,\n,\n")
    with pytest.raises(UserError, match="no rows"):
        read(tmp_path, "csv")


@pytest.mark.parametrize("kind", ["csv", "parquet", "excel", "json", "feather"])
def test_what_is_no_such_file_is_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    for content in (b"", bytes(range(256)) * 9, b"\x89PNG\r\n\x1a\n\0\0", b"PK\3\4 cut off"):
        (tmp_path / "rows").write_bytes(content)
        with pytest.raises(UserError) as told:
            read(tmp_path / "rows", kind)
        assert "rows" in str(told.value)
        assert "\n" not in str(told.value)


INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-9, 9)
COLUMNS = st.fixed_dictionaries(
    {
        "key": st.lists(INTEGERS, min_size=3, max_size=3),
        "x": st.lists(st.none() | st.floats(-1e30, 1e30), min_size=3, max_size=3),
        "ok": st.lists(st.none() | st.booleans(), min_size=3, max_size=3),
        "t": st.lists(st.none() | st.text(TEXT, min_size=1, max_size=9), min_size=3, max_size=3),
        "last": st.just(["a", "b", "c"]),
    }
)
TYPES = {"key": "number", "x": "number", "ok": "boolean", "t": "category", "last": "category"}


@given(COLUMNS, st.sampled_from(["csv", "parquet", "excel", "json", "feather"]))
@settings(derandomize=True)
def test_no_value_is_changed_by_reading(tmp_path: Path, columns: dict, kind: str) -> None:
    """What was written comes back exactly, whatever the file, or a paragraph says why not."""
    dtypes = {"key": "Int64", "x": "float64", "ok": "boolean", "t": "str", "last": "str"}
    frame = pd.DataFrame({name: pd.Series(columns[name], dtype=dtypes[name]) for name in columns})
    if kind == "excel":  # it holds numbers as floats, and no more than 15 digits
        frame = frame.drop(columns=["key", "x"])
    path = tmp_path / f"rows.{kind}"
    if kind == "json":
        rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif kind == "excel":
        with pd.ExcelWriter(path, engine="openpyxl") as writer:
            frame.to_excel(writer, index=False)
    else:
        getattr(frame, f"to_{kind}")(path, **({} if kind == "feather" else {"index": False}))
    found = read(path, kind, TYPES)
    for name in frame.columns:
        typed = read_values(found[name], name, TYPES[name], "UTC", exact=True)
        expected = [None if pd.isna(value) else value for value in frame[name]]
        assert [None if pd.isna(value) else value for value in typed] == expected
