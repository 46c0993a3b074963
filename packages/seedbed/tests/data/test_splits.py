"""Splits keep what must be apart apart, and rows where they were."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from seedbed.config.preparation import Split
from seedbed.config.schema import Column
from seedbed.data.splits import (
    STRETCHES,
    assign_clusters,
    assign_folds,
    assign_splits,
    find_rare_classes,
)
from seedbed.errors import UserError

COLUMNS = {
    "id": Column(role="key", key=True),
    "at": Column(role="time", type="time"),
    "who": Column(role="group", type="category"),
    "y": Column(role="target"),
}


def rows(count: int = 2000) -> pd.DataFrame:
    hours = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(np.arange(count) // 7, unit="h")
    return pd.DataFrame(
        {"id": np.arange(count), "at": hours, "who": [f"p{n % 97}" for n in range(count)], "y": 1.0}
    )


def split(kind: str, **changes: object) -> Split:
    return Split(**{"kind": kind, "validation": 0.2, "test": 0.25, "folds": 4, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["time", "random", "stratified", "group"])
def test_parts_have_their_sizes(kind: str) -> None:
    shares = assign_splits(rows(), COLUMNS, split(kind), rows()["y"]).value_counts(normalize=True)
    tolerance = 0.1 if kind == "group" else 0.03
    assert abs(shares["test"] - 0.25) < tolerance
    assert abs(shares["validation"] - 0.2) < tolerance


def test_time_goes_forward_and_no_instant_is_on_two_parts() -> None:
    frame = rows()
    parts = assign_splits(frame, COLUMNS, split("time"), frame["y"])
    for earlier, later in (("train", "validation"), ("validation", "test")):
        assert frame["at"][parts == earlier].max() < frame["at"][parts == later].min()
    folds = assign_folds(frame, COLUMNS, split("time"), frame["y"])
    assert sorted(folds.unique()) == [0, 1, 2, 3, 4]
    for number in range(4):
        assert frame["at"][folds == number].max() < frame["at"][folds == number + 1].min()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (["a", "b"] * 20, []),
        ([True] + [False] * 39, ["0 of class True in validation, 1 of class True in test."]),
        (["a", "b"] * 19 + ["a", "c"], ["1 of class c in validation, 0 of class c in test."]),
        ([float(number) for number in range(40)], []),
    ],
)
def test_a_part_with_few_rows_of_a_class_is_named(target: list, words: list[str]) -> None:
    parts = pd.Series((["test"] * 2 + ["train"] + ["validation"] * 2) * 8)
    for kind in ("random", "time"):
        found = find_rare_classes(pd.Series(target), parts, kind)
        assert len(found) == len(words) and all(map(str.__contains__, found, words))
        assert ("split=stratified" in str(found)) == (bool(words) and kind == "random")


@pytest.mark.parametrize("kind", ["random", "group"])
def test_a_row_keeps_its_part_when_data_grow(kind: str) -> None:
    few, many = rows(1000), rows(2000).sample(frac=1, random_state=0)
    before = assign_splits(few, COLUMNS, split(kind), few["y"]).to_numpy()
    after = assign_splits(many, COLUMNS, split(kind), many["y"]).sort_index().to_numpy()[:1000]
    np.testing.assert_array_equal(before, after)


def test_each_part_and_fold_has_its_share_of_a_rare_class() -> None:
    frame = rows().assign(y=np.arange(2000) % 100 == 0)
    parts = assign_splits(frame, COLUMNS, split("stratified"), frame["y"])
    assert parts[frame["y"]].value_counts().to_dict() == {"train": 11, "test": 5, "validation": 4}
    train = frame[parts == "train"]
    folds = assign_folds(train, COLUMNS, split("stratified"), train["y"])
    assert sorted(folds[train["y"]].value_counts()) == [2, 3, 3, 3]
    assert folds[~train["y"]].value_counts().between(271, 273).all()


@pytest.mark.parametrize("assign", [assign_splits, assign_folds])
def test_rows_of_one_key_stay_together_whatever_their_classes(
    assign: Callable[..., pd.Series],
) -> None:
    frame = rows().assign(id=np.arange(2000) // 2)
    frame["y"] = np.random.default_rng(0).random(2000) < 0.3
    columns = {name: COLUMNS[name] for name in ("id", "y")}
    parts = assign(frame, columns, split("stratified"), frame["y"])
    assert (parts.groupby(frame["id"]).nunique() == 1).all()


def test_few_rows_change_a_stratified_part_when_data_grow() -> None:
    few, many = rows(1000), rows(1100)
    before, after = (
        assign_splits(frame, COLUMNS, split("stratified"), frame["y"]) for frame in (few, many)
    )
    assert (before != after[:1000]).mean() < 0.02


def test_rows_that_look_alike_are_on_one_part_where_none_has_a_key() -> None:
    columns = {**COLUMNS, "id": Column(role="feature")}
    frame = pd.concat([rows(), rows().assign(y=2.0)], ignore_index=True)
    parts = assign_splits(frame, columns, split("random"), frame["y"])
    assert (parts[:2000].to_numpy() == parts[2000:].to_numpy()).all()


@pytest.mark.parametrize("assign", [assign_splits, assign_folds])
def test_a_group_is_on_one_part_and_in_one_fold(assign: Callable[..., pd.Series]) -> None:
    frame = rows()
    assert (
        assign(frame, COLUMNS, split("group"), frame["y"]).groupby(frame["who"]).nunique() == 1
    ).all()


@pytest.mark.parametrize(("kind", "alike"), [("time", "at"), ("group", "who"), ("random", "id")])
def test_rows_that_are_alike_are_in_one_cluster(kind: str, alike: str) -> None:
    frame = rows().sample(frac=1, random_state=0)
    parts = assign_splits(frame, COLUMNS, split(kind), frame["y"])
    clusters = assign_clusters(frame, COLUMNS, split(kind), parts)[parts == "test"]
    together = frame.loc[clusters.index, alike]
    assert (clusters.groupby(together).nunique() == 1).all()
    assert clusters.nunique() == (STRETCHES if kind == "time" else together.nunique())
    if kind == "time":
        spans = together.groupby(clusters).agg(["min", "max"])
        assert (spans["max"].to_numpy()[:-1] < spans["min"].to_numpy()[1:]).all()
        assert clusters.value_counts().between(1, 14).all()


def test_the_seed_of_the_split_decides_and_folds_do_not_follow_parts() -> None:
    frame = rows()
    one, other = (
        assign_splits(frame, COLUMNS, split("random", seed=seed), frame["y"]) for seed in (0, 1)
    )
    assert 0.3 < (one == other).mean() < 0.7
    folds = assign_folds(frame, COLUMNS, split("random"), frame["y"])
    shares = folds.groupby(one).value_counts(normalize=True)
    assert shares.between(0.15, 0.35).all()


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("time", {"at": None}, "split.kind is time, and columns.time names no column"),
        ("group", {"who": None}, "split.kind is group, and columns.group names no column"),
        ("time", {"at": pd.NaT}, "split.kind is time, and 2 rows have no at"),
        ("random", {}, "of 2 rows none is in (train|validation|test).* leaves 2 groups to split"),
    ],
)
def test_a_split_that_cannot_be_made_is_refused(kind: str, changes: dict, words: str) -> None:
    columns = {name: column for name, column in COLUMNS.items() if changes.get(name, 0) is not None}
    frame = rows(2).assign(**{name: value for name, value in changes.items() if value is not None})
    with pytest.raises(UserError, match=words):
        assign_splits(frame, columns, split(kind), frame["y"])
