"""Tables become rows: joined, typed, cut to the window and the sample."""

from typing import Any

import pandas as pd
import pytest

from seedbed.config.joins import Join
from seedbed.config.schema import Column, ColumnLists, Dataset, Table, Window
from seedbed.data.ingesting import assemble_rows, columns_to_read
from seedbed.errors import UserError

Columns = dict[str, Column]


def assemble(
    trips: pd.DataFrame, dataset: Dataset, lists: ColumnLists, **tables: pd.DataFrame
) -> pd.DataFrame:
    return assemble_rows(lambda name, _types: {"trips": trips, **tables}[name], dataset, lists)


def test_types_are_those_of_the_configuration(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    rows = assemble(trips, trip_dataset, trip_lists)
    assert {name: str(dtype) for name, dtype in rows.dtypes.items()} == {
        "id": "int64",
        "at": "datetime64[us, Europe/Oslo]",
        "city": "str",
        "km": "float64",
        "late": "float64",
    }
    assert rows["at"].dt.hour.tolist() == [9] * 6


def test_the_window_is_half_open_in_local_time(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    window = Window(start="2024-01-02T09:00:00", end="2024-02-01T09:00:00")
    rows = assemble(trips, trip_dataset.model_copy(update={"window": window}), trip_lists)
    assert rows["id"].tolist() == [2, 3]


def test_an_empty_window_says_what_there_is(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    window = Window(start="2030-01-01")
    with pytest.raises(UserError, match="the data run from 2024-01-01"):
        assemble(trips, trip_dataset.model_copy(update={"window": window}), trip_lists)


def test_a_window_needs_a_time_column_of_the_base_table(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    dataset = trip_dataset.model_copy(update={"window": Window(start="2024-01-02")})
    with pytest.raises(
        UserError, match=r"dataset\.window is set, and columns.time names no column"
    ):
        assemble(trips, dataset, trip_lists.model_copy(update={"time": None}))
    with pytest.raises(UserError, match=r"columns.time: at is not a column of table trips"):
        assemble(trips.drop(columns="at"), dataset, trip_lists)


@pytest.mark.parametrize(
    "end", ["2024-01-02T09:00:00", "2024-01-02T08:00:00Z", "2024-01-02T03:00:00-05:00"]
)
def test_a_window_may_name_its_own_zone(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists, end: str
) -> None:
    dataset = trip_dataset.model_copy(update={"window": Window(end=end)})
    assert assemble(trips, dataset, trip_lists)["id"].tolist() == [1]


def test_a_sample_is_spread_and_repeatable(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    dataset = trip_dataset.model_copy(update={"sample": 3})
    assert assemble(trips, dataset, trip_lists)["id"].tolist() == [1, 3, 6]
    assert len(assemble(trips, trip_dataset.model_copy(update={"sample": 99}), trip_lists)) == 6


def test_what_no_list_takes_is_left_out_and_not_read_into_a_type(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    given = trips.assign(note="no number", _row=1, nothing=None)
    assert list(assemble(given, trip_dataset, trip_lists)) == ["id", "at", "city", "km", "late"]


def test_a_glob_takes_what_a_join_adds_and_what_is_missing_is_named(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    join = Join(table="cities", keys=["city"], columns=["height_m", "height_f"])
    dataset = trip_dataset.model_copy(update={"joins": [join]})
    cities = pd.DataFrame({"city": ["Oslo"], "height_m": [23], "height_f": [75]})
    globs = trip_lists.model_copy(update={"number": ["km", "height_*", "!*_f"]})
    rows = assemble(trips, dataset, globs, cities=cities)
    assert list(rows) == ["id", "at", "city", "km", "late", "height_m"]
    with pytest.raises(UserError, match=r"number has the glob 'depth_\*', which matches none of"):
        assemble(trips, trip_dataset, trip_lists.model_copy(update={"number": ["depth_*"]}))
    with pytest.raises(
        UserError, match=r"names city, which is not in the data .did you mean City?"
    ):
        assemble(trips.rename(columns={"city": "City"}), trip_dataset, trip_lists)


def test_a_column_of_nothing_but_missing_values_is_refused(
    trips: pd.DataFrame, trip_dataset: Dataset, trip_lists: ColumnLists
) -> None:
    with pytest.raises(UserError, match="km .feature. holds nothing but missing values in 6 rows"):
        assemble(trips.assign(km=None), trip_dataset, trip_lists)


@pytest.mark.parametrize(
    ("column", "value", "wanted"), [("km", "far", "a number"), ("at", "noon", "a time in ISO")]
)
def test_a_value_of_another_type_is_shown(
    trips: pd.DataFrame,
    trip_dataset: Dataset,
    trip_lists: ColumnLists,
    column: str,
    value: str,
    wanted: str,
) -> None:
    wrong = trips.astype({column: "object"})
    wrong.loc[2, column] = value
    words = f"column {column}: 1 of the values up to row 6 cannot be read, the first in row 3: '{value}'. It must be {wanted}"
    with pytest.raises(UserError, match=words):
        assemble(wrong, trip_dataset, trip_lists)


def typed_as(lists: dict[str, Any], **columns: list) -> pd.DataFrame:
    """Return columns of a table in the types of lists, beside a target."""
    frame = pd.DataFrame(columns).assign(y=1.0)
    dataset = Dataset(name="trips", tables=[Table(name="trips")])
    return assemble(frame, dataset, ColumnLists(target="y", **lists))


def test_whole_numbers_as_categories_have_no_decimal_point() -> None:
    typed = typed_as({"category": ["code"]}, code=[1.0, 2.0, None])
    assert typed["code"].tolist()[:2] == ["1", "2"]
    assert typed["code"].isna().tolist() == [False, False, True]


def test_booleans_are_read_from_words() -> None:
    typed = typed_as({"boolean": ["ok"]}, ok=["yes", "no", None, "True"])
    assert typed["ok"].tolist()[:2] == [True, False]
    with pytest.raises(UserError, match="It must be true or false"):
        typed_as({"boolean": ["ok"]}, ok=["perhaps"])


LARGE = 2**60 + 1


def test_a_key_keeps_every_digit_or_is_refused() -> None:
    lists: dict[str, Any] = {"key": ["id"], "group": "who"}
    who = ["7", None, str(-LARGE)]
    typed = typed_as(lists, id=[str(LARGE), None, "7"], who=who)
    assert typed["id"].dropna().tolist() == [LARGE, 7]
    assert typed["who"].dropna().tolist() == [7, -LARGE]
    with pytest.raises(
        UserError, match="column id: 1 of the values up to row 3 .*category under columns.types"
    ):
        typed_as(lists, id=[str(LARGE), None, "9" * 30], who=who)


def test_only_columns_that_are_used_are_asked_of_a_table() -> None:
    lists = ColumnLists(target="late", time="at", number=["km", "t*", "!tail"], category=["city"])
    dataset = Dataset(
        name="d",
        tables=[Table(name="trips"), Table(name="cities")],
        joins=[Join(table="cities", keys={"place": "code"}, columns=["city"])],
    )
    names = ["at", "late", "km", "temp", "tail", "place", "color"]

    def asked(table: str, there: list[str]) -> list[str]:
        return columns_to_read(table, there, dataset, lists)

    assert asked("trips", names) == ["at", "late", "km", "temp", "place"]
    assert asked("cities", ["city", "code", "mayor"]) == ["city", "code"]
    without_glob = [name for name in names if not name.startswith("t")]
    for there in (names[1:], without_glob):
        assert asked("trips", there) == there, "the message on what is missing names all"
