"""A time is read in the same way from a source and in a request."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from seedbed.config.schema import Column, Dataset, Table
from seedbed.data.ingesting import set_types
from seedbed.errors import UserError
from seedbed.serving.values import read_values

ZONE = "America/New_York"
Read = Callable[[pd.Series], pd.Series]


def ingested(values: pd.Series) -> pd.Series:
    dataset = Dataset(name="d", tables=[Table(name="d")], time_zone=ZONE)
    return set_types(
        pd.DataFrame({"at": values}), {"at": Column(role="time", type="time")}, dataset
    )["at"]


def served(values: pd.Series) -> pd.Series:
    return read_values(values, "at", "time", ZONE)


both = pytest.mark.parametrize("read", [ingested, served])


@both
@pytest.mark.parametrize(
    "value",
    [
        "2013-06-01T17:00:00-04:00",
        "2013-06-01T21:00:00Z",
        "2013-06-01T21:00:00.000Z",
        "2013-06-01 23:00:00+0200",
        "2013-06-01T17:00:00",
        "2013-06-01 17:00",
        "20130601T210000Z",
        "2013-06-01T21+00:00",
        "2013-06-01T17-04",
        datetime(2013, 6, 1, 21, tzinfo=UTC),
        datetime(2013, 6, 1, 17),
        pd.Timestamp("2013-06-01T21:00", tz="UTC"),
    ],
)
def test_a_time_is_the_same_moment_however_it_is_written(read: Read, value: object) -> None:
    for values in (pd.Series([value, None]), pd.Series([value, None], dtype="object")):
        found = read(values)
        assert found.dtype == pd.DatetimeTZDtype("us", ZONE)
        assert found[0] == pd.Timestamp("2013-06-01T17:00", tz=ZONE)
        assert found[0].hour == 17
        assert pd.isna(found[1])


@both
def test_offsets_may_differ_and_be_left_out_in_one_column(read: Read) -> None:
    values = [
        "2013-01-01T05:00:00-05:00",
        "2013-06-01T05:00:00-04:00",
        "2013-06-01",
        "20130601",
        date(2013, 6, 1),
    ]
    assert read(pd.Series(values, dtype="object")).dt.hour.tolist() == [5, 5, 0, 0, 0]


@both
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("tomorrow", "a time in ISO 8601"),
        ("now", "a time in ISO 8601"),
        ("", "a time in ISO 8601"),
        (20130101, "a time in ISO 8601"),
        ("2013-06-01+02:00", "a time in ISO 8601"),
        ("2013-03-10T02:30:00", "a time with its offset"),
        ("2013-11-03T01:30:00", "a time with its offset"),
    ],
)
def test_what_is_no_moment_is_refused_with_column_row_and_remedy(
    read: Read, value: object, wanted: str
) -> None:
    with pytest.raises(
        UserError,
        match=f"column at: 1 of 2 values cannot be read, the first in row 1: {value!r}".replace(
            "+", r"\+"
        ),
    ) as told:
        read(pd.Series(["2013-01-01T00:00:00Z", value], dtype="object"))
    assert wanted in str(told.value)


def test_a_column_of_nothing_but_missing_times_stays_missing() -> None:
    for values in (pd.Series([None, None]), pd.Series([float("nan")])):
        assert served(values).isna().all()
