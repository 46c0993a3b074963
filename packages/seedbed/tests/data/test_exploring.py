"""The exploration page shows what there is, the same every time, and needs nothing else."""

import json
import re
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from project.stages.explore import write_exploration
from seedbed.config.modelling import Problem
from seedbed.config.schema import Column
from seedbed.data.exploring import (
    CATEGORIES,
    summarize,
    target_by_column,
    target_by_period,
    target_values,
)
from seedbed.data.exploring_page import MOST_COLUMNS, MOST_REPORTED, exploration_page
from seedbed.files import read_json

Columns = dict[str, Column]

COLUMNS: Columns = {
    "km": Column(role="feature"),
    "ok": Column(role="feature", type="boolean"),
    "rain": Column(role="feature"),
    "city": Column(role="group", type="category"),
    "after": Column(role="known_after_outcome"),
    "note": Column(role="known_after_outcome", type="category"),
    "one": Column(role="feature"),
    "at": Column(role="time", type="time"),
    "secret": Column(role="other"),
    "y": Column(role="target"),
}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """400 rows with every type; `after` and `note` are all missing, `one` is constant."""
    count = 400
    km = np.random.default_rng(0).normal(size=count)
    return pd.DataFrame(
        {
            "km": np.where(np.arange(count) % 20 == 0, np.nan, km),
            "ok": pd.array([True, False, None, True] * 100, dtype="boolean"),
            "rain": np.where(np.arange(count) % 3, 0.0, np.arange(count)),
            "city": pd.Series([f"town {place % 15:02d}" for place in range(count)], dtype="str"),
            "after": np.full(count, np.nan),
            "note": pd.Series([None] * count, dtype="str"),
            "one": 1.0,
            "at": pd.date_range("2024-01-30", periods=count, freq="6h", tz="Europe/Oslo"),
            "secret": np.arange(count) % 7,
            "y": np.floor(np.clip(km * 2 + 5, 0, 9)),
        }
    )


def problem(task: str = "binary") -> Problem:
    above = 5 if task == "binary" else None
    return Problem(question="?", task=task, above=above, metric="roc_auc")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("binary", [0.0, 1.0, 0.0, np.nan]),
        ("multiclass", [1.0, 0.0, 1.0, np.nan]),
        ("regression", [2.0, 8.0, 2.0, np.nan]),
    ],
)
def test_the_target_is_a_number_where_it_is_known(task: str, expected: list[float]) -> None:
    np.testing.assert_array_equal(
        target_values(pd.DataFrame({"y": [2.0, 8.0, 2.0, np.nan]}), COLUMNS, problem(task)),
        expected,
    )


@pytest.mark.parametrize(
    ("values", "dtype"), [(["yes", None, "no"], "str"), ([True, None, False], "boolean")]
)
def test_a_binary_target_without_a_limit_is_the_positive_value(values: list, dtype: str) -> None:
    asked = problem().model_copy(update={"above": None, "positive": values[0]})
    frame = pd.DataFrame({"y": pd.Series(values, dtype=dtype)})
    np.testing.assert_array_equal(target_values(frame, COLUMNS, asked), [1.0, np.nan, 0.0])


def test_the_mean_target_is_averaged_for_what_a_person_asks_about(rows: pd.DataFrame) -> None:
    target = target_values(rows, COLUMNS, problem())
    found = target_by_column(rows, COLUMNS, target)
    assert list(found) == ["km", "ok", "rain", "city", "after", "note", "one"]
    for name in ("ok", "city"):
        table, kept = found[name], rows[name].notna()
        assert table["rows"].sum() == kept.sum()
        assert (table["mean"] * table["rows"]).sum() == pytest.approx(target[kept].sum())
    assert found["km"]["mean"].is_monotonic_increasing, "the target is made of km"
    assert len(found["km"]) == 10
    assert found["after"].empty
    assert found["note"].empty
    assert found["one"]["rows"].tolist() == [400]


def test_a_value_that_half_of_the_rows_share_is_a_bin_of_its_own(rows: pd.DataFrame) -> None:
    table = target_by_column(rows, COLUMNS, target_values(rows, COLUMNS, problem()))["rain"]
    assert table.index[0] == 0.0
    assert table["rows"].iloc[0] == (rows["rain"] == 0).sum()
    assert table["rows"].iloc[1:].between(12, 15).all()


def test_a_share_has_an_interval_within_0_and_1_that_is_not_empty() -> None:
    """Compared with statsmodels.stats.proportion.proportion_confint(method="wilson")."""
    frame = pd.DataFrame(
        {
            "kind": pd.Series(list("aaaaabbbbbbbbbbc"), dtype="str"),
            "y": [0.0] * 5 + [1] * 3 + [0] * 7 + [1],
        }
    )
    table = target_by_column(frame, {"kind": Column(role="feature", type="category")}, frame["y"])[
        "kind"
    ]
    assert table.index.tolist() == ["a", "b"], "one row says nothing"
    np.testing.assert_allclose(
        table.loc["a", ["low", "high"]].astype(float), [0, 0.434484], atol=1e-5
    )
    np.testing.assert_allclose(
        table.loc["b", ["low", "high"]].astype(float), [0.107789, 0.603222], atol=1e-5
    )


def test_a_mean_has_the_interval_of_its_standard_error(rows: pd.DataFrame) -> None:
    table = target_by_column(rows, COLUMNS, rows["y"])["city"].loc["town 00"]
    error = rows["y"][rows["city"] == "town 00"].sem()
    assert table["high"] - table["mean"] == pytest.approx(1.96 * error)
    assert table["mean"] - table["low"] == pytest.approx(1.96 * error)


def test_small_categories_are_put_together(rows: pd.DataFrame) -> None:
    table = target_by_column(rows, COLUMNS, target_values(rows, COLUMNS, problem()))["city"]
    assert len(table) == CATEGORIES + 1
    assert table.loc["other", "rows"] == 3 * 26


def test_months_are_shown_where_there_is_a_time_and_years_of_many_months(
    rows: pd.DataFrame,
) -> None:
    found = target_by_period(rows, COLUMNS, target_values(rows, COLUMNS, problem()))
    assert found is not None
    assert found.index.tolist() == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    assert found["rows"].sum() == 400
    later = rows.assign(at=pd.date_range("2010-01-15", periods=400, freq="10D", tz="UTC"))
    years = target_by_period(later, COLUMNS, target_values(rows, COLUMNS, problem()))
    assert years is not None
    assert years.index.tolist() == [str(year) for year in range(2010, 2021)]
    timeless = {name: column for name, column in COLUMNS.items() if name != "at"}
    assert target_by_period(rows, timeless, target_values(rows, COLUMNS, problem())) is None


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_summary_is_plain_json(rows: pd.DataFrame, task: str) -> None:
    asked = problem(task)
    target = target_values(rows, COLUMNS, asked)
    found = summarize(rows, COLUMNS, target, target_by_column(rows, COLUMNS, target))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["rows"] == 400
    assert found["target"]["mean"] == pytest.approx(
        target_values(rows, COLUMNS, asked).mean(), abs=1e-6
    )
    assert found["columns"]["km"]["missing"] == 0.05
    assert found["columns"]["after"] == {
        "role": "known_after_outcome",
        "missing": 1.0,
        "distinct": 0,
        "target_range": None,
    }
    assert found["columns"]["km"]["target_range"] > found["columns"]["ok"]["target_range"]
    assert found["columns"]["secret"]["target_range"] is None


def page_of(frame: pd.DataFrame, columns: Columns, task: str = "binary") -> str:
    target = target_values(frame, COLUMNS, problem(task))
    by_column, by_period = (
        target_by_column(frame, columns, target),
        target_by_period(frame, columns, target),
    )
    return exploration_page(frame, columns, problem(task), target, by_column, by_period)


def text_of(page: str) -> str:
    """Return what a browser shows of a page before skrub's report."""
    shown = page.partition("<h2>The columns</h2>")[0].partition("<body>")[2]
    return unescape(re.sub("<[^>]*>", " ", shown))


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_page_is_the_same_twice_and_needs_no_other_file(rows: pd.DataFrame, task: str) -> None:
    page = page_of(rows, COLUMNS, task)
    assert page_of(rows, COLUMNS, task) == page
    loads = re.findall(
        r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)\s*=\s*[\"']([^\"']*)", page
    )
    assert [address for address in loads if not address.startswith("data:")] == []
    assert not re.search(r"url\(\s*[\"']?https?:|@import|fetch\(", page)
    for name in COLUMNS:
        assert name in page


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("binary", "Share of y > 5, by column"),
        ("multiclass", "Share of the most frequent y, by column"),
        ("regression", "Mean y, by column"),
    ],
)
def test_the_page_shows_the_target_by_column(rows: pd.DataFrame, task: str, words: str) -> None:
    frame = rows.assign(after=rows["y"] * 2)
    shown = text_of(page_of(frame, COLUMNS, task))
    assert words in shown
    assert "after (known after outcome)" in shown
    assert "2024-03" in shown
    group = target_by_column(frame, COLUMNS, target_values(frame, COLUMNS, problem(task)))[
        "ok"
    ].loc["True"]
    assert re.search(rf"True\s+{group['mean']:.3g}\s+200", shown)
    assert "columns, those that move" not in shown


ODD = ["price_$ of $x_1$", "Größe_日本", "<b>&amp;", "n" * 300, "n" * 299 + "m"]


@pytest.mark.slow
def test_of_a_wide_table_the_telling_columns_are_shown(recwarn: pytest.WarningsRecorder) -> None:
    random, names = np.random.default_rng(0), [*ODD, *(f"c{number}" for number in range(400))]
    frame = pd.DataFrame(random.normal(size=(300, len(names))), columns=names)
    frame["many"] = pd.Series([f"value {number}" for number in range(300)], dtype="str")
    frame["y"] = frame[ODD].sum(axis=1) * 3
    columns = {name: Column(role="feature") for name in names}
    columns |= {"many": Column(role="feature", type="category"), "y": Column(role="target")}
    page = page_of(frame, columns)
    shown = text_of(page)
    assert f"Drawn are {MOST_COLUMNS} of 406 columns" in shown
    assert f"Reported are {MOST_REPORTED} of 407 columns" in page
    for name in ODD:
        assert name in shown
    assert [str(warning.message) for warning in recwarn] == []
    assert len(page) < 3_000_000


def test_any_values_make_a_page_without_a_warning(recwarn: pytest.WarningsRecorder) -> None:
    frame = pd.DataFrame(
        {
            "text": pd.Series(["日本 $x_1$", "b$", "c" * 400] * 20, dtype="str"),
            "huge": [1e300] * 59 + [np.nan],
            "infinite": [np.inf, 1.0] * 30,
            "far": pd.Series(pd.to_datetime(["1600-01-01", "9999-12-31"] * 30, utc=True)),
            "y": np.arange(60.0) % 9,
        }
    )
    columns = {name: Column(role="feature") for name in ("huge", "infinite")}
    columns["far"] = Column(role="feature", type="time")
    columns |= {"text": Column(role="feature", type="category"), "y": Column(role="target")}
    assert "日本 $x_1$" in text_of(page_of(frame, columns))
    assert [str(warning.message) for warning in recwarn] == []


def test_a_column_without_values_and_no_column_at_all_make_a_page(rows: pd.DataFrame) -> None:
    empty = rows[["y"]].assign(nothing=np.nan)
    columns = {"y": COLUMNS["y"], "nothing": Column(role="feature")}
    assert "Share of y > 5" in text_of(page_of(empty, columns))
    assert "Share of y > 5" in text_of(page_of(rows[["y"]], {"y": COLUMNS["y"]}))


def test_the_stage_writes_page_and_summary(rows: pd.DataFrame, tmp_path: Path) -> None:
    write_exploration(tmp_path / "explore", rows, COLUMNS, problem())
    assert {file.name for file in (tmp_path / "explore").iterdir()} == {
        "profile.html",
        "summary.json",
    }
    assert read_json(tmp_path / "explore/summary.json")["rows"] == 400
