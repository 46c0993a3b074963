"""Values are read, cleaned and made into features alike, one by one and as columns."""

import json
import math
import reprlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from seedbed.config.extensions import only_seedbed
from seedbed.config.features import plan_features
from seedbed.config.preparation import Cleaning, Derived, Features, ValidRange
from seedbed.config.project import bundled_project
from seedbed.config.schema import Column
from seedbed.data.cleaning import clean_values
from seedbed.data.features import compute_features, feature
from seedbed.errors import UserError
from seedbed.serving.compiled import NotCompilableError, UnusualRowError
from seedbed.serving.compiled.features import compile_features
from seedbed.serving.compiled.values import compile_reader, is_missing
from seedbed.serving.samples import json_value
from seedbed.serving.signature import InputColumn, Signature

TYPES = {
    **{"price": "number", "hours": "number", "shop": "category", "city": "category"},
    **{"open": "boolean", "ordered": "time", "promised": "time"},
}
COLUMNS = {name: Column(role="feature", type=kind) for name, kind in TYPES.items()}
SIGNATURE = Signature(
    columns=[InputColumn(name=name, type=kind, nullable=True) for name, kind in TYPES.items()],
    time_zone="Europe/Zurich",
)
CLEANING = Cleaning(
    missing_text=["", "n/a"], valid_range=[ValidRange(column="price", low=-100, high=1e30)]
)
ROWS: list[dict[str, Any]] = [
    {"price": 12, "hours": 1.5, "shop": "A", "city": "Zürich", "open": True,
     "ordered": "2024-03-30T12:00:00", "promised": "2024-03-31T12:00:00"},
    {"price": 0.1, "hours": 0, "shop": " B ", "city": "n/a", "open": False,
     "ordered": "2024-10-26T00:00:00+02:00", "promised": "2024-10-28T00:00:00.25+01:00"},
    {"price": None, "hours": -0.0, "shop": None, "city": "", "open": None,
     "ordered": None, "promised": "2024-12-31 23:59"},
    {"price": 1e25, "hours": 3e38, "shop": "\tC\n", "city": "x|y", "open": True,
     "ordered": "2024-02-29T23:30:00Z", "promised": "2023-06-01T00:00:00-0430"},
    {"price": 99999999999999999, "hours": 1e-7, "shop": "A B", "city": "7", "open": False,
     "ordered": "1999-12-31T23:59:59.999999Z", "promised": "1999-01-01T00:00:00Z"},
    {"price": -101, "hours": 5e-324, "shop": "N/A", "city": "n/a ", "open": True,
     "ordered": "2037-07-01T00:00:00", "promised": "2099-12-31T12:00:00+14:00"},
    {"price": 1e31, "hours": 123456.789, "shop": "nan", "city": "None", "open": False,
     "ordered": "1901-01-01T00:00:00Z", "promised": None},
]  # fmt: skip
KINDS = {
    **{f"{kind}_of_two": (kind, ["price", "hours"]) for kind in ("difference", "ratio", "product")},
    "ratio_of_a_truth": ("ratio", ["price", "open"]),
    "truths": ("difference", ["open", "hours"]),
    "three": ("product", ["price", "hours", "open"]),
    "days": ("days_between", ["ordered", "promised"]),
    "both": ("combine", ["shop", "city"]),
    "all": ("combine", ["price", "shop", "open", "hours"]),
    "alone": ("combine", ["hours"]),
    **{f"no_{name}": ("is_missing", [name]) for name in TYPES},
    "rounded": ("rounded_sum", ["price", "hours"]),
}
PARTS = ["year", "month", "day", "day_of_week", "day_of_year", "hour", "minute", "seconds"]


@pytest.fixture(autouse=True)
def own_kinds() -> Iterator[None]:
    """Kinds of features that a project adds."""
    with only_seedbed(), bundled_project(""):

        @feature(columns=2, elementwise=True)
        def rounded_sum(left: Any, right: Any) -> Any:
            return np.floor(left.astype("float64") // 7 + np.sqrt(right))

        @feature(columns=1)
        def by_series(values: pd.Series) -> pd.Series:
            return values.fillna(0.0)

        yield


def read(row: dict[str, Any]) -> list[Any]:
    return [
        compile_reader(column, place, CLEANING, SIGNATURE.time_zone)(row[column.name], [])
        for place, column in enumerate(SIGNATURE.columns)
    ]


def plain(value: Any) -> str:
    return json.dumps(None if is_missing(value) else value)


@pytest.mark.parametrize("name", KINDS)
def test_a_derived_feature_of_a_row_is_that_of_columns(name: str) -> None:
    kind, columns = KINDS[name]
    compare(Features(use_derived=True, derived=[Derived(name=name, kind=kind, columns=columns)]))


@pytest.mark.parametrize("part", PARTS)
def test_the_parts_and_cycles_of_a_date_are_those_of_columns(part: str) -> None:
    compare(Features(date_parts=[part], cyclic=True))


def compare(features: Features) -> None:
    cleaned = clean_values(SIGNATURE.check(ROWS), COLUMNS, CLEANING)
    expected = compute_features(cleaned, COLUMNS, features)
    places = {name: place for place, name in enumerate(TYPES)}
    plan = plan_features(COLUMNS, features)
    make = compile_features(plan, places, TYPES)
    found = zip(*(map(plain, make(read(row))) for row in ROWS), strict=True)
    for name, values in zip(plan, found, strict=True):
        assert list(values) == [plain(json_value(value)) for value in expected[name]], name


@pytest.mark.filterwarnings("error")
def test_numpy_says_nothing_of_missing_numbers_in_any_thread_and_later_what_it_always_does() -> (
    None
):
    derived = Derived(name="own", kind="rounded_sum", columns=["price", "hours"])
    plan = plan_features(COLUMNS, Features(use_derived=True, derived=[derived]))
    make = compile_features({"own": plan["own"]}, {"price": 0, "hours": 1}, TYPES)
    usual = np.geterr()
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(make, [(1.0, -1.0)] * 200), make((1.0, -1.0))]
    assert all(math.isnan(value) for (value,) in found)
    assert np.geterr() == usual
    with pytest.raises(RuntimeWarning):
        np.sqrt(np.float64(-1.0))


ODD: dict[str, list[Any]] = {
    "price": [math.nan, math.inf, -math.inf, 10**400, -5, "5", True, [], {}, np.float32(1.5), 1e39],
    "shop": [
        "\u00a0A",
        "A\u200b",
        "\x1fA",
        "\ud800",
        5,
        True,
        math.nan,
        [],
        "n/a",
        " n/a\r\n",
        "é ",
    ],
    "open": [1, 0, "true", math.nan, "", [], 1.0],
    "ordered": [
        *("2024", "2024-07", "2024-07-04", "2024-07-04T10", "2024-07-04 10:00", "20240704T1000"),
        *("2024-03-31T02:30:00", "2024-10-27T02:30:00", "2024-10-27T02:30:00+02:00", "noon", ""),
        *("2024-07-04T10:00:00.1234567Z", "2024-07-04T10:00:00,5Z", "2024-7-4T10:00", "2024-W27-4"),
        *(
            "2024-07-04T10:00+15:00",
            "2024-07-04T10:00:00 +02:00",
            "2024-07-04t10:00",
            " 2024-07-04",
        ),
        *(5, True, math.nan, [], "0001-01-01T00:00", "9999-12-31T23:59:59Z", "2024-07-04T10:00z"),
        pd.Timestamp("2024-07-04 10:00"),
    ],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in ODD.items() for value in values],
    ids=reprlib.repr,
)
def test_an_odd_value_is_read_as_a_column_is_or_left_to_the_slow_path(
    name: str, value: Any
) -> None:
    row = ROWS[0] | {name: value}
    place = list(TYPES).index(name)
    try:
        found = read(row)[place]
    except UnusualRowError:
        return
    cleaned = clean_values(SIGNATURE.check([row]), COLUMNS, CLEANING)
    expected = json_value(cleaned[name].iloc[0])
    assert plain(found.isoformat() if hasattr(found, "isoformat") else found) == plain(expected)


@pytest.mark.parametrize(
    ("kind", "columns", "reason"),
    [
        ("by_series", ["price"], "its kind by_series is not registered with elementwise=True"),
        ("rounded_sum", ["price", "open"], "rounded_sum takes other than numbers there"),
    ],
)
def test_an_own_kind_that_cannot_be_compiled_is_named(
    kind: str, columns: list[str], reason: str
) -> None:
    derived = Derived(name="own", kind=kind, columns=columns)
    features = Features(use_derived=True, derived=[derived])
    made = plan_features(COLUMNS, features)["own"]
    places = {name: place for place, name in enumerate(TYPES)}
    with pytest.raises(NotCompilableError, match=reason):
        compile_features({"own": made}, places, TYPES)


def test_an_own_kind_that_gives_no_number_is_left_to_the_slow_path() -> None:
    @feature(columns=1, elementwise=True)
    def where_positive(value: Any) -> Any:
        return value if np.all(value > 0) else None

    derived = Derived(name="own", kind="where_positive", columns=["price"])
    made = plan_features(COLUMNS, Features(use_derived=True, derived=[derived]))["own"]
    places = {name: place for place, name in enumerate(TYPES)}
    make = compile_features({"own": made}, places, TYPES)
    values = read(ROWS[0] | {"price": 2.5})
    assert make(values) == [2.5]
    with pytest.raises(UnusualRowError):
        make(read(ROWS[0] | {"price": -2.5}))


@pytest.mark.parametrize("name", ["shop", "ordered", "open"])
def test_mistakes_are_left_to_the_slow_path_which_refuses_them(name: str) -> None:
    row = ROWS[0] | {name: 5}
    with pytest.raises(UnusualRowError):
        read(row)
    with pytest.raises(UserError, match=name):
        SIGNATURE.check([row])
