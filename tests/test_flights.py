"""What must hold of the flights, and of the features that are made of them."""

import numpy as np
import pandas as pd
import pytest

from sample_run import SampleRun

# One worker of `pytest -n` does all tests of the run: another would wait for it.
pytestmark = pytest.mark.xdist_group("sample")

KNOWN_LATER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
"""What nobody knows at scheduled departure, when the question is asked."""


@pytest.fixture(scope="module")
def clean(project: SampleRun) -> pd.DataFrame:
    return project.table("clean")


@pytest.fixture(scope="module")
def features(project: SampleRun) -> pd.DataFrame:
    return project.table("features")


def test_about_a_quarter_of_the_flights_are_late(features: pd.DataFrame) -> None:
    assert 0.18 < features["_target"].mean() < 0.30


def test_late_means_more_than_fifteen_minutes(clean: pd.DataFrame, features: pd.DataFrame) -> None:
    assert features["_target"].sum() == (clean["arr_delay"] > 15).sum()


def test_cancelled_flights_are_left_out(project: SampleRun, clean: pd.DataFrame) -> None:
    raw = project.table("raw")
    assert clean["arr_delay"].notna().all()
    assert len(clean) == raw["arr_delay"].notna().sum()


def test_the_model_sees_nothing_that_happens_after_departure(
    project: SampleRun, features: pd.DataFrame
) -> None:
    assert KNOWN_LATER.isdisjoint(features.columns)
    signature = project.yaml("models/bundle/bundle.json")["signature"]
    served = {column["name"] for column in signature["columns"]}
    assert KNOWN_LATER.isdisjoint(served)
    assert {"carrier", "distance"} <= served


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        ("temp", -40, 130),
        ("humid", 0, 100),
        ("wind_dir", 0, 360),
        ("wind_speed", 0, 150),
        ("visib", 0, 10),
        ("plane_year", 1940, 2013),
        ("distance", 50, 5000),
    ],
)
def test_values_are_possible(clean: pd.DataFrame, column: str, low: float, high: float) -> None:
    values = clean[column].dropna()
    assert len(values) > 0.5 * len(clean)
    assert values.between(low, high).all()


def test_flights_leave_new_york_in_2013(clean: pd.DataFrame) -> None:
    assert set(clean["origin"]) == {"EWR", "JFK", "LGA"}
    assert set(clean["time_hour"].dt.year) == {2013}


def test_later_rows_are_tested_on(features: pd.DataFrame) -> None:
    times = features.groupby("_split")["_time"].agg(["min", "max"])
    assert times.loc["train", "max"] <= times.loc["validation", "min"]
    assert times.loc["validation", "max"] <= times.loc["test", "min"]


def test_clock_times_become_minutes_of_the_day(features: pd.DataFrame) -> None:
    clock = features["sched_dep_time"]
    minutes = clock // 100 * 60 + clock % 100
    assert (features["scheduled_departure_minute"] == minutes).all()


def test_the_dew_point_lies_below_the_temperature(features: pd.DataFrame) -> None:
    spread = features["dew_point_spread"].dropna()
    assert (spread > -1).all()
    np.testing.assert_allclose(
        features["temp"] - features["dewp"], features["dew_point_spread"], atol=1e-9
    )


def test_parts_of_the_time_are_those_of_new_york(features: pd.DataFrame) -> None:
    local = features["_time"].dt.tz_convert("America/New_York")
    assert (features["at_hour"] == local.dt.hour).all()
    assert (features["at_month"] == local.dt.month).all()
