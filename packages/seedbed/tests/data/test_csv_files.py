"""Every way in which a CSV file can be wrong is told, and a right one is read as it stands."""

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.schema import ColumnType
from seedbed.config.source_options import CsvOptions
from seedbed.data import text_files
from seedbed.data.csv_checks import rows_are_even, uneven_rows
from seedbed.data.csv_files import NOT_KNOWN, read_csv
from seedbed.data.values import read_values
from seedbed.errors import UserError

GOOD = "a,b\n1,x\n2,y\n3,z\n"


def read(path: Path, missing: tuple[str, ...] = (), **types: ColumnType) -> pd.DataFrame:
    return read_csv(path, types, missing)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_a_byte_order_mark_is_no_part_of_the_first_name(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert list(read(file).columns) == ["a", "b"]


def test_categories_are_the_text_that_stands_there(file: Path) -> None:
    file.write_text("zip,country,size\n007,NA,NA\n01234,None,2\n,,3\n")
    found = read(file, zip="category", country="category", size="number")
    assert found["zip"].tolist()[:2] == ["007", "01234"]
    assert found["country"].tolist()[:2] == ["NA", "None"]
    assert found[["zip", "country"]].isna().to_numpy().tolist() == [
        [False, False],
        [False, False],
        [True, True],
    ]
    assert found["size"].isna().tolist() == [True, False, False]


def test_a_table_says_what_stands_for_a_missing_text(file: Path) -> None:
    file.write_text("tail,size\nNA,NA\nN1,-\n")
    found = read(file, ("NA", "-"), tail="category", size="number")
    assert found.isna().to_numpy().tolist() == [[True, True], [False, True]]


@pytest.mark.parametrize("text", NOT_KNOWN)
def test_a_number_may_be_missing_in_many_ways(file: Path, text: str) -> None:
    file.write_text(f"a,b\n{text},1\n2,1\n")
    assert read(file, a="number")["a"].isna().tolist() == [True, False]


def test_columns_without_a_name_may_be_several(file: Path) -> None:
    file.write_text("a,,\n1,x,\n2,y,\n")
    assert list(read(file)) == ["a", "Unnamed: 1", "Unnamed: 2"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"a,b\n1,x\n2,caf\xe9\n", "byte 13, in line 3, is not UTF-8"),
        (b"a,caf\xe9\n1,x\n", "byte 5, in line 1, is not UTF-8"),
        (
            b"a,b\n" + b"1,x\n" * 300_000 + b"2,caf\xe9\n",
            "byte 1200009, in line 300002, is not UTF-8",
        ),
        (b"a,b,a\n1,2,3\n", "the column a is there more than once"),
        (b"a,b,c\n1,2,3\n4,5", "ends after 2 of 3 columns"),
        (b"a,b,c\n1,2,3\n4,5,", "ends after 2 of 3 columns.*with a line feed"),
        (b"a,b\n1,2\n1,2,3,4\n", "not a whole CSV"),
        (b"a,b\n0,2,3\n1,5,6\n", "rows have more values than the header has names"),
        (
            b"a,b\n1,2,\n3,4,\n",
            "more values than the header has names.*a comma at the end of a row",
        ),
        (b'a,b\n1,"open\n', "not a whole CSV"),
        (b"a;b\n1;2\n", r"no comma, and ';' in it: 'a;b'.*source.options.separator to ';'"),
        (b"a\tb\n1\t2\n", r"no comma, and '\\t' in it"),
        (b'a,"b\n1,2\n', "not a whole CSV"),
        (b"\n<!DOCTYPE HTML>\n<html>, log in\n", "this is a web page .'<!DOCTYPE HTML>'"),
    ],
)
def test_a_bad_csv_is_refused_with_its_name(file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    with pytest.raises(UserError, match=words) as told:
        read(file)
    assert str(told.value).startswith(f"{file}: ")
    assert "\n" not in str(told.value)


def test_a_missing_value_at_the_very_end_is_no_damage(file: Path) -> None:
    file.write_text("a,b\n1,2\n3,\n")
    assert len(read(file)) == 2
    file.write_text("a,b,c\n1,2,3\n4,5,\u2028letters that end a line only elsewhere")
    assert len(read(file)) == 2


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    whole = gzip.compress((GOOD * 1000).encode())
    (tmp_path / "rows.csv.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="damaged or cut off"):
        read(tmp_path / "rows.csv.gz")


def test_a_zip_holds_one_file_beside_what_macos_adds(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", GOOD)
        archive.writestr("__MACOSX/._rows.csv", b"\0\5")
    assert len(read(path)) == 3
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.csv", GOOD)
    with pytest.raises(
        UserError, match=r"holds 2 files \(rows.csv, more.csv\), and one is expected"
    ):
        read(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match="damaged or cut off"):
        read(path)


@pytest.mark.parametrize(
    ("content", "options", "expected"),
    [
        ("a;b\n1,5;x\n", {"separator": ";", "decimal": ","}, {"a": [1.5], "b": ["x"]}),
        ("a\tb\n1\tx\n", {"separator": "\t"}, {"a": [1], "b": ["x"]}),
        ("a;b\n1.234,5;x\n", {"separator": ";", "decimal": ",", "thousands": "."}, {"a": [1234.5], "b": ["x"]}),
        ("a,b\n'1,5',x\n", {"quote": "'", "decimal": ","}, {"a": [1.5], "b": ["x"]}),
        ('a,b\n1,"x\n', {"quote": None}, {"a": [1], "b": ['"x']}),
        ('a,b\n1,"x \\"y\\" z"\n', {"escape": "\\"}, {"a": [1], "b": ['x "y" z']}),
        ("Report\n\na,b\n1,x\n", {"skip_rows": 2}, {"a": [1], "b": ["x"]}),
        ("Report,\na,b\n1,x\n", {"header": 2}, {"a": [1], "b": ["x"]}),
        ("1,x\n2,y\n", {"header": None}, {"column_1": [1, 2], "column_2": ["x", "y"]}),
        ("1,x\n", {"header": None, "names": ["n", "t"]}, {"n": [1], "t": ["x"]}),
        ("a,a\n1,x\n", {"names": ["n", "t"]}, {"n": [1], "t": ["x"]}),
        ("a,b\n-,-\n1,x\n", {"missing": ["-"]}, {"a": [None, 1], "b": [None, "x"]}),
        ("a,b,c\n1,x,2\n3\n", {"fill_short_rows": True}, {"a": [1, 3], "b": ["x", None], "c": [2, None]}),
        ('a,b\r\n1,"x\ny"\n2,z\r3,w\n', {}, {"a": [1, 2, 3], "b": ["x\ny", "z", "w"]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_a_file_is_read_as_its_options_say(
    file: Path, content: str, options: dict, expected: dict, encoding: str
) -> None:
    file.write_bytes(content.encode(encoding))
    found = read_csv(file, {}, [], CsvOptions(encoding=encoding, **options))
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected), check_dtype=False)


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (b"a,b,c\n1,2,3\n4,5\n6,7,8\n", {}, "line 3 has 2 values, and there are 3 columns.*fill_short_rows"),
        (b"a,b,c\n" + b"1\n" * 9 + b"1,2,3\n", {}, "line 2 has 1 value, line 3 .*, line 4 .* and so on"),
        (b'a,b,c\n1,"x\ny",2\n4,5\n6,7,8\n', {}, "line 4 has 2 values"),
        (b"a,b\n1,2\n3,4,5\n6,7\n8,9,9,9\n", {}, "line 3 has 3 values, line 5 has 4 values"),
        (b"a,b\n1,x\0y\n", {}, "byte 7 is 0, which stands in no text"),
        ("a,é\n1,2\n".encode("utf-16"), {}, "byte 3 is 0.*UTF-16.*source.options.encoding"),
        ("a,é\n1,2\n".encode("utf-16-le"), {}, "byte 1 is 0.*UTF-16"),
        (b"a,b\n1,\x81\n", {"encoding": "cp1252"}, "byte 6, in line 2, is not cp1252"),
        (b"a,b\n1,2\n", {"names": ["a"]}, "names has 1 names, and the table has 2 columns"),
        (b"a,a\n1,2\n", {}, "more than once.*source.options.names"),
        (b"a,b\n1,2\n", {"separator": ";"}, "has no ';', and ',' in it"),
    ],
)  # fmt: skip
def test_what_options_do_not_fit_is_told(
    file: Path, content: bytes, options: dict, words: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(UserError, match=words) as told:
        read_csv(file, {}, [], CsvOptions(**options))
    assert str(told.value).startswith(f"{file}: ") or "names" in options
    assert "\n" not in str(told.value)


KEYS = ["1234567890123456789", "1234567890123456788", "-9223372036854775808", "9007199254740993"]


@pytest.mark.parametrize("texts", [KEYS, ["18446744073709551615", "1"], ["7", "8"]])
def test_whole_numbers_keep_every_digit_where_one_is_missing(file: Path, texts: list[str]) -> None:
    file.write_text("k,x\n" + "".join(f"{text},1\n" for text in ["", *texts]))
    found = read_values(read_csv(file, {"k": "number"}, [])["k"], "k", "number", "UTC")
    assert [int(value) for value in found.dropna()] == list(map(int, texts))
    assert found.isna().tolist() == [True] + [False] * len(texts)


def test_a_number_that_no_integer_holds_is_no_key(file: Path) -> None:
    file.write_text("k,x\n123456789012345678901234,1\n,2\n")
    found = read_csv(file, {"k": "number"}, [])["k"]
    with pytest.raises(UserError, match="column k: 1 of 2 values.*row 1: .*type category"):
        read_values(found, "k", "number", "UTC", exact=True)
    assert read_values(found, "k", "number", "UTC")[0] == 123456789012345678901234.0


def test_as_text_nothing_is_converted(file: Path) -> None:
    content = 'a,b,c\n007,NA,"x\ny"\n1e400,, \n'
    file.write_text(content)
    found = read_csv(file, {"a": "number"}, ["NA"], as_text=True)
    assert found.fillna("-").to_dict("list") == {"a": ["007", "1e400"], "b": ["NA", "-"], "c": ["x\ny", " "]}  # fmt: skip
    assert {str(dtype) for dtype in found.dtypes} == {"str"}
    file.write_text(f'{content}1,2,"open\n')
    with pytest.raises(UserError, match="not a whole CSV"):
        read_csv(file, {}, [], as_text=True)


def test_an_archive_that_never_ends_is_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_files, "HARMLESS", 2**20)
    path = tmp_path / "rows.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"a,b\n" + b"1,1\n" * 2**20)
    with pytest.raises(UserError, match="more than 200 times as large.*give the unpacked file"):
        read(path)


@pytest.mark.parametrize(
    ("text", "options", "even"),
    [
        (GOOD, {}, True),
        ('a,b\n"x,\ny",1\n\n2,"3"\n', {}, True),
        ("a,b\r\n1,\r\n,2", {}, True),
        ('a,b\n1,5" wide\n2,"said ""no"""\n', {}, True),
        ("About, this, table\na,b\n1,2\n", {"skip_rows": 1}, True),
        ("1;2\n3;4\n", {"header": None, "separator": ";"}, True),
        ("a,b\nx\\,y,1\n2,3\n", {"escape": "\\"}, True),
        ("a,b\nx\\,y,1\n2,3\n", {"escape": "\\", "quote": None}, True),
        ("a,b\n1,2\n3\n", {}, False),
        ("a,b\n1,2\n3,4,5\n", {}, False),
        ('a,b\n1,2\n"3\n4,5\n', {}, False),
        ("a,b\n1,2\n  \n", {}, False),
    ],
)
def test_rows_of_another_length_are_found_by_both_ways_to_look(
    file: Path, text: str, options: dict, even: bool
) -> None:
    file.write_bytes(text.encode())
    assert rows_are_even(file, CsvOptions(**options)) == even
    assert (list(uneven_rows(file, CsvOptions(**options), 2)) == []) == even


def test_where_a_quick_look_cannot_tell_rows_are_counted(file: Path) -> None:
    file.write_bytes("a§b\n1§2\n".encode())
    assert not rows_are_even(file, CsvOptions(separator="§"))
    assert list(uneven_rows(file, CsvOptions(separator="§"), 2)) == []
