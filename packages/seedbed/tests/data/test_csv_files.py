"""Every way in which a CSV file can be wrong is told, and a right one is read as it stands."""

import gzip
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.schema import ColumnType
from seedbed.data.csv_files import NOT_KNOWN, read_csv
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
        (b"a,b\n1,2,3\n4,5,6\n", "rows have more values than the header has names"),
        (
            b"a,b\n1,2,\n3,4,\n",
            "more values than the header has names.*a comma at the end of a row",
        ),
        (b'a,b\n1,"open\n', "not a whole CSV"),
        (b"a;b\n1;2\n", r"no comma, and ';' in it: 'a;b'.*source.options.separator to ';'"),
        (b"a\tb\n1\t2\n", r"no comma, and '\\t' in it"),
        (b'a,"b\n1,2\n', "not a whole CSV"),
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
