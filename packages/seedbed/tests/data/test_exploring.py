"""The exploration report shows what there is, the same every time, in files that need nothing else."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from seedbed.config.schema import Column, Problem
from seedbed.data.exploring import (
    CATEGORIES,
    correlations,
    profile_page,
    summarize,
    target_by_feature,
    target_by_month,
    target_values,
)
from seedbed.data.exploring_plots import (
    _short,
    draw_correlations,
    draw_missing,
    draw_target,
    draw_time,
)

Columns = dict[str, Column]
PNG = b"\x89PNG\r\n"

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
    """400 rows with every type; `after` and `note` hold nothing but missing values, `one` always the same."""
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


def test_the_mean_target_is_told_for_what_a_person_asks_about(rows: pd.DataFrame) -> None:
    target = target_values(rows, COLUMNS, problem())
    found = target_by_feature(rows, COLUMNS, target)
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
    table = target_by_feature(rows, COLUMNS, target_values(rows, COLUMNS, problem()))["rain"]
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
    table = target_by_feature(frame, {"kind": Column(role="feature", type="category")}, frame["y"])[
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
    table = target_by_feature(rows, COLUMNS, rows["y"])["city"].loc["town 00"]
    error = rows["y"][rows["city"] == "town 00"].sem()
    assert table["high"] - table["mean"] == pytest.approx(1.96 * error)
    assert table["mean"] - table["low"] == pytest.approx(1.96 * error)


def test_long_names_are_shortened_and_stay_apart() -> None:
    names = [
        "MCDONNELL DOUGLAS",
        "MCDONNELL DOUGLAS AIRCRAFT CO",
        "MCDONNELL DOUGLAS CORPORATION",
        "BOEING",
    ]
    assert _short(names) == [
        "MCDONNELL DOUGLAS",
        "MCDONNEL…CRAFT CO",
        "MCDONNEL…PORATION",
        "BOEING",
    ]
    alike = ["one long name, then 1, the rest as here", "one long name, then 2, the rest as here"]
    assert _short(alike) == alike


def test_the_months_of_both_panels_stand_below_each_other(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr(
        "seedbed.data.exploring_plots.save_figure", lambda figure, _path: drawn.append(figure)
    )
    month = target_by_month(rows, COLUMNS, target_values(rows, COLUMNS, problem()))
    assert month is not None
    draw_time(tmp_path / "time.png", month, COLUMNS, problem())
    above, below = drawn[0].axes
    assert above.get_xlim() == below.get_xlim()


def test_small_categories_are_put_together(rows: pd.DataFrame) -> None:
    table = target_by_feature(rows, COLUMNS, target_values(rows, COLUMNS, problem()))["city"]
    assert len(table) == CATEGORIES + 1
    assert table.loc["other", "rows"] == 3 * 26


def test_months_are_told_where_there_is_a_time(rows: pd.DataFrame) -> None:
    found = target_by_month(rows, COLUMNS, target_values(rows, COLUMNS, problem()))
    assert found is not None
    assert found.index.tolist() == ["2024-01", "2024-02", "2024-03", "2024-04", "2024-05"]
    assert found["rows"].sum() == 400
    timeless = {name: column for name, column in COLUMNS.items() if name != "at"}
    assert target_by_month(rows, timeless, target_values(rows, COLUMNS, problem())) is None


def test_correlations_are_of_ranks_and_of_what_varies(rows: pd.DataFrame) -> None:
    found = correlations(rows, COLUMNS)
    assert list(found) == ["km", "rain", "y"]
    bent = correlations(
        pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [-1.0, -10, -100, -1000]}),
        {name: Column(role="feature") for name in "ab"},
    )
    assert bent.loc["a", "b"] == pytest.approx(-1)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_summary_is_plain_json(rows: pd.DataFrame, task: str) -> None:
    asked = problem(task)
    found = summarize(
        rows, COLUMNS, asked, target_by_feature(rows, COLUMNS, target_values(rows, COLUMNS, asked))
    )
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


@pytest.fixture(scope="module")
def page(rows: pd.DataFrame) -> str:
    return profile_page(rows, "Rows <of> interest")


def test_the_profile_is_the_same_twice(rows: pd.DataFrame, page: str) -> None:
    assert profile_page(rows, "Rows <of> interest") == page


def test_the_profile_needs_no_other_file(page: str) -> None:
    loads = re.findall(
        r"<(?:script|link|img|iframe)\b[^>]*?(?:src|href)\s*=\s*[\"']([^\"']*)", page
    )
    assert [address for address in loads if not address.startswith("data:")] == []
    assert not re.search(r"url\(\s*[\"']?https?:|@import|fetch\(", page)
    for name in COLUMNS:
        assert name in page


def test_pictures_are_the_same_twice(rows: pd.DataFrame, tmp_path: Path) -> None:
    target = target_values(rows, COLUMNS, problem())
    by_feature, by_month = (
        target_by_feature(rows, COLUMNS, target),
        target_by_month(rows, COLUMNS, target),
    )
    assert by_month is not None
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        draw_correlations(folder / "correlations.png", correlations(rows, COLUMNS))
        draw_missing(folder / "missing.png", rows)
        draw_target(folder / "target.png", by_feature, COLUMNS, problem())
        draw_time(folder / "time.png", by_month, COLUMNS, problem())
    first = {file.name: file.read_bytes() for file in (tmp_path / "a").iterdir()}
    assert len(first) == 4
    assert all(content.startswith(PNG) for content in first.values())
    assert first == {file.name: file.read_bytes() for file in (tmp_path / "b").iterdir()}


def test_a_picture_says_what_is_averaged(rows: pd.DataFrame, tmp_path: Path) -> None:
    month = target_by_month(rows, COLUMNS, target_values(rows, COLUMNS, problem()))
    assert month is not None
    for task in ("binary", "multiclass", "regression"):
        draw_time(tmp_path / f"{task}.png", month, COLUMNS, problem(task))
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 3, "only the title differs"


def test_pictures_of_nothing_are_drawn_all_the_same(tmp_path: Path) -> None:
    draw_missing(tmp_path / "missing.png", pd.DataFrame({"x": [1.0, 2.0]}))
    draw_target(tmp_path / "target.png", {}, COLUMNS, problem())
    for file in tmp_path.iterdir():
        assert file.read_bytes().startswith(PNG)
