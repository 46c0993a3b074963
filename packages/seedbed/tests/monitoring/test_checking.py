"""From rows to a decision, with real bundles: calm, drift, lost performance, too few rows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.monitor import Monitor
from seedbed.data.tables import read_table
from seedbed.monitoring import watching
from seedbed.monitoring.checking import Report, State, check_rows
from seedbed.monitoring.page import to_html
from seedbed.monitoring.watching import Watched, watch
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.reference import Reference

from support import slow_after

Built = Callable[[str], Path]
LOOSE = Monitor(least_rows=20)


@pytest.fixture(scope="module")
def bundle(built: Built) -> Bundle:
    return load_bundle(built("flights") / "models/bundle")


@pytest.fixture
def flights(built: Built) -> pd.DataFrame:
    """Rows of all months; the order is the source's."""
    return read_table(built("flights") / "data/raw")


def watched(bundle: Bundle, rows: pd.DataFrame, before: Watched | None = None) -> Watched:
    reference = Reference(before.inputs, before.scores) if before else bundle.profile
    return watch(bundle, [rows], reference)


def compare(bundle: Bundle, before: pd.DataFrame, now: pd.DataFrame) -> Report:
    reference = watch(bundle, [before], None)
    return check_rows(bundle, watched(bundle, now, reference), LOOSE, reference)


def test_two_halves_are_calm(bundle: Bundle, flights: pd.DataFrame) -> None:
    half = flights.drop(columns="arr_delay").sample(frac=0.5, random_state=1)
    report = compare(bundle, half, flights.drop(columns="arr_delay").drop(half.index))
    assert report.state is State.CALM, report.reasons
    assert report.reasons == []
    assert report.performance == []
    assert report.estimated is not None
    assert report.domain is not None


def test_drift_is_named_and_the_worst_column_comes_first(
    bundle: Bundle, flights: pd.DataFrame
) -> None:
    half = flights.sample(frac=0.5, random_state=1)
    other = flights.drop(half.index)
    report = compare(bundle, half, other.assign(distance=other["distance"] * 1.609))
    assert report.state is State.DRIFT
    assert report.columns[0].column == "distance"
    assert any(reason.startswith("distance: PSI") for reason in report.reasons)
    assert report.domain is not None
    assert next(iter(report.domain.importances)) == "distance"


def test_lost_performance_counts_for_more_than_drift(bundle: Bundle, flights: pd.DataFrame) -> None:
    late = flights["arr_delay"] > 15
    wrong = flights.assign(
        arr_delay=flights["arr_delay"]
        .mask(late, 0.0)
        .mask(~late & flights["arr_delay"].notna(), 60.0),
        distance=1.0,
    )
    report = check_rows(bundle, watched(bundle, wrong), LOOSE)
    assert report.state is State.PERFORMANCE_LOST
    assert report.performance[0].lost
    assert report.reasons[0].startswith("roc_auc is ")


def test_outcomes_of_few_days_decide_nothing_and_the_report_says_so(
    bundle: Bundle, flights: pd.DataFrame
) -> None:
    days = flights["time_hour"].dt.floor("D")
    few = flights[days.isin(sorted(days.unique())[:5])]
    wrong = few.assign(arr_delay=60.0 * (few["arr_delay"] <= 15))
    report = check_rows(bundle, watched(bundle, wrong), LOOSE)
    assert report.state is not State.PERFORMANCE_LOST
    assert "takes outcomes of at least 10 days" in report.reasons[-1], report.reasons
    assert report.estimated is not None
    assert report.estimated["low"] is None, "an interval of five days would be too narrow"


@pytest.mark.parametrize("size", [1, 30])
def test_few_rows_decide_nothing(bundle: Bundle, flights: pd.DataFrame, size: int) -> None:
    report = check_rows(bundle, watched(bundle, flights.head(size)), Monitor())
    assert report.state is State.TOO_FEW_ROWS
    assert report.reasons[0].startswith(f"{size} rows")


def test_the_same_months_of_the_profile_are_compared(bundle: Bundle, flights: pd.DataFrame) -> None:
    may = flights[flights["time_hour"].dt.month == 5]
    now = watched(bundle, may)
    assert now.months == {"05": len(may)}
    season = check_rows(bundle, now, LOOSE)
    whole = check_rows(bundle, now, LOOSE, same_season=False)
    assert "month 05" in season.reference
    assert season.reference_rows < whole.reference_rows
    psi = [next(c.psi for c in found.columns if c.column == "temp") for found in (season, whole)]
    assert psi[0] < psi[1]
    elsewhen = check_rows(bundle, replace(now, months={"05": 1, "13": 1}), LOOSE)
    assert "all months: none are of month 13" in elsewhen.reference
    assert elsewhen.reference_rows == whole.reference_rows


def test_parts_count_as_the_whole(bundle: Bundle, flights: pd.DataFrame) -> None:
    whole = watched(bundle, flights)
    parts = watch(
        bundle, [flights.iloc[:700], flights.iloc[700:710], flights.iloc[710:]], bundle.profile
    )
    assert parts.inputs == whole.inputs
    assert parts.scores == whole.scores
    pd.testing.assert_frame_equal(parts.scored.answers, whole.scored.answers)
    assert check_rows(bundle, parts, LOOSE).columns == check_rows(bundle, whole, LOOSE).columns


@pytest.mark.parametrize("name", slow_after(1, ["flights", "wine", "diabetes"]))
def test_each_task_has_a_report_and_a_page(built: Built, name: str) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    raw = read_table(built(name) / "data/raw")
    report = check_rows(bundle, watched(bundle, raw), LOOSE)
    assert report.performance[0].part == ""
    assert 0 < report.performance[0].rows <= len(raw)
    assert (report.estimated is None) == (name == "diabetes")
    page = to_html(report)
    assert page.startswith("<!doctype html>")
    assert "http" not in page.replace("http-equiv", "")
    for drift in report.columns:
        assert f"<h3>{drift.column}</h3>" in page


def test_a_bundles_profile_holds_no_row(bundle: Bundle) -> None:
    profile = bundle.profile.inputs
    assert set(profile.rows) <= {f"{month:02}" for month in range(1, 13)}
    for name, counts in profile.counts.items():
        for period, found in counts.items():
            assert sum(found) == profile.rows[period], name


def test_of_many_rows_some_are_drawn_and_the_report_says_so(
    bundle: Bundle, flights: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "SCORED", 500)
    known = flights[flights["arr_delay"].notna()]
    now = watch(bundle, [flights[:700], flights[700:900], flights[900:]], bundle.profile)
    report = check_rows(bundle, now, LOOSE, notes=["A file is damaged."])
    assert report.rows == len(flights)
    assert report.performance[0].rows == 500
    assert report.notes == [
        "A file is damaged.",
        f"Performance is estimated from 500 of {len(flights):,} rows, drawn at random.",
        f"Performance is measured on 500 of {len(known):,} outcomes, drawn at random.",
    ]
    assert all(note in to_html(report) for note in report.notes)
    delays = now.judged.target
    assert delays is not None
    assert delays.mean() == pytest.approx(known["arr_delay"].mean(), abs=8), "a fair sample"


def test_logged_answers_are_taken_as_they_are(bundle: Bundle, flights: pd.DataFrame) -> None:
    answers = bundle.predict(flights).assign(score=0.125).add_prefix("answer_")
    now = watch(bundle, [pd.concat([flights, answers], axis=1)], bundle.profile)
    assert set(now.scored.answers["score"]) == {0.125}
