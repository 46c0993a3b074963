"""The signature lists what a model needs, from train rows alone, and refuses rows that do not fit."""

import numpy as np
import pandas as pd
import pytest

from seedbed.config.preparation import Features
from seedbed.config.schema import Column
from seedbed.data.roles import row_key
from seedbed.errors import UserError
from seedbed.serving.packaging import periods, rows_of
from seedbed.serving.signature import MOST_CATEGORIES, Signature
from seedbed.serving.unusual import find_unusual

COLUMNS = {
    "flight": Column(role="key"),
    "at": Column(role="time", type="time"),
    "delay": Column(role="target"),
    "landed": Column(role="known_after_outcome"),
    "speed": Column(role="feature"),
    "engine": Column(role="feature", type="category"),
    "heavy": Column(role="feature", type="boolean"),
    "gust": Column(role="other"),
}
DERIVED = {"name": "d", "kind": "difference", "columns": ["gust", "speed"]}
PLAIN = Features(time_parts=["hour"])
TRAIN = pd.DataFrame(
    {
        "flight": [1, 2, 3],
        "at": pd.to_datetime(["2013-01-01", "2013-01-02", "2013-01-03"]).tz_localize("UTC"),
        "delay": [1.0, 2.0, 3.0],
        "landed": [1.0, 2.0, 3.0],
        "speed": [100.0, np.nan, 300.0],
        "engine": pd.Series(["jet", "prop", "jet"], dtype="str"),
        "heavy": pd.Series([True, False, None], dtype="boolean"),
        "gust": [1.0, 2.0, 3.0],
    }
)
SIGNATURE = Signature.of(TRAIN, COLUMNS, PLAIN, "UTC")


def test_a_signature_tells_type_missing_values_categories_and_range() -> None:
    listed = {column.name: column for column in SIGNATURE.columns}
    assert list(listed) == ["at", "speed", "engine", "heavy"]
    assert (listed["speed"].nullable, listed["speed"].minimum, listed["speed"].maximum) == (
        True,
        100.0,
        300.0,
    )
    assert (listed["engine"].nullable, listed["engine"].categories) == (False, ["jet", "prop"])
    assert (listed["heavy"].type, listed["heavy"].nullable) == ("boolean", True)
    assert listed["at"].type == "time"


@pytest.mark.parametrize(
    ("features", "needed"),
    [
        (Features(), ["speed", "engine", "heavy"]),
        (PLAIN, ["at", "speed", "engine", "heavy"]),
        (PLAIN.model_copy(update={"drop": ["speed", "at_hour"]}), ["engine", "heavy"]),
        (
            Features(derived=[DERIVED]),
            ["speed", "engine", "heavy"],
        ),
        (
            Features(
                use_derived=True,
                derived=[DERIVED],
            ),
            ["speed", "engine", "heavy", "gust"],
        ),
    ],
)
def test_only_columns_that_features_are_made_of_are_asked_for(
    features: Features, needed: list[str]
) -> None:
    assert [
        column.name for column in Signature.of(TRAIN, COLUMNS, features, "UTC").columns
    ] == needed


@pytest.mark.parametrize("name", ["delay", "landed"])
def test_what_is_known_after_the_outcome_is_never_asked_for(name: str) -> None:
    features = Features(
        use_derived=True,
        derived=[{"name": "d", "kind": "difference", "columns": [name, "speed"]}],
    )
    with pytest.raises(UserError, match=f"features.derived.0 .d. names {name}, which has the role"):
        Signature.of(TRAIN, COLUMNS, features, "UTC")


def test_many_categories_are_cut_to_the_most_frequent_and_none_is_called_unseen() -> None:
    names = [f"c{number:05d}" for number in range(MOST_CATEGORIES + 5)]
    many = pd.DataFrame({"engine": pd.Series([*names, names[-1]], dtype="str")})
    signature = Signature.of(many, {"engine": COLUMNS["engine"]}, Features(), "UTC")
    listed = signature.columns[0]
    assert listed.categories is not None
    assert len(listed.categories) == MOST_CATEGORIES
    assert names[-1] in listed.categories, "the most frequent one is kept"
    assert not listed.complete
    assert find_unusual(signature, pd.DataFrame({"engine": ["never seen"]})) == []


def test_rows_that_fit_come_back_as_the_columns_needed_in_their_types() -> None:
    rows = TRAIN.set_index(pd.Index(["a", "b", "a"]))
    checked = SIGNATURE.check(rows)
    assert checked.columns.tolist() == ["at", "speed", "engine", "heavy"]
    assert checked.index.tolist() == ["a", "b", "a"]
    assert [str(dtype) for dtype in checked.dtypes] == [
        "datetime64[us, UTC]",
        "float64",
        "str",
        "boolean",
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            TRAIN.head(0),
            r"There are no rows to predict for \(0 rows, 8 columns\). Send at least one",
        ),
        (
            TRAIN.drop(columns="speed"),
            r"lack the column speed \(number, may be null\).*Send every column of the signature",
        ),
        (
            TRAIN.drop(columns=["speed", "engine"]),
            r"lack the columns speed \(number, may be null\); engine \(category\)",
        ),
        (
            TRAIN.assign(speed=["a", "b", "c"]),
            r"column speed: 3 of 3 values.*row 0: 'a'. Send a number",
        ),
        (pd.concat([TRAIN, TRAIN[["speed"]]], axis=1), "the column speed more than once"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(UserError, match=message):
        SIGNATURE.check(rows)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("engine", "rocket", "engine has values that never were in training, in 1 rows: 'rocket'."),
        ("engine", None, "engine is missing in 1 rows, and never was in training."),
        (
            "speed",
            99.0,
            "speed is outside of 100 to 300, its range in training, in 1 rows: 99 to 99.",
        ),
        ("speed", None, None),
        ("speed", 100.0, None),
        ("heavy", True, None),
    ],
)
def test_unusual_values_are_told_and_usual_ones_are_not(
    column: str, value: object, told: str | None
) -> None:
    rows = SIGNATURE.check(TRAIN.iloc[[0]].assign(**{column: [value]}))
    assert find_unusual(SIGNATURE, rows) == ([told] if told else [])


def test_the_signature_is_of_train_rows_only() -> None:
    sides = pd.DataFrame({"_row": row_key(TRAIN, COLUMNS), "_split": ["train", "test", "train"]})
    assert rows_of("train", TRAIN, sides.iloc[::-1], COLUMNS)["flight"].tolist() == [1, 3]


def test_periods_tell_first_and_last_moment_of_each_side() -> None:
    sides = pd.DataFrame({"_split": ["train", "test", "train"], "_time": TRAIN["at"]})
    assert periods(sides) == {
        "train": ("2013-01-01 00:00", "2013-01-03 00:00"),
        "test": ("2013-01-02 00:00",) * 2,
    }
    assert periods(sides[["_split"]]) == {}
