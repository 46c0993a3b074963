"""Rows that cannot be read are set aside with the reason, and the others are answered."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from seedbed.errors import UserError

Score = Callable[..., str]
COUNT = 60


def rejected(name: str = "out.csv") -> list[tuple[object, ...]]:
    found = pd.read_csv(f"{name}.rejected.csv", dtype={"value": "str"}, keep_default_na=False)
    return list(found.itertuples(index=False, name=None))


def assert_others_answered(flights, bad: list[int]) -> None:
    """Compare with the answers of rows other than those numbers, counted from 1."""
    found = pd.read_csv("out.csv")
    expected = flights.expected.head(COUNT).drop(index=[row - 1 for row in bad])
    assert found["score"].tolist() == expected["score"].tolist()
    assert found["prediction"].tolist() == expected["prediction"].tolist()


NUMBER = "must be a number"
BAD_TEXTS = [
    ("distance", "far", NUMBER),
    ("distance", "1e999", "must be a finite number, at most 3.4e+38"),
    ("distance", "Infinity", "must be a finite number, at most 3.4e+38"),
    ("distance", "1_000", NUMBER),
    ("temp", "NAN", NUMBER),
    ("time_hour", "yesterday", "must be a time in ISO 8601"),
    ("time_hour", "2013-03-10T02:30:00", "must be a time with its offset"),
]
"""Column, what stands there, and the reason, in files of text."""


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize(("column", "text", "reason"), BAD_TEXTS)
def test_a_text_that_is_not_of_its_columns_type_is_set_aside(
    flights, score: Score, kind: str, column: str, text: str, reason: str
) -> None:
    rows = flights.rows.head(COUNT).astype(object).where(flights.rows.head(COUNT).notna(), None)
    rows["time_hour"] = rows["time_hour"].astype("str")
    rows.loc[40, column] = text
    if kind == "csv":
        rows.to_csv("rows.csv", index=False)
    else:
        rows.to_json("rows.jsonl", orient="records", lines=True, double_precision=15)
    printed = score(flights, f"rows.{kind}", "out.csv", "--batch-rows", 25)
    (found,) = rejected()
    assert found[:3] == (41, column, text if text not in ("1e999", "Infinity") else found[2])
    assert reason in str(found[3])
    assert_others_answered(flights, [41])
    assert "1 rows cannot be read and have no answer: out.csv.rejected.csv" in printed


def test_a_row_is_set_aside_once_for_each_value_that_is_wrong(flights, score: Score) -> None:
    rows = flights.rows.head(COUNT).astype(object)
    rows.loc[4, ["temp", "distance"]] = ["warm", "far"]
    rows.loc[[5, 50], "temp"] = "cold"
    rows.to_csv("rows.csv", index=False)
    printed = score(flights, "rows.csv", "out.csv", "--batch-rows", 20)
    assert [row[:3] for row in rejected()] == [
        *((5, "distance", "far"), (5, "temp", "warm"), (6, "temp", "cold"), (51, "temp", "cold")),
    ]
    assert_others_answered(flights, [5, 6, 51])
    assert "3 rows cannot be read" in printed


@pytest.mark.parametrize("processes", [1, 2])
def test_rows_of_another_length_are_set_aside_and_the_numbers_go_on(
    flights, score: Score, processes: int
) -> None:
    flights.rows.head(COUNT).to_csv("rows.csv", index=False)
    lines = Path("rows.csv").read_text().splitlines()
    for place, line in (
        (61, lines[3] + ",more"),
        (31, lines[3] + ",more"),
        (31, "a"),
        (1, "first"),
    ):
        lines.insert(place, line)
    changed = lines[12].split(",")
    changed[lines[0].split(",").index("temp")] = "cold"
    lines[12] = ",".join(changed)
    Path("rows.csv").write_text("\n".join(lines) + "\n")
    width = len(lines[0].split(","))
    words = ["--batch-rows", 7, "--processes", processes]
    score(flights, "rows.csv", "out.csv", *words)
    found = [(row[0], row[1], str(row[3])) for row in rejected()]
    assert found == [
        (1, "", f"the row has 1 values, and there are {width}"),
        (12, "temp", NUMBER),
        (32, "", f"the row has 1 values, and there are {width}"),
        (33, "", f"the row has {width + 1} values, and there are {width}"),
        (64, "", f"the row has {width + 1} values, and there are {width}"),
    ]
    assert_others_answered(flights, [11])


@pytest.mark.parametrize("header", [True, False])
def test_rows_are_counted_from_the_first_below_what_stands_above(
    flights, score: Score, header: bool
) -> None:
    flights.rows.head(COUNT).to_csv("rows.csv", index=False, header=header)
    lines = Path("rows.csv").read_text().splitlines()
    lines.insert(9 + header, "short")
    Path("rows.csv").write_text("\n".join(["a report", "of march", *lines]) + "\n")
    words = ["--option", "skip_rows=2"]
    if not header:
        words += ["--option", "header=null", "--option", f"names={list(flights.rows)}"]
    score(flights, "rows.csv", "out.csv", *words)
    assert [row[0] for row in rejected()] == [10]
    assert_others_answered(flights, [])


@pytest.mark.parametrize(
    ("line", "value", "reason"),
    [
        ("[1, 2]", "[1, 2]", "this is no JSON object"),
        ('{"carrier": "UA"', '{"carrier": "UA"', "this is no JSON object"),
        ('{"distance": true}', "true", NUMBER),
        ('{"distance": {"miles": 3}}', '{"miles": 3}', NUMBER),
    ],
)
def test_a_line_that_is_no_row_is_set_aside(
    flights, score: Score, line: str, value: str, reason: str
) -> None:
    flights.rows.head(COUNT).to_json(
        "rows.jsonl", orient="records", lines=True, date_format="iso", double_precision=15
    )
    lines = Path("rows.jsonl").read_text().splitlines()
    lines.insert(20, line)
    Path("rows.jsonl").write_text("\n\n".join(lines))
    score(flights, "rows.jsonl", "out.csv")
    ((row, _, text, why),) = rejected()
    assert (row, text, why) == (21, value, reason)
    assert_others_answered(flights, [])


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("distance", float("inf"), "must be a finite number"),
        ("temp", -1e39, "must be a finite number"),
    ],
)
def test_a_value_of_a_parquet_file_is_set_aside(
    flights, score: Score, column: str, value: float, reason: str
) -> None:
    rows = flights.rows.head(COUNT).copy()
    rows[column] = rows[column].astype("float64")
    rows.loc[7, column] = value
    rows.to_parquet("rows.parquet")
    score(flights, "rows.parquet", "out.csv")
    ((row, name, _, why),) = rejected()
    assert (row, name) == (8, column) and reason in why
    assert_others_answered(flights, [8])


def test_codes_and_texts_are_read_as_a_source_reads_them(flights, score: Score) -> None:
    rows = flights.rows.head(COUNT).astype({"distance": "str"})
    rows["flight"] = rows["flight"].astype("float64")
    rows.to_parquet("rows.parquet")
    score(flights, "rows.parquet", "out.csv")
    assert_others_answered(flights, [])
    assert not Path("out.csv.rejected.csv").exists()


def test_stop_names_the_first_bad_row_and_keeps_what_was_answered(flights, score: Score) -> None:
    rows = flights.rows.head(COUNT).astype(object)
    rows.loc[45, "temp"] = "cold"
    rows.to_csv("rows.csv", index=False)
    words = ["rows.csv", "out.csv", "--on-error", "stop", "--batch-rows", 20]
    with pytest.raises(UserError, match=r"rows.csv, row 46, column temp: 'cold': must be a num"):
        score(flights, *words)
    assert len(list(Path("out.csv.parts").glob("part-*"))) == 2
    rows.loc[45, "temp"] = flights.rows.loc[45, "temp"]
    rows.to_csv("rows.csv", index=False)
    with pytest.raises(UserError, match="now the input is another.*--restart"):
        score(flights, *words)
    score(flights, *words, "--restart")
    assert_others_answered(flights, [])


def test_where_nothing_can_be_read_nothing_is_written(flights, score: Score) -> None:
    flights.rows.head(COUNT).assign(distance="far").to_csv("rows.csv", index=False)
    with pytest.raises(
        UserError, match="none of the first 60 rows can be read: row 1, column dist"
    ):
        score(flights, "rows.csv", "out.csv")
    assert [path.name for path in Path().iterdir()] == ["rows.csv"]


def test_a_side_file_of_an_earlier_run_goes_with_its_output(flights, score: Score) -> None:
    rows = flights.rows.head(COUNT).astype(object)
    rows.loc[1, "temp"] = "cold"
    rows.to_csv("bad.csv", index=False)
    flights.rows.head(COUNT).to_csv("good.csv", index=False)
    score(flights, "bad.csv", "out.csv")
    assert len(rejected()) == 1
    score(flights, "good.csv", "out.csv", "--force")
    assert not Path("out.csv.rejected.csv").exists()
