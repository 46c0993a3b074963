"""One value gives one result, however pandas holds it, in a source as in a request, or is refused."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from seedbed.config.schema import ColumnLists, ColumnType, Dataset, Source, Table
from seedbed.data.csv_files import read_csv
from seedbed.data.feature_functions import MAKERS
from seedbed.data.features import make_features
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import read_source
from seedbed.data.values import read_values
from seedbed.errors import UserError
from seedbed.serving.signature import InputColumn, Signature

ZONE = "America/New_York"
SENT = pytest.mark.parametrize("sent", [False, True], ids=["source", "request"])
NUMPY_NUMBERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NUMPY_FLOATS = ["float16", "float32", "float64", "longdouble"]
NULLABLE_NUMBERS = [name.replace("i", "I", 1).replace("u", "U") for name in NUMPY_NUMBERS]
ARROW_NUMBERS = ["double", "float", "halffloat", *NUMPY_NUMBERS]
Make = Callable[[list], pd.Series]


def arrow(kind: pa.DataType) -> Make:
    return lambda values: pd.Series(values, dtype=pd.ArrowDtype(kind))


def dtype(kind: Any) -> Make:
    return lambda values: pd.Series(values, dtype=kind)


def mapped(kind: Callable[[Any], Any]) -> Make:
    """Hold values in a column of Python objects of one type."""
    return lambda values: pd.Series([v if v is None else kind(v) for v in values], dtype="object")


def categorical(values: list) -> pd.Series:
    categories = sorted({v for v in values if v is not None})
    return pd.Series(pd.Categorical(values, categories=categories))


def dictionary(values: list) -> pd.Series:
    return pa.array(values).dictionary_encode().to_pandas().reset_index(drop=True)


def read(values: pd.Series, kind: ColumnType, sent: bool = False, zone: str = ZONE) -> pd.Series:
    return read_values(values, "x", kind, zone, sent=sent)


def same(found: pd.Series, expected: pd.Series) -> None:
    pd.testing.assert_series_equal(found, expected, check_exact=True, check_names=False)


WHOLE = {
    **{name: dtype(name) for name in (*NUMPY_NUMBERS, *NUMPY_FLOATS)},
    **{name: dtype(name) for name in (*NULLABLE_NUMBERS, "Float32", "Float64")},
    **{f"arrow {name}": arrow(pa.type_for_alias(name)) for name in ARROW_NUMBERS},
    "arrow decimal": lambda values: arrow(pa.decimal128(9, 2))(
        [v if v is None else Decimal(v) for v in values]
    ),
    "Python int": mapped(int),
    "Python float": mapped(float),
    "Decimal": mapped(Decimal),
    "NumPy objects": mapped(np.int64),
    "categorical": categorical,
    "arrow dictionary": dictionary,
    "sparse": lambda values: pd.Series(pd.arrays.SparseArray(np.array(values, dtype="float64"))),
}
"""How pandas may hold whole numbers."""
WITH_MISSING = {
    name: make for name, make in WHOLE.items() if name not in (*NUMPY_NUMBERS, "sparse")
}
FRACTIONS = {
    name: make
    for name, make in WHOLE.items()
    if "int" not in name.lower() and name != "NumPy objects"
}
TEXT = {
    "str": dtype("str"),
    "object": dtype("object"),
    "string[python]": dtype(pd.StringDtype("python")),
    "string[pyarrow]": dtype(pd.StringDtype("pyarrow")),
    "arrow string": arrow(pa.string()),
    "arrow large_string": arrow(pa.large_string()),
    "categorical": categorical,
    "arrow dictionary": dictionary,
}
TRUTH = {
    "bool": dtype("bool"),
    "boolean": dtype("boolean"),
    "object": dtype("object"),
    "NumPy objects": mapped(np.bool_),
    "arrow bool": arrow(pa.bool_()),
    "categorical": categorical,
}
TRUTH_OR_MISSING = {name: make for name, make in TRUTH.items() if name != "bool"}


def held(*cases: tuple[Any, ...]) -> pytest.MarkDecorator:
    """Parametrize a test by each way to hold what stands first in a case."""
    rows = [
        pytest.param(make, *case, id=f"{case[0]}-{case[1]}-{name}")
        for makers, *case in cases
        for name, make in makers.items()
    ]
    return pytest.mark.parametrize(("make", "kind", "values", "expected"), rows)


@SENT
@held(
    (WHOLE, "number", [3, 0, 100], "int64"),
    (WITH_MISSING, "number", [3, None, 100], "float64"),
    (FRACTIONS, "number", [0.25, -1.5, 3], "float64"),
    (TEXT, "category", ["NA", "007", None], "str"),
    (TRUTH, "boolean", [True, False], "boolean"),
    (TRUTH_OR_MISSING, "boolean", [True, None], "boolean"),
)
def test_values_are_the_same_however_they_are_held(
    make: Make, kind: ColumnType, values: list, expected: str, sent: bool
) -> None:
    expected = "float64" if sent and kind == "number" else expected
    same(read(make(values), kind, sent), pd.Series(values, dtype=expected))


@held(
    (WHOLE, "category", [3, 0, 100], ["3", "0", "100"]),
    (TEXT, "number", ["0.1", "12", "1e3"], [0.1, 12.0, 1000.0]),
    (TEXT, "number", ["12", "007"], [12, 7]),
)
def test_a_source_may_write_numbers_and_text_for_each_other(
    make: Make, kind: ColumnType, values: list, expected: list
) -> None:
    same(read(make(values), kind), pd.Series(expected))


@held(
    (WHOLE, "category", [3, 0, 100], "row 0: .*Send text, in quotes"),
    (TEXT, "number", ["0.1", "12", "7"], "row 0: '0.1'. Send a number, without quotes"),
    (TRUTH, "number", [True, False, True], "row 0: True.*Send a number"),
)
def test_a_request_may_not(make: Make, kind: ColumnType, values: list, expected: str) -> None:
    with pytest.raises(UserError, match=f"column x: 3 of 3 values.*{expected}"):
        read(make(values), kind, sent=True)


@pytest.mark.parametrize("storage", TRUTH)
def test_a_truth_is_no_number_in_a_source_either(storage: str) -> None:
    with pytest.raises(UserError, match="column x: 2 of 2 values.*row 1: True.*a number"):
        read(TRUTH[storage]([True, False]), "number")


@pytest.mark.parametrize("number", [2**53 + 1, 2**62 + 1])
@pytest.mark.parametrize("storage", ["int64", "Int64", "arrow int64", "Python int"])
def test_large_whole_numbers_of_a_source_keep_every_digit(storage: str, number: int) -> None:
    assert read(WHOLE[storage]([number, 1]), "number").tolist() == [number, 1]
    missing = [number, 1] if storage == "int64" else [number, None]
    assert read(WHOLE[storage](missing), "category")[0] == str(number)


@pytest.mark.parametrize(
    "values",
    [["yes", "no"], ["True", "FALSE"], [1, 0], [1.0, 0.0], [Decimal(1), Decimal(0)], ["1.0", "0"]],
)
def test_a_source_may_write_truths_in_many_ways(values: list) -> None:
    assert read(pd.Series(values), "boolean").tolist() == [True, False]


LOCAL = datetime(2013, 6, 1, 17)
MOMENT = datetime(2013, 6, 1, 21, tzinfo=UTC)
UNITS, ZONES = ("s", "ms", "us", "ns"), ("UTC", "Europe/Zurich", ZONE)


def zoned(zone: str) -> Make:
    return lambda values: pd.to_datetime(pd.Series(values), utc=True).dt.tz_convert(zone)


TIMES = {
    **{f"datetime64[{unit}]": (LOCAL, dtype(f"datetime64[{unit}]")) for unit in UNITS},
    **{f"arrow timestamp[{unit}]": (LOCAL, arrow(pa.timestamp(unit))) for unit in UNITS},
    **{f"datetime64, {zone}": (MOMENT, zoned(zone)) for zone in ZONES},
    **{f"arrow timestamp, {zone}": (MOMENT, arrow(pa.timestamp("us", zone))) for zone in ZONES},
    "Python datetime": (LOCAL, dtype("object")),
    "Python datetime, UTC": (MOMENT, dtype("object")),
    "pandas Timestamp": (LOCAL, mapped(pd.Timestamp)),
    "NumPy datetime64": (LOCAL, mapped(np.datetime64)),
    "categorical": (LOCAL, categorical),
    **{
        text: (text, dtype("str"))
        for text in (
            "2013-06-01T17:00:00-04:00",
            "2013-06-01T21:00:00.000Z",
            "2013-06-01 23:00:00+0200",
            "2013-06-01T17:00:00",
            "2013-06-01 17:00",
            "20130601T210000Z",
            "2013-06-01T21+00:00",
            "2013-06-01T17-04",
        )
    },
    **{f"text as {name}": ("2013-06-01T17:00:00", make) for name, make in TEXT.items()},
}


@SENT
@pytest.mark.parametrize("storage", TIMES)
def test_a_time_is_the_same_moment_however_it_is_held(storage: str, sent: bool) -> None:
    value, make = TIMES[storage]
    moment = pd.Series([pd.Timestamp("2013-06-01T17:00", tz=ZONE), pd.NaT])
    same(read(make([value, None]), "time", sent), moment.astype(f"datetime64[us, {ZONE}]"))


@SENT
@pytest.mark.parametrize(
    "make", [dtype("object"), arrow(pa.date32()), arrow(pa.date64()), categorical]
)
def test_a_date_is_its_midnight(make: Make, sent: bool) -> None:
    found = read(make([date(2013, 6, 1), None]), "time", sent)
    assert found[0] == pd.Timestamp("2013-06-01", tz=ZONE)
    assert pd.isna(found[1])
    if not sent:
        assert read(make([date(2013, 6, 1)]), "category").tolist() == ["2013-06-01"]


@SENT
def test_offsets_may_differ_and_be_left_out_in_one_column(sent: bool) -> None:
    values = ["2013-01-01T05:00:00-05:00", "2013-06-01T05:00:00-04:00", "2013-06-01", "20130601"]
    found = read(pd.Series([*values, date(2013, 6, 1)], dtype="object"), "time", sent)
    assert found.dt.hour.tolist() == [5, 5, 0, 0, 0]


@SENT
@pytest.mark.parametrize("kind", ["number", "category", "boolean", "time"])
@pytest.mark.parametrize(
    "values",
    [
        pd.Series([None, None]),
        pd.Series([np.nan, np.nan]),
        pd.Series([pd.NA, pd.NaT], dtype="object"),
        pd.Series([None, None], dtype=pd.ArrowDtype(pa.null())),
        pd.Series(pd.Categorical([None, None])),
        pd.Series([None, None], dtype="str"),
    ],
)
def test_a_column_of_missing_values_stays_missing(
    kind: ColumnType, values: pd.Series, sent: bool
) -> None:
    dtypes = {"number": "float64", "category": "str", "time": f"datetime64[us, {ZONE}]"}
    found = read(values, kind, sent)
    assert found.isna().all()
    assert str(found.dtype) == dtypes.get(kind, kind)


@SENT
@pytest.mark.parametrize(
    ("kind", "values", "row", "value", "wanted"),
    [
        ("number", [1, "n/a"], 1, "'n/a'", "a number"),
        ("number", [1, "1_000"], 1, "'1_000'", "a number"),
        ("number", [1, ""], 1, "''", "a number"),
        ("number", [1, 1j], 1, "1j", "a number"),
        ("number", [1, b"1"], 1, "b'1'", "a number"),
        ("number", [1, [2]], 1, r"\[2\]", "a number"),
        ("number", [1, date(2013, 6, 1)], 1, r"datetime\.date", "a number"),
        ("number", [1, 10**400], 1, "1000", "a finite number"),
        ("number", [1, Decimal("1e400")], 1, r"Decimal\('1E\+400'\)", "a finite number"),
        ("number", [1, float("inf")], 1, "inf", "a finite number"),
        ("number", [-np.inf], 0, "-inf", "a finite number"),
        ("number", [None, 1e39], 1, r"1e\+39", "a finite number"),
        ("category", ["a", b"a"], 1, "b'a'", "text"),
        ("category", ["a", ["b"]], 1, r"\['b'\]", "text"),
        ("boolean", [True, "perhaps"], 1, "'perhaps'", "true or false"),
        ("boolean", [True, 2], 1, "2", "true or false"),
        ("time", ["2013-01-01T00:00:00Z", "tomorrow"], 1, "'tomorrow'", "a time in ISO 8601"),
        ("time", ["2013-01-01T00:00:00Z", "now"], 1, "'now'", "a time in ISO 8601"),
        ("time", ["2013-01-01T00:00:00Z", ""], 1, "''", "a time in ISO 8601"),
        ("time", ["2013-06-01+02:00"], 0, r"'2013-06-01\+02:00'", "a time in ISO 8601"),
        ("time", [20130101, 20130102], 0, "20130101", "a time in ISO 8601"),
        ("time", [Decimal(20130101)], 0, r"Decimal\('20130101'\)", "a time in ISO 8601"),
        ("time", ["2013-03-10T02:30:00"], 0, "'2013-03-10T02:30:00'", "a time with its offset"),
        ("time", ["2013-11-03T01:30:00"], 0, "'2013-11-03T01:30:00'", "a time with its offset"),
    ],
)  # fmt: skip
def test_another_value_is_refused_with_column_row_value_and_remedy(
    kind: ColumnType, values: list, row: int, value: str, wanted: str, sent: bool
) -> None:
    asked = f"Send {wanted}" if sent else f"It must be {wanted}.*source"
    row += not sent  # rows of a source are counted from 1
    pattern = f"column x: [0-9]+ of {len(values)} values cannot be read, the first in row {row}: {value}.*{asked}"
    with pytest.raises(UserError, match=pattern) as caught:
        read(pd.Series(values, dtype="object"), kind, sent)
    assert "\n" not in str(caught.value)


@SENT
@pytest.mark.parametrize(
    "make", [dtype("float64"), dtype("Float64"), arrow(pa.float64()), categorical]
)
def test_an_infinite_number_is_refused_however_it_is_held(make: Make, sent: bool) -> None:
    with pytest.raises(UserError, match=r"column x: 1 of 2 values.*row [12]: inf.*a finite number"):
        read(make([1.0, float("inf")]), "number", sent)


@pytest.mark.parametrize(
    "values",
    [pd.Series(pd.period_range("2013", periods=2, freq="D")), pd.Series(pd.to_timedelta([1, 2]))],
)
@pytest.mark.parametrize("kind", ["number", "category", "boolean", "time"])
@SENT
def test_periods_and_spans_are_refused_in_a_sentence(
    values: pd.Series, kind: ColumnType, sent: bool
) -> None:
    with pytest.raises(UserError, match="column x: 2 of 2 values cannot be read.* in row [01]"):
        read(values, kind, sent)


@pytest.mark.parametrize("kind", ["number", "category", "boolean", "time"])
@pytest.mark.parametrize("dtype", ["str", "object"])
def test_index_and_name_stay(kind: ColumnType, dtype: str) -> None:
    text = {"boolean": "true", "time": "2024-01-01"}.get(kind, "1")
    found = read(pd.Series([text, text], index=["a", "a"], name="x", dtype=dtype), kind)
    assert (found.index.tolist(), found.name) == (["a", "a"], "x")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_ingest_refuses_an_infinite_number_as_serving_does(kind: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"speed": [1.5, np.inf, 2.5]})
    getattr(frame, f"to_{kind}")(tmp_path / f"rows.{kind}", index=False)
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    source = Source(kind=kind, path=str(tmp_path))  # type: ignore[arg-type]
    rows = read_source(source, dataset, "rows", {"speed": "number"})
    refused = r"column speed: 1 of .*row [12]: inf"
    with pytest.raises(UserError, match=rf"{refused}.*finite.*missing"):
        assemble_rows(lambda *_: rows, dataset, ColumnLists(target="speed"))
    speed = InputColumn(name="speed", type="number", nullable=False)
    with pytest.raises(UserError, match=rf"{refused}. Send a finite"):
        Signature(columns=[speed], time_zone="UTC").check(rows)


def test_a_csv_file_may_name_an_infinite_number_missing(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("speed\n1.5\ninf\n")
    found = read_csv(tmp_path / "rows.csv", {"speed": "number"}, ["inf"])
    assert read(found["speed"], "number").isna().tolist() == [False, True]


def test_a_feature_that_becomes_infinite_is_missing() -> None:
    rows = pd.DataFrame({"a": [1.0, 3e38, 6.0], "b": [0.0, -3e38, 2.0]})
    makers = {kind: (MAKERS[kind], ("a", "b")) for kind in ("ratio", "difference")}
    found = make_features(rows, makers)
    assert found["ratio"].isna().tolist() == [True, False, False]
    assert found["difference"].isna().tolist() == [False, True, False]


@pytest.mark.parametrize(
    "text", ["0.1", "2.3", "1e23", "0.30000000000000004", "8.41", "123456789.123456789"]
)
def test_a_number_of_a_csv_file_is_the_same_to_the_last_bit(text: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(f"x\n{text}\n0.5\n")
    found = read(read_csv(tmp_path / "rows.csv", {"x": "number"}, [])["x"], "number")
    assert found[0] == json.loads(text) == read(pd.Series([text]), "number")[0]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", ZONE])
@pytest.mark.parametrize("beside", ["2020-01-01", "2020-01-01T00:00:00.123456789"])
@pytest.mark.parametrize("day", ["0002-01-01", "1600-02-03", "9998-12-31"])
def test_years_far_away_are_read_whatever_stands_beside_them(
    day: str, beside: str, zone: str
) -> None:
    found = read(pd.Series([day, beside]), "time", zone=zone)
    assert str(found[0])[:10] == day
    assert str(found[1])[:10] == "2020-01-01"
