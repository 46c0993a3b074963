"""Features are functions of their own row, and nothing known only after the outcome becomes one."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.extensions import only_seedbed
from seedbed.config.modelling import Problem
from seedbed.config.preparation import Derived, Features
from seedbed.config.schema import Column
from seedbed.data.features import (
    compute_features,
    feature,
    input_columns,
    kinds_of_text,
    make_target,
)
from seedbed.errors import CodeError, UserError

COLUMNS = {
    "clock": Column(role="feature"),
    "a": Column(role="feature"),
    "b": Column(role="other"),
    "word": Column(role="feature", type="category"),
    "at": Column(role="time", type="time"),
    "booked": Column(role="other", type="time"),
    "remark": Column(role="other", type="text"),
    "y": Column(role="target"),
    "after": Column(role="known_after_outcome"),
}


def derived(kind: str, *columns: str, name: str = "new") -> Derived:
    return Derived(name=name, kind=kind, columns=list(columns))  # type: ignore[arg-type]


def rows() -> pd.DataFrame:
    at = pd.to_datetime(["2024-02-29T23:30:00", "2024-12-31T00:10:00"]).tz_localize(
        "America/New_York"
    )
    return pd.DataFrame(
        {
            "clock": [515, 2359],
            "a": [1.0, np.nan],
            "b": [4.0, 0.0],
            "word": ["x", None],
            "remark": ["of several words", None],
            "at": at,
            "y": [1.0, 2.0],
        }
    ).assign(booked=pd.to_datetime([None, "2024-07-03T12:10:00"]).tz_localize("America/New_York"))


@pytest.mark.parametrize(
    ("kind", "columns", "expected"),
    [
        ("difference", ["a", "b"], [-3.0, np.nan]),
        ("ratio", ["clock", "b"], [128.75, np.nan]),
        ("product", ["clock", "a", "b"], [2060.0, np.nan]),
        ("is_missing", ["booked"], [1.0, 0.0]),
        ("is_missing", ["remark"], [0.0, 1.0]),
        ("clock_minutes", ["clock"], [315.0, 1439.0]),
        ("is_missing", ["a"], [0.0, 1.0]),
        ("days_between", ["booked", "at"], [np.nan, 180.5]),
    ],
)
def test_derived_numbers(kind: str, columns: list[str], expected: list[float]) -> None:
    features = Features(use_derived=True, derived=[derived(kind, *columns)])
    np.testing.assert_array_equal(compute_features(rows(), COLUMNS, features)["new"], expected)


def test_combined_text() -> None:
    features = Features(use_derived=True, derived=[derived("combine", "word", "clock")])
    combined = compute_features(rows(), COLUMNS, features)["new"]
    assert combined.isna().tolist() == [False, True]
    asked = rows().astype({"clock": "float64"})
    assert compute_features(asked, COLUMNS, features)["new"].equals(combined), (
        "as sent, every number is float64"
    )


def test_time_parts_are_local() -> None:
    parts = ["month", "day_of_week", "day_of_year", "hour"]
    made = compute_features(rows(), COLUMNS, Features(time_parts=parts))
    found = made[[f"at_{part}" for part in parts]].to_numpy().tolist()
    assert found == [[2, 3, 60, 23], [12, 1, 366, 0]]


DATED = {**COLUMNS, "booked": Column(role="feature", type="time")}


def test_a_date_becomes_its_parts_missing_where_it_is() -> None:
    made = compute_features(rows(), DATED, Features())
    names = ["year", "month", "day_of_week", "day_of_year", "hour", "seconds"]
    found = made[[f"booked_{name}" for name in names]]
    assert "booked" not in made
    assert found.iloc[0].isna().all()
    seconds = (pd.Timestamp("2024-07-03T16:10:00Z") - pd.Timestamp("2000-01-01", tz="UTC")).value
    assert found.iloc[1].tolist() == [2024, 7, 2, 185, 12, seconds / 1e9]


def test_parts_that_come_round_are_also_places_on_a_circle() -> None:
    features = Features(time_parts=["hour", "year"], date_parts=["month", "seconds"], cyclic=True)
    made = compute_features(rows(), DATED, features)
    assert [name for name in made if name.startswith(("at_", "booked_"))] == [
        "at_hour", "at_hour_sin", "at_hour_cos", "at_year",
        "booked_month", "booked_month_sin", "booked_month_cos", "booked_seconds",
    ]  # fmt: skip
    angles = np.array([23, 0]) / 24 * 2 * np.pi
    np.testing.assert_allclose(made["at_hour_sin"], np.sin(angles), atol=1e-12)
    np.testing.assert_allclose(made["at_hour_cos"], np.cos(angles), atol=1e-12)
    assert made["booked_month_cos"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("name", "features", "words"),
    [
        ("booked_hour", Features(), r"features\.date_parts\.hour takes the name of column booked_hour"),
        ("at_hour_sin", Features(time_parts=["hour"], cyclic=True), "column at_hour_sin"),
    ],
)  # fmt: skip
def test_a_part_of_a_date_may_not_take_the_name_of_a_column(
    name: str, features: Features, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        compute_features(rows(), {**DATED, name: Column(role="feature")}, features)


def test_free_text_stays_text() -> None:
    columns = {**COLUMNS, "remark": Column(role="feature", type="text")}
    made = compute_features(rows(), columns, Features())["remark"]
    assert made.tolist()[0] == "of several words" and made.isna().tolist() == [False, True]
    assert kinds_of_text(columns, Features()) == {"remark": "text"}
    assert kinds_of_text(columns, Features(drop=["remark"])) == {}


def test_only_features_get_in() -> None:
    made = compute_features(rows(), COLUMNS, Features())
    assert list(made.columns) == ["clock", "a", "word"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (("difference", "a", "after"), "after, which has the role known_after_outcome"),
        (("is_missing", "y"), "y, which has the role target"),
        (("difference", "a", "nowhere"), "names 'nowhere', which is not among columns"),
        (("difference", "a"), "is a difference of 1 columns, and it takes 2"),
    ],
)
def test_a_bad_derived_feature_is_refused(made: tuple[str, ...], words: str) -> None:
    features = Features(use_derived=True, derived=[derived(*made)])
    with pytest.raises(UserError, match=words):
        compute_features(rows(), COLUMNS, features)


@pytest.mark.parametrize("names", [["a"], ["at_hour"], ["new", "new"]])
def test_a_derived_feature_may_not_take_a_name_that_is_there(names: list[str]) -> None:
    made = [derived("is_missing", "b", name=name) for name in names]
    features = Features(use_derived=True, time_parts=["hour"], derived=made)
    place = len(names) - 1
    with pytest.raises(UserError, match=rf"derived\.{place} \({names[-1]}\) takes the name of a"):
        compute_features(rows(), COLUMNS, features)


def test_a_time_part_may_not_take_the_name_of_a_column() -> None:
    frame, columns = rows().assign(at_hour=1.0), {**COLUMNS, "at_hour": Column(role="feature")}
    with pytest.raises(
        UserError, match=r"features\.time_parts\.hour takes the name of column at_hour"
    ):
        compute_features(frame, columns, Features(time_parts=["hour"]))


def test_dropping_features() -> None:
    assert list(compute_features(rows(), COLUMNS, Features(drop=["a"])).columns) == [
        "clock",
        "word",
    ]
    with pytest.raises(UserError, match="names 'nothing'"):
        compute_features(rows(), COLUMNS, Features(drop=["nothing"]))
    with pytest.raises(UserError, match="leaves no feature"):
        compute_features(rows(), COLUMNS, Features(drop=["a", "clock", "word"]))


def test_what_is_dropped_is_neither_read_nor_asked_for() -> None:
    features = Features(
        time_parts=["hour"],
        use_derived=True,
        derived=[derived("difference", "b", "clock")],
        drop=["a", "at_hour", "new"],
    )
    assert input_columns(COLUMNS, features) == ["clock", "word"]
    assert list(compute_features(rows()[["clock", "word"]], COLUMNS, features)) == ["clock", "word"]


def made_by(compute: Callable[[pd.Series], Any]) -> pd.Series:
    """Return the feature that a function of a project makes of clock."""
    with only_seedbed():

        @feature()
        def of_ones_own(clock: pd.Series) -> pd.Series:
            return compute(clock)

        features = Features(use_derived=True, derived=[derived("of_ones_own", "clock")])
        return compute_features(rows(), COLUMNS, features)["new"]


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda clock: clock, [515.0, 2359.0]),
        (lambda clock: clock > 1000, [0.0, 1.0]),
        (lambda clock: clock.astype("float32") / [1, 0], [515.0, None]),
        (lambda clock: (clock > 1000).astype("boolean").where(clock > 1000), [None, 1.0]),
        (lambda clock: clock.astype("Int64").where(clock > 1000), [None, 2359.0]),
        (lambda clock: clock.astype("double[pyarrow]").where(clock > 1000), [None, 2359.0]),
        (lambda clock: clock[clock > 1000], [None, 2359.0]),
        (lambda clock: clock.sort_values(ascending=False), [515.0, 2359.0]),
        (lambda clock: np.where(clock > 1000, "late", "early"), ["early", "late"]),
        (lambda clock: clock.to_numpy() * 2, [1030.0, 4718.0]),
        (lambda clock: clock.astype("object").where(clock > 1000, None), [None, 2359.0]),
        (lambda clock: pd.Series([True, None], dtype="object"), [1.0, None]),
        (lambda clock: pd.cut(clock, [0, 1000, 3000], labels=[1, 2]), [1.0, 2.0]),
        (lambda clock: clock.astype("str"), ["515.0", "2359.0"]),
        (lambda clock: clock.astype("category").astype("str"), ["515.0", "2359.0"]),
        (lambda clock: pd.Series(["b", None], dtype="category"), ["b", None]),
        (lambda clock: pd.Series(["b", None], dtype="string[pyarrow]"), ["b", None]),
        (lambda clock: pd.Series(["b", None], dtype="object"), ["b", None]),
    ],
)
def test_a_feature_of_ones_own_is_float64_or_str(
    compute: Callable[[pd.Series], Any], expected: list[Any]
) -> None:
    dtype = "str" if isinstance(expected[0], str) else "float64"
    pd.testing.assert_series_equal(made_by(compute), pd.Series(expected, dtype=dtype, name="new"))


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64"])
def test_a_feature_of_ones_own_is_given_float64_as_in_a_request(dtype: str) -> None:
    given = []
    with only_seedbed():

        @feature()
        def of_ones_own(clock: pd.Series) -> pd.Series:
            given.append(clock.dtype)
            return clock.astype("str")

        features = Features(use_derived=True, derived=[derived("of_ones_own", "clock")])
        made = compute_features(rows().astype({"clock": dtype}), COLUMNS, features)
    assert made["new"].tolist() == ["515.0", "2359.0"]
    assert given == ["float64"]


@pytest.mark.parametrize(
    ("compute", "words"),
    [
        (lambda clock: 1.0, "gives a value of type float for 2 rows. Return a pandas Series"),
        (lambda clock: None, "gives a value of type NoneType for 2 rows"),
        (lambda clock: clock.to_numpy()[:1], "gives 1 values for 2 rows"),
        (lambda clock: np.outer(clock, clock), "gives a value of type ndarray for 2 rows"),
        (lambda clock: "late", "gives a value of type str for 2 rows"),
        (lambda clock: (value for value in clock), "gives a value of type generator for 2 rows"),
        (lambda clock: clock.to_frame(), "gives a value of type DataFrame for 2 rows"),
        (lambda clock: clock.set_axis([1, 2]), "gives 2 values whose index is not that of the rows for 2"),
        (lambda clock: clock.set_axis([1, 1]), "gives 2 values whose index is not that of the rows for 2"),
        (lambda clock: clock.astype("complex"), "gives values of type complex128 for 2 rows"),
        (lambda clock: pd.Series([[1], [2]]), "gives values of type object for 2 rows"),
        (lambda clock: pd.Series([b"a", b"b"]), "gives values of type object for 2 rows"),
        (lambda clock: clock.astype("object").where(clock > 1000, "early"), "gives values of type object"),
        (pd.to_datetime, "gives values of type datetime64[ns] for 2 rows"),
        (pd.to_timedelta, "gives values of type timedelta64[ns] for 2 rows"),
    ],
)  # fmt: skip
def test_a_feature_of_ones_own_that_is_no_value_for_each_row_is_refused(
    compute: Callable[[pd.Series], Any], words: str
) -> None:
    with pytest.raises(
        CodeError, match=re.escape(f"the kind of feature of_ones_own {words}")
    ) as no:
        made_by(compute)
    assert str(no.value).startswith(f"{__name__}, line ")


def test_without_a_time_column_there_are_no_time_parts() -> None:
    timeless = {name: column for name, column in COLUMNS.items() if name != "at"}
    assert list(compute_features(rows(), timeless, Features(time_parts=["hour"]))) == [
        "clock",
        "a",
        "word",
    ]


def test_a_row_alone_gets_what_it_gets_among_others() -> None:
    features = Features(
        time_parts=["hour"],
        use_derived=True,
        derived=[derived("ratio", "clock", "b")],
    )
    together = compute_features(rows(), COLUMNS, features)
    for place in range(2):
        pd.testing.assert_frame_equal(
            compute_features(rows().iloc[[place]], COLUMNS, features), together.iloc[[place]]
        )


@pytest.mark.parametrize(
    ("task", "above", "positive", "expected"),
    [
        ("binary", 15, None, [False, True, False]),
        ("binary", None, 3, [False, False, True]),
        ("multiclass", None, None, ["1", "20", "3"]),
        ("regression", None, None, [1.0, 20.0, 3.0]),
    ],
)
def test_targets_by_task(task: str, above: float | None, positive: object, expected: list) -> None:
    problem = Problem(question="?", task=task, metric="?", above=above, positive=positive)  # type: ignore[arg-type]
    assert make_target(pd.Series([1, 20, 3]), problem).tolist() == expected
