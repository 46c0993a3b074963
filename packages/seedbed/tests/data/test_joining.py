"""Tables are joined: columns of the one row that matches, or figures of the many that do."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.joins import Join
from seedbed.config.schema import ColumnLists, Dataset, Table
from seedbed.data.ingesting import assemble_rows
from seedbed.data.joining import JoinedTable
from seedbed.errors import UserError

LARGE = 2**60 + 1
VISITS = Dataset(name="visits", tables=[Table(name="visits"), Table(name="orders")])
LISTS = ColumnLists(target="y", time="at")


def test_a_join_keeps_every_row_once(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    cities = pd.DataFrame({"city": ["Oslo", "Bern"], "id": [7, 8], "height": [23, 540]})
    join = Join(table="cities", keys=["city"], columns=["height", "id"], rename={"id": "city_id"})
    joined = JoinedTable(cities, join, trip_dataset, trip_lists).add_to(trips)
    assert joined["id"].tolist() == trips["id"].tolist()
    assert joined["height"].tolist()[0] == 23
    assert joined["height"].isna().sum() == 3


@pytest.mark.parametrize("keys", [["city"], {"city": "city"}, {"city": "name"}])
def test_a_missing_key_matches_nothing(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists, keys: Any
) -> None:
    right = keys["city"] if isinstance(keys, dict) else "city"
    cities = pd.DataFrame({right: ["Oslo", None, None], "height": [23, 1, 2]})
    columns = Join(table="cities", keys=keys, columns=["height"])
    joined = JoinedTable(cities, columns, trip_dataset, trip_lists).add_to(trips)
    assert joined["height"].notna().tolist() == [True, False, False, False, True, False]
    assert list(joined) == [*trips, "height"]
    count = Join(table="cities", keys=keys, aggregate={"_rows": ["count"]})
    joined = JoinedTable(cities, count, trip_dataset, trip_lists).add_to(trips)
    assert joined["cities_count"].tolist() == [1, 0, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("cities", "column", "words"),
    [
        ({"city": ["Oslo", "Oslo"], "height": [1, 2]}, "height", "city=Oslo.* under aggregate"),
        ({"town": ["Oslo"], "height": [1]}, "height", "table cities has no column city"),
        ({"city": ["Oslo"], "height": [1]}, "heigth", "no column heigth .did you mean height"),
        ({"city": ["Oslo"], "km": [1]}, "km", "km of table cities is a column of trips too"),
        ({"city": [1], "height": [1]}, "height", "no row would match.*city under columns.types"),
        ({"city": pd.to_datetime(["2024-01-01"]), "height": [1]}, "height", "no row would match"),
    ],
)
def test_a_bad_join_is_refused(
    trips: pd.DataFrame,
    trip_dataset: Dataset,
    trip_lists: ColumnLists,
    cities: dict,
    column: str,
    words: str,
) -> None:
    join = Join(table="cities", keys=["city"], columns=[column])
    lists = trip_lists.model_copy(update={"category": []})
    with pytest.raises(UserError, match=words):
        JoinedTable(pd.DataFrame(cities), join, trip_dataset, lists).add_to(trips)


def test_keys_of_two_types_are_compared_in_the_type_that_is_listed() -> None:
    visits = pd.DataFrame({"customer": [str(LARGE), "7", None]})
    customers = pd.DataFrame({"id": pd.Series([7, LARGE], dtype="int64"), "age": [30, 40]})
    join = Join(table="orders", keys={"customer": "id"}, columns=["age"])
    lists = LISTS.model_copy(update={"types": {"customer": "category"}})
    joined = JoinedTable(customers, join, VISITS, lists).add_to(visits)
    assert joined["age"].fillna(0).tolist() == [40, 30, 0]


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64"])
def test_integers_keep_every_digit(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists, dtype: str
) -> None:
    cities = pd.DataFrame({"city": ["Oslo"], "owner": pd.Series([LARGE], dtype=dtype)})
    one = Join(table="cities", keys=["city"], columns=["owner"])
    joined = JoinedTable(cities, one, trip_dataset, trip_lists).add_to(trips)
    assert joined["owner"].dropna().tolist() == [LARGE, LARGE]
    many = Join(table="cities", keys=["city"], aggregate={"owner": ["last", "max"]})
    joined = JoinedTable(cities, many, trip_dataset, trip_lists).add_to(trips)
    assert joined["cities_owner_last"].dropna().tolist() == [LARGE, LARGE]
    assert joined["cities_owner_max"].dropna().tolist() == [LARGE, LARGE]


def test_keys_of_nineteen_digits_are_told_apart() -> None:
    visits = pd.DataFrame({"who": pd.Series([LARGE, LARGE + 1, None], dtype="Int64")})
    orders = pd.DataFrame({"who": [LARGE + 1, LARGE + 1, LARGE + 2], "amount": [1, 2, 4]})
    join = Join(table="orders", keys=["who"], aggregate={"amount": ["sum"], "_rows": ["count"]})
    joined = JoinedTable(orders, join, VISITS, LISTS).add_to(visits)
    assert joined["orders_count"].tolist() == [0, 2, 0]
    assert joined["orders_amount_sum"].dropna().tolist() == [3]


ORDERS = pd.DataFrame(
    {
        "who": ["a", "a", "a", "b", "b", None],
        "at": ["2024-01-03", "2024-01-01", "2024-01-05", None, "2024-01-02", "2024-01-01"],
        "amount": [3.0, 1.0, None, 9.0, 2.0, 8.0],
        "status": ["late", "new", None, "lost", "new", "new"],
    }
)
FIGURES: dict[str, Any] = {
    "_rows": ["count"],
    "amount": ["count", "mean", "sum", "min", "max", "last"],
    "status": ["count", "last"],
}
NONE = [0, 0, None, None, None, None, None, 0, None]


@pytest.mark.parametrize(
    ("who", "at", "figures"),
    [
        ("a", "2024-01-01", NONE),
        ("a", "2024-01-01T00:00:00.000001", [1, 1, 1, 1, 1, 1, 1, 1, "new"]),
        ("a", "2024-01-03", [1, 1, 1, 1, 1, 1, 1, 1, "new"]),
        ("a", "2024-01-03T00:00:00-01:00", [2, 2, 2, 4, 1, 3, 3, 2, "late"]),
        ("a", "2024-01-04", [2, 2, 2, 4, 1, 3, 3, 2, "late"]),
        # The last row has no amount: the last that is known counts.
        ("a", "2030-01-01", [3, 2, 2, 4, 1, 3, 3, 2, "late"]),
        # A row without a time is not known to lie before anything.
        ("b", "2030-01-01", [1, 1, 2, 2, 2, 2, 2, 1, "new"]),
        ("a", None, NONE),
        ("c", "2030-01-01", NONE),
        (None, "2030-01-01", NONE),
    ],
)
def test_only_what_was_before_counts(who: str | None, at: str | None, figures: list) -> None:
    join = Join(table="orders", keys=["who"], time="at", aggregate=FIGURES)
    visits = pd.DataFrame({"who": ["b", who], "at": ["2023-01-01", at]}, dtype="str")
    joined = JoinedTable(ORDERS, join, VISITS, LISTS).add_to(visits)
    assert list(joined) == ["who", "at", *join.figures]
    found = joined[list(join.figures)].astype(object)
    assert found.where(found.notna(), None).to_numpy().tolist() == [NONE, figures]


def test_without_a_time_all_rows_count_in_the_order_of_the_table() -> None:
    join = Join(
        table="orders",
        keys=["who"],
        aggregate={"_rows": ["count"], "status": ["last"], "amount": ["mean"]},
        rename={"orders_status_last": "status"},
    )
    joined = JoinedTable(ORDERS, join, VISITS, LISTS).add_to(pd.DataFrame({"who": ["b", "a", "b"]}))
    assert joined["orders_count"].tolist() == [2, 3, 2]
    assert joined["status"].tolist() == ["new", "new", "new"]
    assert joined["orders_amount_mean"].tolist() == [5.5, 2.0, 5.5]


@pytest.mark.parametrize("seed", range(20))
def test_figures_are_those_of_a_loop_over_the_rows(seed: int) -> None:
    random = np.random.default_rng(seed)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(12), unit="D")
    keys = pd.Series(["a", "b", "c", None], dtype="str")

    def table(rows: int) -> pd.DataFrame:
        at = pd.Series(random.choice(days, rows)).mask(random.random(rows) < 0.1)
        kinds = {"k": random.choice(keys, rows), "n": random.integers(0, 3, rows), "at": at}
        return pd.DataFrame(kinds).astype({"k": "str"})

    visits, orders = table(60), table(200)
    orders["amount"] = random.choice([np.nan, 1e15, -2.0, 0.25, 3.0], 200)
    join = Join(
        table="orders",
        keys=["k", "n"],
        time="at",
        aggregate={"_rows": ["count"], "amount": FIGURES["amount"]},
    )
    joined = JoinedTable(orders, join, VISITS, LISTS).add_to(visits)
    for place, visit in visits.iterrows():
        same = (orders["k"] == visit["k"]) & (orders["n"] == visit["n"])
        before = orders[same & (orders["at"] < visit["at"])].sort_values("at", kind="stable")
        known = before["amount"].dropna()
        wanted = [len(before), known.count(), known.mean(), known.sum(min_count=1)]
        wanted += [known.min(), known.max(), known.iloc[-1] if len(known) else np.nan]
        found = joined.loc[place, list(join.figures)].astype("float64").tolist()
        assert found == pytest.approx(wanted, rel=1e-12, abs=1e-3, nan_ok=True), place


def test_what_comes_later_changes_no_figure() -> None:
    join = Join(table="orders", keys=["who"], time="at", aggregate=FIGURES)
    visits = pd.DataFrame({"who": ["a", "b"], "at": ["2024-01-03", "2024-01-03"]})
    later = pd.DataFrame({"who": ["a", "b"], "at": ["2024-01-03"] * 2, "amount": [1e30, 5]})
    joined = JoinedTable(ORDERS, join, VISITS, LISTS).add_to(visits)
    with_later = JoinedTable(pd.concat([later, ORDERS]), join, VISITS, LISTS).add_to(visits)
    pd.testing.assert_frame_equal(joined, with_later)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"aggregate": {"amuont": ["mean"]}}, "no column amuont .did you mean amount"),
        ({"aggregate": {"status": ["mean"]}}, "table orders, column status: .* 'late'"),
        ({"time": "status"}, "table orders, column status: .* 'late'. It must be a time"),
        ({"time": "when"}, "table orders has no column when"),
        ({"rename": {"orders_count": "who"}}, "who of table orders is a column of visits too"),
    ],
)
def test_bad_figures_are_refused(changed: dict[str, Any], words: str) -> None:
    values = {"table": "orders", "keys": ["who"], "time": "at", "aggregate": {"_rows": ["count"]}}
    visits = pd.DataFrame({"who": ["a"], "at": ["2024-01-03"]})
    with pytest.raises(UserError, match=words):
        JoinedTable(ORDERS, Join.model_validate(values | changed), VISITS, LISTS).add_to(visits)


def test_a_table_is_read_in_the_types_that_its_columns_will_have(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    asked = {}

    def read(name: str, types: dict) -> pd.DataFrame:
        asked[name] = types
        other = {"town": ["Oslo"], "late": ["007"], "other": [1], "since": ["2024-01-01"]}
        return trips if name == "trips" else pd.DataFrame(other)

    join = Join(
        table="cities", keys={"city": "town"}, columns=["late", "other"], rename={"late": "code"}
    )
    visits = Join(
        table="visits",
        keys={"city": "town"},
        time="since",
        aggregate={"late": ["last"], "other": ["max", "last"]},
        rename={"visits_late_last": "code_before"},
    )
    names = ("trips", "cities", "visits")
    dataset = trip_dataset.model_copy(
        update={"tables": [Table(name=name) for name in names], "joins": [join, visits]}
    )
    assemble_rows(read, dataset, trip_lists.model_copy(update={"category": ["city", "cod*"]}))
    assert asked["trips"]["late"] == "number"
    assert asked["cities"] == {"town": "category", "late": "category"}
    assert asked["visits"] == {
        **{"town": "category", "late": "category", "other": "number", "since": "time"}
    }


def test_a_table_may_be_joined_to_its_own_earlier_rows(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    join = Join(
        table="trips",
        keys=["city"],
        time="at",
        aggregate={"_rows": ["count"], "km": ["last"]},
        rename={"trips_count": "before", "trips_km_last": "km_before"},
    )
    dataset = trip_dataset.model_copy(update={"joins": [join]})
    lists = trip_lists.model_copy(update={"number": ["km", "before", "km_before"]})
    rows = assemble_rows(lambda _name, _types: trips, dataset, lists)
    assert rows["before"].tolist() == [0, 0, 0, 0, 1, 0]
    assert rows["km_before"].dropna().tolist() == [1.0]
