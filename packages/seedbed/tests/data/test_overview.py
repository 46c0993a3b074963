"""The overview names what each column is and what is wrong with it, the gravest first."""

import re

import numpy as np
import pandas as pd
import pytest

from seedbed.config.modelling import Problem
from seedbed.config.schema import Column
from seedbed.data.overview import make_overview
from seedbed.data.overview_page import MOST_WARNINGS, overview_html

COLUMNS = {
    "km": Column(role="feature"),
    "ok": Column(role="feature", type="boolean"),
    "city": Column(role="feature", type="category"),
    "at": Column(role="time", type="time"),
    "id": Column(role="other", type="category", key=True),
    "y": Column(role="target"),
}
PROBLEM = Problem(question="?", task="binary", above=5, metric="roc_auc")


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "km": np.where(np.arange(400) % 20 == 0, np.nan, random.normal(size=400)),
            "ok": pd.array([True, False, None, True] * 100, dtype="boolean"),
            "city": pd.Series(["Oslo", "Rome", "Oslo", "Bern"] * 100, dtype="str"),
            "at": pd.date_range("2024-01-30", periods=400, freq="6h"),
            "id": pd.Series([f"r{number}" for number in range(400)], dtype="str"),
            "y": random.integers(0, 10, 400).astype("float64"),
        }
    )


def shown(
    rows: pd.DataFrame, columns: dict[str, Column], problem: Problem = PROBLEM
) -> tuple[list[tuple[str, str]], str]:
    """Return kind and column of each warning, and the page's text."""
    overview = make_overview(rows, columns, problem)
    page = overview_html(overview, len(rows), [])
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", page))
    return [(warned.kind, warned.column) for warned in overview.warnings], text


def test_each_column_has_a_line(rows: pd.DataFrame) -> None:
    warnings, text = shown(rows, COLUMNS)
    assert warnings == []
    assert "400 rows, 6 columns in use, 3 of them features" in text
    assert "None: no feature tells the target by itself" in text
    assert re.search(r"km number feature 380 5 % -[\d.]+ to [\d.]+, median -?[\d.]+", text)
    assert "ok boolean feature 2 25 % True 67 %, False 33 %" in text
    assert "city category feature 3 Oslo 50 %, Bern 25 %, Rome 25 %" in text
    assert "at time time 400 2024-01-30 00:00 to 2024-05-08 18:00" in text
    assert "y number target 10 0 to 9, median" in text


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (lambda rows: rows["y"] * 2 + 1, "leak", "alone it nearly determines the target"),
        (lambda _: 1.0, "constant", "one value only"),
        (lambda _: np.nan, "constant", "no value at all"),
        (lambda rows: rows["km"].where(rows.index % 3 == 0), "missing", "missing in 68.2 % of"),
        (lambda rows: -rows["km"] * 2, "same", "says what km says: rank correlation -1.000"),
    ],
)
def test_what_is_wrong_with_a_column_is_a_warning(
    rows: pd.DataFrame, values, kind: str, words: str
) -> None:
    frame = rows.assign(extra=values(rows))
    warnings, text = shown(frame, {**COLUMNS, "extra": Column(role="feature")})
    assert (kind, "extra") in warnings
    assert f"extra {words}" in text
    assert {column for _, column in warnings} == {"extra"}
    unused = {**COLUMNS, "extra": Column(role="known_after_outcome")}
    assert shown(frame, unused)[0] == [], "no model sees it"


def test_leaks_stand_first_and_repeated_rows_last(rows: pd.DataFrame) -> None:
    twice = pd.concat([rows, rows], ignore_index=True).assign(km=[*range(400), *range(400)])
    frame = twice.assign(zero=0.0, leak=twice["y"] * 2)
    extra = {"zero": Column(role="feature"), "leak": Column(role="feature")}
    warnings, text = shown(frame, {**COLUMNS, **extra})
    assert warnings == [("leak", "leak"), ("constant", "zero"), ("repeats", "")]
    assert "id gathers 100 % of them" in text


def test_missing_targets_and_other_tasks_have_an_overview(rows: pd.DataFrame) -> None:
    frame = rows.assign(y=rows["y"].where(rows.index > 40))
    frame["arrived"] = np.where(frame["y"].isna(), np.nan, np.arange(400) * 7 % 400)
    columns = {**COLUMNS, "arrived": Column(role="feature")}
    for task in ("multiclass", "regression"):
        problem = Problem(question="?", task=task, metric="r2")  # type: ignore[arg-type]
        warnings, text = shown(frame, columns, problem)
        assert warnings == [("leak", "arrived")]
        assert "missing in 100 % of the rows without a target" in text


def test_of_many_warnings_and_columns_the_page_stays_small() -> None:
    names = [f"{'n' * 90} <{number}> '\"" for number in range(2000)]
    frame = pd.DataFrame(1.0, index=range(50), columns=[*names, "y"])
    columns = {name: Column(role="feature") for name in names} | {"y": Column(role="target")}
    overview = make_overview(frame.assign(y=np.arange(50.0) % 9), columns, PROBLEM)
    page = overview_html(overview, 50, [*names])
    assert f"and {2000 - MOST_WARNINGS:,} more, marked in the table below" in page
    assert "2,000 more are in no list under columns" in page
    assert "<0>" not in page
    assert len(page) < 1_000_000
