"""What cannot be scored is refused in one paragraph, and leaves nothing behind."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedbed.errors import UserError

Score = Callable[..., str]


def wine_of(folder: Path) -> None:
    pd.DataFrame({"alcohol": [1.0], "ash": [2.0]}).to_csv(folder / "rows.csv", index=False)


def no_rows(folder: Path) -> None:
    (folder / "rows.csv").write_text("carrier,origin\n")


def empty(folder: Path) -> None:
    (folder / "rows.csv").write_text("")


def other_separator(folder: Path) -> None:
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace(",", ";"))


def no_utf8(folder: Path) -> None:
    content = (folder / "rows.csv").read_bytes()
    (folder / "rows.csv").write_bytes(content.replace(b",EWR,", b",\xe9WR,"))


def cut_off(folder: Path) -> None:
    content = (folder / "rows.csv").read_bytes()
    (folder / "rows.csv").write_bytes(content[:-40])


def header_alone(folder: Path) -> None:
    (folder / "rows.csv").write_text((folder / "rows.csv").read_text().splitlines()[0] + "\n")


def same_name_twice(folder: Path) -> None:
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace("tailnum", "carrier", 1))


def renamed(folder: Path) -> None:
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace("carrier", "Carrier", 1))


def answer_inside(folder: Path) -> None:
    text = (folder / "rows.csv").read_text()
    (folder / "rows.csv").write_text(text.replace("tailnum", "score", 1))


DAMAGES: list[tuple[Callable[[Path], None], tuple[str, ...], str]] = [
    (
        wine_of,
        (),
        r"rows.csv: 20 of the 20 columns that .* needs are missing: sched_dep_time \(num",
    ),
    (renamed, (), r"1 of the 20 .* missing: carrier \(category\) \(did you mean Carrier\?\)"),
    (empty, (), "rows.csv: the file is empty"),
    (header_alone, (), "rows.csv: there are no rows"),
    (other_separator, (), r"If columns are separated by that, set source.options.separator to ';'"),
    (no_utf8, (), r"rows.csv: byte \d+, in line \d+, is not UTF-8. Name the file's encoding"),
    (cut_off, (), "rows.csv: the last line ends after .* so the file was cut off"),
    (same_name_twice, (), "carrier"),
    (answer_inside, ("--keep", "all"), "the column score would stand beside an answer of that"),
    (lambda _: None, ("--keep", "carier"), r"no column 'carier' \(did you mean carrier\?\)"),
    (lambda _: None, ("--option", "separatr=;"), "separatr is no option of source csv .*separator"),
    (lambda _: None, ("--option", "separator"), "write KEY=VALUE"),
    (lambda _: None, ("--option", "fill_short_rows=true"), "rows that end early are rejected here"),
]


@pytest.mark.parametrize(("damage", "words", "message"), DAMAGES)
def test_an_input_that_cannot_be_scored_is_refused(
    flights, score: Score, damage: Callable[[Path], None], words: tuple[str, ...], message: str
) -> None:
    flights.rows.head(50).to_csv("rows.csv", index=False)
    damage(Path())
    with pytest.raises(UserError, match=message) as caught:
        score(flights, "rows.csv", "out.csv", *words)
    assert "\n" not in str(caught.value)
    assert [path.name for path in Path().iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("none.csv", "out.csv", "none.csv: there is no such file, and no file matches it"),
        ("*.none", "out.csv", "no file matches it"),
        ("folder", "out.csv", r"no \*.parquet file lies in this folder"),
        ("rows.txt2", "out.csv", "rows.txt2: its name does not tell what kind of file this is"),
        ("rows.*", "out.csv", "its name does not tell"),
        ("rows.[cp]*", "out.csv", "are of different kinds"),
        ("rows.csv", "out.xlsx", "out.xlsx: the output's name must end in .csv or .parquet"),
        ("rows.csv", "none/out.csv", "there is no folder none"),
        ("rows.csv", "rows.csv", "rows.csv exists already"),
        ("broken.parquet", "out.csv", "broken.parquet: this is not a whole Parquet file"),
        ("list.json", "out.csv", "the first lines are no JSON objects. Give JSON lines"),
    ],
)
def test_a_place_that_cannot_be_read_or_written_is_refused(
    flights, score: Score, source: str, target: str, message: str
) -> None:
    flights.rows.head(50).to_csv("rows.csv", index=False)
    flights.rows.head(50).to_parquet("rows.parquet", index=False)
    Path("rows.txt2").touch()
    Path("folder").mkdir()
    Path("broken.parquet").write_bytes(Path("rows.parquet").read_bytes()[:-9])
    flights.rows.head(50).to_json("list.json", orient="records")
    before = {path.name: path.read_bytes() for path in Path().glob("*.*")}
    with pytest.raises(UserError, match=message):
        score(flights, source, target)
    assert {path.name: path.read_bytes() for path in Path().glob("*.*")} == before


def test_files_with_other_columns_are_no_table(flights, score: Score) -> None:
    flights.rows.head(9).to_csv("rows-1.csv", index=False)
    flights.rows.head(9).drop(columns="tailnum").to_csv("rows-2.csv", index=False)
    with pytest.raises(UserError, match="rows-2.csv: it lacks tailnum, other than rows-1.csv"):
        score(flights, "rows-*.csv", "out.csv")


def test_a_nested_column_goes_to_parquet_alone(flights, score: Score) -> None:
    table = pa.Table.from_pandas(flights.rows.head(9), preserve_index=False)
    table = table.append_column("tags", [[["a", "b"]] * 9])
    pq.write_table(table, "rows.parquet")
    score(flights, "rows.parquet", "out.parquet", "--keep", "tags")
    assert pd.read_parquet("out.parquet")["tags"].map(list).tolist() == [["a", "b"]] * 9
    with pytest.raises(UserError, match="column tags .* Leave it out with --keep"):
        score(flights, "rows.parquet", "out.csv", "--keep", "tags")
    assert {path.name for path in Path().iterdir()} == {"rows.parquet", "out.parquet"}


@pytest.mark.parametrize("name", ["out.csv", "out.csv.rejected.csv"])
def test_an_output_is_replaced_by_force_alone(flights, score: Score, name: str) -> None:
    flights.rows.head(9).to_csv("rows.csv", index=False)
    Path(name).write_text("precious")
    with pytest.raises(UserError, match=f"{name} exists already. Give another name, or replace"):
        score(flights, "rows.csv", "out.csv")
    assert Path(name).read_text() == "precious"
    assert {path.name for path in Path().iterdir()} == {"rows.csv", name}
    score(flights, "rows.csv", "out.csv", "--force")
    assert len(pd.read_csv("out.csv")) == 9
    assert {path.name for path in Path().iterdir()} == {"rows.csv", "out.csv"}


def test_a_damaged_bundle_is_refused(flights, score: Score, tmp_path: Path) -> None:
    flights.rows.head(9).to_csv("rows.csv", index=False)
    shutil.copytree(flights.bundle, "bundle")
    Path("bundle/pipeline.skops").write_bytes(b"")
    with pytest.raises(UserError, match="pipeline.skops is not the file that was packaged"):
        score(flights, "rows.csv", "out.csv", "--bundle", "bundle")
