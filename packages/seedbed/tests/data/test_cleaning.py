"""Values are cleaned one by one, also when served; rows are dropped in training only."""

import pandas as pd
import pytest

from seedbed.config.modelling import Problem
from seedbed.config.preparation import Cleaning, ValidRange
from seedbed.config.schema import Column
from seedbed.data.cleaning import (
    clean_rows,
    clean_values,
    count_changes,
    describe_duplicates,
)
from seedbed.errors import UserError

CLEANING = Cleaning(missing_text=["NA"], valid_range=[ValidRange(column="km", low=0, high=1000)])
Columns = dict[str, Column]


def problem(**changes: object) -> Problem:
    known = {"question": "?", "task": "binary", "above": 15, "metric": "roc_auc"}
    return Problem(**{**known, **changes})  # type: ignore[arg-type]


def test_impossible_values_become_missing(trips: pd.DataFrame, trip_columns: Columns) -> None:
    cleaned = clean_values(trips, trip_columns, CLEANING)
    assert cleaned["km"].isna().tolist() == [False, False, True, True, False, True]
    assert cleaned["city"].tolist()[:2] == ["Oslo", "Rome"]
    assert cleaned["city"].isna().tolist() == [False, False, True, True, False, False]
    assert count_changes(trips, cleaned) == {"city": 1, "km": 2}


def test_a_row_alone_is_cleaned_as_among_others(trips: pd.DataFrame, trip_columns: Columns) -> None:
    together = clean_values(trips, trip_columns, CLEANING)
    for place in range(len(trips)):
        alone = clean_values(trips.drop(columns="late").iloc[[place]], trip_columns, CLEANING)
        assert alone["km"].isna().tolist() == together["km"].iloc[[place]].isna().tolist()
        assert (
            alone["city"].fillna("-").tolist()
            == together["city"].iloc[[place]].fillna("-").tolist()
        )


def test_cleaning_does_not_change_its_input(trips: pd.DataFrame, trip_columns: Columns) -> None:
    before = trips.copy(deep=True)
    clean_values(trips, trip_columns, CLEANING)
    pd.testing.assert_frame_equal(trips, before)


@pytest.mark.parametrize(
    ("limits", "missing"),
    [((0, None), [2, 5]), ((None, 5), [2, 3]), ((None, None), [2]), ((1, 5), [2, 3, 5])],
)
def test_a_range_may_be_open_and_holds_its_ends(
    trips: pd.DataFrame, trip_columns: Columns, limits: tuple, missing: list[int]
) -> None:
    low, high = limits
    cleaning = Cleaning(valid_range=[ValidRange(column="km", low=low, high=high)])
    cleaned = clean_values(trips, trip_columns, cleaning)
    assert cleaned.index[cleaned["km"].isna()].tolist() == missing


def test_text_may_keep_its_spaces(trips: pd.DataFrame, trip_columns: Columns) -> None:
    assert clean_values(trips, trip_columns, Cleaning(strip_text=False))["city"][1] == " Rome"


def test_rows_without_target_and_duplicates_go(trips: pd.DataFrame, trip_columns: Columns) -> None:
    doubled = pd.concat([trips, trips.iloc[[0, 4]].assign(km=0.5)], ignore_index=True)
    rows, counts = clean_rows(doubled, trip_columns, problem(), CLEANING)
    assert counts == {"rows_in": 8, "without_target": 1, "duplicates": 2, "rows_out": 5}
    assert rows["id"].tolist() == [2, 3, 6, 1, 5]
    # Of two rows with one key, the order of the source does not choose.
    shuffled, _ = clean_rows(
        doubled.sample(frac=1, random_state=3), trip_columns, problem(), CLEANING
    )
    pd.testing.assert_frame_equal(
        rows.sort_values("id", ignore_index=True), shuffled.sort_values("id", ignore_index=True)
    )
    assert rows.loc[rows["id"].isin([1, 5]), "km"].tolist() == [0.5, 0.5]


def test_without_a_key_only_rows_that_are_equal_in_all_are_duplicates(
    trips: pd.DataFrame, trip_columns: Columns
) -> None:
    columns = {**trip_columns, "id": Column(role="feature")}
    _, counts = clean_rows(
        pd.concat([trips, trips.head(2).assign(late=[0.0, 21.0])]), columns, problem(), CLEANING
    )
    assert counts["duplicates"] == 1


def test_duplicates_can_stay(trips: pd.DataFrame, trip_columns: Columns) -> None:
    doubled = pd.concat([trips, trips], ignore_index=True)
    rows, _ = clean_rows(doubled, trip_columns, problem(), Cleaning(drop_duplicates=False))
    assert len(rows) == 10


@pytest.mark.parametrize(
    ("late", "changes", "words"),
    [
        (1.0, {}, r"late > 15 is False in all 6 rows"),
        (
            2.0,
            {"task": "multiclass", "above": None},
            r"late is 2\.0 in all 6 rows",
        ),
        (None, {}, "no row has a value of late"),
    ],
)
def test_a_target_with_one_class_is_refused(
    trips: pd.DataFrame, trip_columns: Columns, late: float, changes: dict, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        clean_rows(trips.assign(late=late), trip_columns, problem(**changes), CLEANING)


def test_a_positive_class_that_never_occurs_is_refused(
    trips: pd.DataFrame, trip_columns: Columns
) -> None:
    two = trips.assign(late=[0, 1, 0, 1, 0, 1])
    with pytest.raises(
        UserError, match=r"'yes' must be one of the two values.*Set problem.positive"
    ):
        clean_rows(two, trip_columns, problem(above=None, positive="yes"), CLEANING)
    three = trips.assign(late=[0, 1, 2, 0, 1, 2])
    with pytest.raises(UserError, match=r"has 0, 1, 2\. Set problem.task to multiclass"):
        clean_rows(three, trip_columns, problem(above=None, positive=1), CLEANING)
    rows, _ = clean_rows(two, trip_columns, problem(above=None, positive=1), CLEANING)
    assert len(rows) == 6


def test_rows_that_count_as_duplicates_are_described_by_an_example(
    trips: pd.DataFrame, trip_columns: Columns
) -> None:
    large = trips.assign(id=pd.Series([2**60 + 1, None, 3, 4, 5, 6], dtype="Int64"))
    doubled = pd.concat([large, large.iloc[[0, 0, 1]]], ignore_index=True)
    rows, counts = clean_rows(doubled, trip_columns, problem(), CLEANING)
    assert counts["duplicates"] == 3
    assert 2**60 + 1 in rows["id"].tolist()
    found = describe_duplicates(doubled, trip_columns)
    at = "2024-01-01T08:00:00Z"
    assert found == f"rows of one key (id, at), such as the 3 rows of id={2**60 + 1}, at={at}"
    without = {**trip_columns, "id": Column(role="feature")}
    assert describe_duplicates(doubled, without) == "rows that are equal in all columns"
    alone = {name: column for name, column in trip_columns.items() if name != "at"}
    assert "the 3 rows of id=" in describe_duplicates(doubled, alone)


def test_keys_of_many_digits_are_no_duplicates(trip_columns: Columns) -> None:
    keys = pd.Series([2**60 + place for place in range(300)] + [None], dtype="Int64")
    frame = pd.DataFrame({"id": keys, "at": "2024", "city": "Oslo", "km": 1.0, "late": range(301)})
    _, counts = clean_rows(frame, trip_columns, problem(), CLEANING)
    assert counts["duplicates"] == 0
