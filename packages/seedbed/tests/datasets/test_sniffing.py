"""Whatever people have is read with the options found, value for value, or refused in a paragraph."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.config.schema import Source
from seedbed.config.sources import read_options
from seedbed.data import text_files
from seedbed.datasets.sniffing import Sniffed, read_as_text, sniff, with_options
from seedbed.errors import UserError


def as_lists(frame: pd.DataFrame) -> dict[str, list]:
    """Return the columns, None where a value is missing."""
    return {
        name: [None if pd.isna(value) else value for value in frame[name]] for name in frame.columns
    }


def found_in(path: Path, content: bytes) -> tuple[Sniffed, dict[str, list]]:
    path.write_bytes(content)
    sniffed = sniff(str(path))
    read_options(Source(kind=sniffed.kind, path=sniffed.path, options=sniffed.options))
    return sniffed, as_lists(read_as_text(sniffed))


AB = {"a": ["1", "2"], "b": ["x", "y"]}
GERMAN = 'Prix (€);b;c\n1,5;Müller;01.02.2024\n2;"y\nz";\n'
READ = {"Prix (€)": ["1,5", "2"], "b": ["Müller", "y\nz"], "c": ["01.02.2024", None]}
NAMES = ["a.b", "a,b", "a=b", 'a"b', "a'b", "é€", "x" * 300, "yes", "null", "1", "${x}", "_split", "prediction", "1e3"]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        (b"a,b\n1,x\n2,y\n", {}, AB),
        (b"a\tb\n1\tx\n2\ty\n", {"separator": "\t"}, AB),
        (b"a|b\n1|x\n2|y", {"separator": "|"}, AB),
        (b"a,b\r\n1,x\n2,y\r", {}, AB),
        (b"a,b\n1,x\n", {}, {"a": ["1"], "b": ["x"]}),
        (b"a\n1\n2\n", {}, {"a": ["1", "2"]}),
        (b"sep=;\na;b\n1;x\n2;y\n", {"separator": ";", "skip_rows": 1}, AB),
        (b"Report 2024\n\na;b\n1;x\n2;y\n", {"separator": ";", "skip_rows": 2}, AB),
        (b"a; a\n,,- a.;.-.1\n,,- a.;.\n", {"separator": ";"}, {"a": [",,- a."] * 2, " a": [".-.1", "."]}),
        (b"Report, 2024\na;b\n1;x\n2;y\n", {"separator": ";", "skip_rows": 1}, AB),
        (b"# by us, 2024\n# and you\na,b\n1,x\n2,y\n", {"skip_rows": 2}, AB),
        (b"1,2\n3,4\n5,6\n", {"header": None}, {"column_1": ["1", "3", "5"], "column_2": ["2", "4", "6"]}),
        (b"a,b,c\n1,x,\n2\n", {"fill_short_rows": True}, {**AB, "b": ["x", None], "c": [None, None]}),
        (b"a,b,,,\n1,x,,,\n2,y,,,\n,,,,\n,,,,\n,,,,\n", {}, AB),
        (b'a,b\n"x ""q""\ny, z",1\n', {}, {"a": ['x "q"\ny, z'], "b": ["1"]}),
        (b'a,b\n"x \\"q\\" y",1\n"z, w",2\n', {"escape": "\\"}, {"a": ['x "q" y', "z, w"], "b": ["1", "2"]}),
        (b"a,b\n'x, y',1\n'z, w',2\n", {"quote": "'"}, {"a": ["x, y", "z, w"], "b": ["1", "2"]}),
        (b'a,b\n5" pipe,1\nx,2\n', {}, {"a": ['5" pipe', "x"], "b": ["1", "2"]}),
        (b"k,b\n1234567890123456789,1e400\n,inf\n007,NaN\n", {}, {"k": ["1234567890123456789", None, "007"], "b": ["1e400", "inf", "NaN"]}),
        (GERMAN.encode(), {"separator": ";"}, READ),
        (GERMAN.encode("utf-8-sig"), {"separator": ";"}, READ),
        (GERMAN.encode("utf-16"), {"separator": ";", "encoding": "utf-16"}, READ),
        (GERMAN.encode("utf-16-le"), {"separator": ";", "encoding": "utf-16-le"}, READ),
        (GERMAN.encode("utf-32"), {"separator": ";", "encoding": "utf-32"}, READ),
        (GERMAN.encode("cp1252"), {"separator": ";", "encoding": "cp1252"}, READ),
        ("b;c\nŁódź;1\nZażółć;2\n".encode("cp1250"), {"separator": ";", "encoding": "cp1250"}, {"b": ["Łódź", "Zażółć"], "c": ["1", "2"]}),
        ("東京;n\n大阪;1\n神戸;2\n".encode("cp932"), {"separator": ";", "encoding": "cp932"}, {"東京": ["大阪", "神戸"], "n": ["1", "2"]}),
        (b"##by us, 2024\n#a,b\n1,x\n2,y\n", {"skip_rows": 1}, {"#a": ["1", "2"], "b": ["x", "y"]}),
        (b"#a,b\n1,x\n2,y\n", {}, {"#a": ["1", "2"], "b": ["x", "y"]}),
        (b"a,b,a,a_2\n1,x,2,y\n3,z,4,w\n", {"names": ["a", "b", "a_3", "a_2"]}, {"a": ["1", "3"], "b": ["x", "z"], "a_3": ["2", "4"], "a_2": ["y", "w"]}),
    ],
)  # fmt: skip
def test_a_csv_file_is_read_as_it_is_written(
    tmp_path: Path, content: bytes, options: dict, expected: dict
) -> None:
    sniffed, read = found_in(tmp_path / "rows.csv", content)
    assert (sniffed.kind, sniffed.options, read) == ("csv", options, expected)
    assert all(note and "\n" not in note for note in sniffed.notes)
    packed, read = found_in(tmp_path / "rows.csv.gz", gzip.compress(content))
    assert (packed.options, read) == (options, expected)


def test_names_of_columns_may_be_anything(tmp_path: Path) -> None:
    frame = pd.DataFrame([list(map(str, range(len(NAMES))))] * 2, columns=NAMES)
    assert found_in(tmp_path / "rows.csv", frame.to_csv(index=False).encode())[1] == as_lists(frame)


BAD = {
    "nothing at all": (b"", "the file is empty"),
    "empty lines": (b"\n \n", "the file is empty"),
    "only a header": (b"a,b\n", "there is a header .'a,b'. and no row"),
    "long rows": (b"a,b\n1,2\n3,4,5\n6,7\n8,9,9,9\n", "line 3 has 3 values, line 5 has 4 values"),
    "long and short rows": (b"a,b,c\n1,2\n3,4,5,6\n7,8,9\n", "line 2 has 2 values, line 3 has 4"),
    "mixed encodings": (
        "a;b\nMüller;1\n".encode() + "Zürich;2\n".encode("cp1252"),
        "line 2 is UTF-8, and line 3 is not",
    ),
    "an open quote": (b'a,b\n1,"open\n2,x\n', "not a whole CSV file"),
    "a long line": (b"a,b\n1," + b"x" * 3_000_000, "more than 1,048,576 letters"),
    "NUL bytes": (b"a,b\n1,\0x\n", "byte 6 is 0, which stands in no text"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
    "a page": (b"<html><body>1,2</body></html>\n", "no table, it begins with '<html>"),
    "a document": (b"%PDF-1.4\nfoo\n", "no table"),
    "an archive": (b"", "an archive of code.py, and no table"),
    "half an archive": (b"PK\3\4 and so on", "damaged or cut off"),
    "a hidden archive": (gzip.compress(b"a,b\n1,2\n"), "Rename it to rows.csv.gz"),
    "half a Parquet file": (b"PAR1 and so on", "not a whole Parquet file"),
    "half a workbook": (b"\xd0\xcf\x11\xe0 and so on", "no Excel workbook"),
    "a database": (b"SQLite format 3\0", "a database. Give its URL, sqlite:///.*rows.csv"),
    "another database": (b"\1\2\3\4\5\6\7\0DUCK", "a database. Give its URL, duckdb:///.*rows.csv"),
    "half a JSON file": (b'[{"a": 1}, {', "not JSON"),
    "no records": (b'{"a": [1, 2]}', "no list of records"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_table_is_refused_in_a_paragraph(tmp_path: Path, what: str) -> None:
    content, words = BAD[what]
    if what == "an archive":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("code.py", "pass")
        content = archive.getvalue()
    with pytest.raises(UserError, match=words) as error:
        found_in(tmp_path / "rows.csv", content)
    assert str(error.value).startswith(str(tmp_path / "rows.csv"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["nothing.csv", "nothing-*.csv", "nothing.csv/more"])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="no such file|no file matches"):
        sniff(str(tmp_path / name))


def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "HARMLESS", 2**20)
    for name in ("rows.csv.zip", "rows.xlsx"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("xl/rows.csv", b"a,b\n" + b"1,1\n" * 2**20)
        with pytest.raises(UserError, match="more than 200 times as large"):
            sniff(str(tmp_path / name))


def test_the_first_sheet_with_rows_is_taken_and_the_others_are_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "cover"
    book.active.append(["By us"])
    sheets: dict[str, list[list[Any]]] = {
        "data": [["Report"], [], ["a", "code", "ok", None], [1, "007", True], [None, 5, None], [2.5, None, False], [None] * 4],
        "more": [["b"], [1]],
    }  # fmt: skip
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.create_sheet("bare")
    book.save(tmp_path / "rows.csv")  # its first bytes tell what it is
    sniffed = sniff(str(tmp_path / "rows.csv"))
    assert (sniffed.kind, sniffed.options) == ("excel", {"sheet": "data", "skip_rows": 2})
    assert "there are cover, more, bare too" in sniffed.notes[0]
    for chosen in ({"sheet": "more"}, {"sheet": 3}, {"sheet": "cover", "header": None}):
        assert sniff(str(tmp_path / "rows.csv"), given=chosen).notes == []
    with pytest.raises(UserError, match="sheet bare is empty. Name one that holds a table"):
        sniff(str(tmp_path / "rows.csv"), given={"sheet": "bare"})
    third = sniff(str(tmp_path / "rows.csv"), given={"sheet": 3})
    assert as_lists(read_as_text(with_options(third, {"sheet": 3}))) == {"b": [1]}
    second = sniff(str(tmp_path / "rows.csv"), given={"sheet": "data"})
    assert (second.options, second.notes) == (
        {"skip_rows": 2}, ["the first 2 rows are no part of the table"]
    )  # fmt: skip
    assert as_lists(read_as_text(sniffed)) == {
        "a": [1, None, 2.5],
        "code": ["007", "5", None],
        "ok": [True, None, False],
    }


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("rows.json", '[{"a": 1, "b": {"c": "x"}}, {"a": 1234567890123456789}]', {}),
        ("rows.json", '{"a": 1, "b": {"c": "x"}}\n{"a": 1234567890123456789}', {"lines": True}),
        ("rows.jsonl", '{"a": 1, "b": {"c": "x"}}\n{"a": 1234567890123456789}', {"lines": True}),
        ("rows.txt", '{"n": [1], "d": {"rows": [{"a": 1, "b": {"c": "x"}}, {"a": 1234567890123456789}], "s": [{"q": 1}]}}', {"records": "d.rows"}),
    ],
)  # fmt: skip
def test_json_is_an_array_or_lines_or_lies_deeper(
    tmp_path: Path, name: str, content: str, options: dict
) -> None:
    sniffed, read = found_in(tmp_path / name, content.encode())
    assert (sniffed.kind, sniffed.options) == ("json", options)
    assert read == {"a": [1, 1234567890123456789], "b.c": ["x", None]}


def test_the_list_of_records_that_a_person_names_is_read(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('{"long": [{"q": 1}, {"q": 2}], "short": [{"a": 1}]}')
    chosen = {"records": "short"}
    sniffed = sniff(str(tmp_path / "rows.json"), given=chosen)
    assert sniffed.notes == []
    assert as_lists(read_as_text(with_options(sniffed, chosen))) == {"a": [1]}


def test_typed_files_folders_and_patterns_are_found(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1.5, None], "zip": ["007", "08"]})
    frame.to_parquet(tmp_path / "rows.pq")
    frame.to_feather(tmp_path / "rows.feather")
    frame.to_parquet(tmp_path / "folder", partition_cols=["zip"])
    (tmp_path / "parts").mkdir()
    for place in (0, 1):
        frame.iloc[[place]].to_csv(tmp_path / f"parts/{place}.csv", index=False, sep=";")
    for path, kind, found_path in [
        ("rows.pq", "parquet", "rows.pq"),
        ("rows.feather", "feather", "rows.feather"),
        ("folder", "parquet", "folder"),
        ("parts", "csv", "parts/*.csv"),
        ("parts/*", "csv", "parts/*"),
    ]:
        sniffed = sniff(str(tmp_path / path))
        assert (sniffed.kind, sniffed.path) == (kind, str(tmp_path / found_path))
        found = as_lists(read_as_text(sniffed))
        assert found["zip"] == ["007", "08"]
        assert found["x"] == (["1.5", None] if kind == "csv" else [1.5, None])
    (tmp_path / "parts/0.json").write_text(json.dumps([{"x": 1}]))
    with pytest.raises(UserError, match="files of several kinds .0.csv, 1.csv, 0.json"):
        sniff(str(tmp_path / "parts"))


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1, max_size=9)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.lists(CELLS.filter(str.strip), min_size=width, max_size=width, unique=True),
        st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6),
    )
)


@given(TABLES, st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
@settings(derandomize=True)
def test_with_the_options_found_pandas_reads_the_same_table(
    tmp_path: Path, table: tuple, separator: str, encoding: str
) -> None:
    """Any table either comes back as pandas reads it with the options found, or is refused."""
    frame = pd.DataFrame(table[1], columns=table[0], dtype="str")
    text = frame.to_csv(index=False, sep=separator)
    path = tmp_path / "rows.csv"
    path.write_bytes(text.encode(encoding))
    try:
        sniffed = sniff(str(path))
        found = read_as_text(sniffed)
    except UserError as error:
        assert "\n" not in str(error)
        return
    options = sniffed.options
    expected = pd.read_csv(
        path,
        sep=options.get("separator", ","),
        encoding=options.get("encoding", "utf-8-sig"),
        quotechar=options.get("quote", '"'),
        escapechar=options.get("escape"),
        skiprows=options.get("skip_rows", 0),
        header=0 if "header" not in options else None,
        dtype="str",
        keep_default_na=False,
        na_values=[""],
        index_col=False,
    )
    assert found.fillna("").to_numpy().tolist() == expected.fillna("").to_numpy().tolist()
