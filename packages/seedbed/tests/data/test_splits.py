"""Splits keep what must be apart apart, and rows where they were."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.schema import Column, Split
from seedbed.data.splits import PARTS, STRETCHES, assign_clusters, assign_folds, assign_splits
from seedbed.errors import UserError

COLUMNS = {
    "id": Column(role="key", key=True),
    "at": Column(role="time", type="time"),
    "who": Column(role="group", type="category"),
    "y": Column(role="target"),
}


def rows(count: int = 2000) -> pd.DataFrame:
    hours = pd.to_datetime("2024-01-01", utc=True) + pd.to_timedelta(
        np.arange(count) // 7, unit="h"
    )
    return pd.DataFrame(
        {"id": np.arange(count), "at": hours, "who": [f"p{n % 97}" for n in range(count)], "y": 1.0}
    )


def split(kind: str, **changes: object) -> Split:
    return Split(**{"kind": kind, "validation": 0.2, "test": 0.25, "folds": 4, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["time", "random", "group"])
def test_parts_have_their_sizes(kind: str) -> None:
    shares = assign_splits(rows(), COLUMNS, split(kind)).value_counts(normalize=True)
    tolerance = 0.1 if kind == "group" else 0.03
    assert abs(shares["test"] - 0.25) < tolerance
    assert abs(shares["validation"] - 0.2) < tolerance


def test_time_goes_forward_and_no_instant_is_on_two_parts() -> None:
    frame = rows()
    parts = assign_splits(frame, COLUMNS, split("time"))
    for earlier, later in (("train", "validation"), ("validation", "test")):
        assert frame["at"][parts == earlier].max() < frame["at"][parts == later].min()
    folds = assign_folds(frame, COLUMNS, split("time"))
    assert sorted(folds.unique()) == [0, 1, 2, 3, 4]
    for number in range(4):
        assert frame["at"][folds == number].max() < frame["at"][folds == number + 1].min()


@pytest.mark.parametrize("kind", ["random", "group"])
def test_a_row_keeps_its_part_when_data_grow(kind: str) -> None:
    few, many = rows(1000), rows(2000).sample(frac=1, random_state=0)
    before = assign_splits(few, COLUMNS, split(kind)).to_numpy()
    after = assign_splits(many, COLUMNS, split(kind)).sort_index().to_numpy()[:1000]
    np.testing.assert_array_equal(before, after)


def test_rows_that_look_alike_are_on_one_part_where_none_has_a_key() -> None:
    columns = {**COLUMNS, "id": Column(role="feature")}
    frame = pd.concat([rows(), rows().assign(y=2.0)], ignore_index=True)
    parts = assign_splits(frame, columns, split("random"))
    assert (parts[:2000].to_numpy() == parts[2000:].to_numpy()).all()


def test_a_group_is_on_one_part_and_in_one_fold() -> None:
    frame = rows()
    assert (
        assign_splits(frame, COLUMNS, split("group")).groupby(frame["who"]).nunique() == 1
    ).all()
    assert (assign_folds(frame, COLUMNS, split("group")).groupby(frame["who"]).nunique() == 1).all()


@pytest.mark.parametrize("kind", ["time", "group", "random"])
def test_rows_that_are_alike_are_in_one_cluster(kind: str) -> None:
    frame = rows().sample(frac=1, random_state=0)
    parts = assign_splits(frame, COLUMNS, split(kind))
    test = assign_clusters(frame, COLUMNS, split(kind), parts)[parts == "test"]
    in_test = frame.loc[test.index]
    assert (
        test.nunique()
        == {"time": STRETCHES, "group": in_test["who"].nunique(), "random": len(test)}[kind]
    )
    if kind != "random":
        together = in_test["who" if kind == "group" else "at"]
        assert (test.groupby(together).nunique() == 1).all(), (
            "no group and no instant is in two clusters"
        )
    if kind == "time":
        spans = together.groupby(test).agg(["min", "max"])
        assert (spans["max"].to_numpy()[:-1] < spans["min"].to_numpy()[1:]).all()
        assert test.value_counts().between(1, 14).all()


def test_the_seed_of_the_split_decides_and_folds_do_not_follow_parts() -> None:
    frame = rows()
    one, other = (assign_splits(frame, COLUMNS, split("random", seed=seed)) for seed in (0, 1))
    assert 0.3 < (one == other).mean() < 0.7
    folds = assign_folds(frame, COLUMNS, split("random"))
    shares = folds.groupby(one).value_counts(normalize=True)
    assert shares.between(0.15, 0.35).all()


@pytest.mark.parametrize(("kind", "role"), [("time", "at"), ("group", "who")])
def test_a_split_without_its_column_is_refused(kind: str, role: str) -> None:
    with pytest.raises(
        UserError, match=f"split.kind is {kind}, and columns.{kind} names no column"
    ):
        assign_splits(
            rows(), {name: column for name, column in COLUMNS.items() if name != role}, split(kind)
        )


def test_a_part_without_rows_is_refused() -> None:
    with pytest.raises(UserError, match="none is in"):
        assign_splits(rows(2), COLUMNS, split("random", test=0.01, validation=0.01))
    assert set(PARTS) == {"train", "validation", "test"}


def test_a_missing_time_is_refused() -> None:
    frame = rows()
    frame.loc[3, "at"] = pd.NaT
    with pytest.raises(UserError, match="1 rows have no at"):
        assign_splits(frame, COLUMNS, split("time"))
