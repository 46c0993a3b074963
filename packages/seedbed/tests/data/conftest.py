"""Small tables and the parameters that go with them."""

from pathlib import Path

import pandas as pd
import pytest

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import Column, ColumnLists, Dataset, Params, Table

from support import REPOSITORY, composed


@pytest.fixture(scope="session")
def flights() -> Params:
    """The default parameters."""
    return composed()


@pytest.fixture
def trips() -> pd.DataFrame:
    """Six rows with every type of column."""
    return pd.DataFrame(
        {
            "id": [1, 2, 3, 4, 5, 6],
            "at": ["2024-01-01T08:00:00Z", "2024-01-02T08:00:00Z", "2024-01-03T08:00:00Z"]
            + ["2024-02-01T08:00:00Z"] * 3,
            "city": ["Oslo", " Rome", "NA", None, "Oslo", "Bern"],
            "km": [1.0, 2.0, None, 4000.0, 5.0, -1.0],
            "late": [0.0, 20.0, 3.0, None, 50.0, 1.0],
        }
    )


@pytest.fixture
def trip_lists() -> ColumnLists:
    """The roles of the columns of `trips`, as a person writes them."""
    return ColumnLists(target="late", time="at", key=["id"], number=["km"], category=["city"])


@pytest.fixture
def trip_columns(trips: pd.DataFrame, trip_lists: ColumnLists) -> dict[str, Column]:
    """The roles of the columns of `trips`."""
    return resolve_columns(trip_lists, trips)


@pytest.fixture
def trip_dataset() -> Dataset:
    """A dataset of one table."""
    return Dataset(name="trips", tables=[Table(name="trips")], time_zone="Europe/Oslo")


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Composing asks for the repository of the working directory."""
    monkeypatch.chdir(REPOSITORY)
    return REPOSITORY
