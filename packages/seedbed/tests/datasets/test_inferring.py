"""What `dataset add` guesses each column to be: as a careful person would, with a reason."""

import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.data.formats import parse
from seedbed.data.texts import TRUTH_PAIRS
from seedbed.datasets.guesses import Guess, read_as
from seedbed.datasets.inferring import infer_columns

ROWS = 200
RANDOM = np.random.default_rng(0)


def as_texts(values: Any) -> pd.Series:
    return pd.Series(["" if value is None else str(value) for value in values], dtype="str")


def infer(values: Any, name: str = "x", **others: Any) -> Guess:
    """Return the guess of a column beside a target and other columns of texts."""
    column = values if isinstance(values, pd.Series) else as_texts(values)
    more = {other: as_texts(content) for other, content in others.items()}
    frame = pd.DataFrame({name: column, **more})
    return infer_columns(frame, target="none", time=None, group=None)[name]


def some(*values: Any) -> list:
    return RANDOM.choice(np.array(values, dtype=object), ROWS).tolist()


def words(number: int) -> list[str]:
    known = ["good", "bad", "slow", "fast", "never", "again", "shop", "the", "was", "much", "here"]
    return [" ".join(RANDOM.choice(known, number)) for _ in range(ROWS)]


KEYS_WITH_ONE_MISSING = ["", *(10**18 + value for value in RANDOM.integers(0, 10**9, ROWS - 1))]
CASES: list[tuple[str, Any, str, str]] = [
    ("age", RANDOM.integers(18, 90, ROWS), "number", "whole numbers, 68 values in 200 rows"),
    ("height", RANDOM.normal(size=ROWS).round(3), "number", "numbers, "),
    ("rooms", some(1, 2, 3, 4), "number", "whole numbers, 4 values in 200 rows, from 1 to 4"),
    ("year", range(1900, 1900 + ROWS), "number", "from 1900 to 2099"),
    ("salary", RANDOM.permutation(np.arange(ROWS) * 173 + 5), "number", "from 5 to 34432"),
    ("smoker", some("yes", "no"), "boolean", "yes in"),
    ("smoker", some("Y", "N", ""), "boolean", "Y in"),
    ("kauf", some("Ja", "Nein"), "boolean", "Ja in"),
    ("achat", some("oui", "non"), "boolean", "oui in"),
    ("flag", some(0, 1), "boolean", "1 in"),
    ("flag", some("TRUE", "FALSE"), "boolean", "TRUE in"),
    ("flag", some("t", "f"), "boolean", "t in"),
    ("default", some("yes", "no", "unknown"), "boolean", "yes in"),
    ("sex", some("m", "f"), "category", "2 values in 200 rows"),
    ("store_type", some(1, 2, 3), "category", "a code by its name"),
    ("zip", some("00123", "08001", "12345"), "category", "3 values in 200 rows"),
    ("city", some(*(f"City {n}" for n in range(60))), "high_cardinality", "values in 200 rows"),
    (
        "at",
        [f"{n % 28 + 1}.{n % 12 + 1}.2024 17:00" for n in range(ROWS)],
        "date",
        "%d.%m.%Y %H:%M",
    ),
    ("day", [f"{n % 12 + 1:02d}/{n % 28 + 1:02d}/2024" for n in range(ROWS)], "date", "%m/%d/%Y"),
    ("week", [f"2024-W{n % 52 + 1:02d}" for n in range(ROWS)], "date", "ISO week"),
    ("day", [20240100 + n % 31 + 1 for n in range(ROWS)], "date", "%Y%m%d"),
    ("created_at", [1704067200 + 60 * n for n in range(ROWS)], "date", "unix seconds"),
    ("born", [f"{1600 + 42 * n}-01-01" for n in range(ROWS)], "date", "from 1600-01-01 to 9958"),
    ("population", [1704067200 + 60 * n * n for n in range(ROWS)], "number", "whole numbers"),
    ("comment", words(8), "text", "8.0 words each"),
    ("Name", [f"Smith{n}, Mr. John B." for n in range(ROWS)], "text", "4.0 words each"),
    ("", range(ROWS), "identifier", "different in each row, increasing from 0 to 199"),
    ("rank", RANDOM.permutation(ROWS), "number", "whole numbers, 200 values"),
    ("tree", RANDOM.integers(0, 50, ROWS), "identifier", "rows each"),
    ("model", [f"Ford T {n}" for n in range(ROWS)], "identifier", "different in each row"),
    ("n", RANDOM.permutation(ROWS), "identifier", "each whole number from 0 to 199 once"),
    ("PassengerId", RANDOM.permutation(ROWS) * 7, "identifier", "named as a key"),
    ("customer_id", RANDOM.integers(0, 50, ROWS), "identifier", "named as a key, "),
    ("mail", [f"u{n}@x.org" for n in range(ROWS)], "identifier", "texts such as 'u0@x.org'"),
    ("row", [uuid.UUID(int=n % 40) for n in range(ROWS)], "identifier", "UUIDs"),
    ("key", KEYS_WITH_ONE_MISSING, "identifier", "different in each row"),
    ("const", ["x"] * ROWS, "constant", "always 'x'"),
    ("const", [3] * ROWS, "constant", "always '3'"),
    ("empty", [""] * ROWS, "empty", "no value in 200 rows"),
    ("empty", some("NA", "-"), "empty", "only "),
    ("ticked", some("x", "", ""), "category", "else missing"),
]


@pytest.mark.parametrize(("name", "values", "kind", "reason"), CASES)
def test_each_kind_of_column_is_found(name: str, values: Any, kind: str, reason: str) -> None:
    guess = infer(values, name)
    assert guess.kind == kind, guess
    assert reason in guess.reason


TYPED: list[tuple[str, pd.Series, str]] = [
    ("age", pd.Series(RANDOM.integers(0, 50, ROWS)), "number"),
    ("age", pd.Series([None, *RANDOM.integers(0, 50, ROWS - 1)], dtype="Int64"), "number"),
    ("x", pd.Series(RANDOM.normal(size=ROWS)).astype("float32"), "number"),
    ("x", pd.Series([Decimal(n % 70) / 7 for n in range(ROWS)]), "number"),
    ("ok", pd.Series([True, False] * 100), "boolean"),
    ("ok", pd.Series([True, None] * 100, dtype="boolean"), "category"),
    ("ok", pd.Series([0.0, 1.0] * 100), "boolean"),
    ("at", pd.Series(pd.date_range("2024", periods=ROWS, tz="UTC")), "date"),
    ("at", pd.Series(pd.date_range("2024", periods=ROWS).date), "date"),
    ("day", pd.Series([20240101 + n % 28 for n in range(ROWS)]), "date"),
    ("c", pd.Series(["a", "b"] * 100, dtype="category"), "category"),
    ("key", pd.Series([2**62 + n * 7 % 200 for n in range(ROWS)]), "identifier"),
    ("big", pd.Series([2**62 + n % 5 for n in range(ROWS)]), "category"),
    ("big", pd.Series([2**63 + n % 5 for n in range(ROWS)], dtype="uint64"), "category"),
    ("list", pd.Series([[n % 3, {"a": 1}] for n in range(ROWS)]), "category"),
    ("bytes", pd.Series([b"a", b"b"] * 100), "category"),
    ("wait", pd.Series(pd.to_timedelta(RANDOM.integers(0, 9, ROWS), unit="h")), "category"),
    ("one", pd.Series([None, 1] * 100, dtype="object"), "category"),
    ("period", pd.Series(pd.period_range("2024", periods=ROWS, freq="D")), "date"),
    ("infinite", pd.Series([np.inf, *RANDOM.normal(size=ROWS - 1)]), "number"),
    ("infinite", pd.Series([np.inf, -np.inf] * 100), "empty"),
    ("mixed", pd.Series([1, "a", 2.5, None] * 50, dtype="object"), "category"),
]


@pytest.mark.parametrize(("name", "values", "kind"), TYPED)
def test_typed_columns_are_judged_alike(name: str, values: pd.Series, kind: str) -> None:
    guess = infer(values, name)
    assert guess.kind == kind, guess
    read = read_as(values, guess)
    assert read.notna().mean() == pytest.approx(1 - guess.missing)
    assert guess.kind != "date" or read.dtype.kind == "M"


@pytest.mark.parametrize(
    ("values", "kind", "form", "missing_texts", "missing"),
    [
        (["n/a", *range(0, 9900, 100)], "number", None, ("n/a",), 0.01),
        (["-", "NULL", *(f"{n},5" for n in range(98))], "number", "1234,5", ("-", "NULL"), 0.02),
        (["?", *(f"1.{n + 100},50 €" for n in range(99))], "number", "1.234,5", ("?",), 0.01),
        (["inf", "1e400", *(n + 0.5 for n in range(98))], "number", None, ("inf", "1e400"), 0.02),
        (
            ["0000-00-00", *(f"{n}.1.2024" for n in range(1, 32))],
            "date",
            "%d.%m.%Y",
            ("0000-00-00",),
            1 / 32,
        ),
        (["NA", "a", "b", "b"] * 25, "category", None, (), 0),
        (["None", "a", "b", "b"] * 25, "category", None, (), 0),
    ],
)
def test_texts_that_stand_for_missing_are_named_where_others_fit_a_type(
    values: list, kind: str, form: str | None, missing_texts: tuple, missing: float
) -> None:
    guess = infer(values)
    assert (guess.kind, guess.form, guess.missing_texts) == (kind, form, missing_texts)
    assert guess.missing == pytest.approx(missing)


def test_what_stands_for_missing_in_one_column_does_in_another() -> None:
    guess = infer(["NA", "N1", "N2", "N2"] * 25, delay=["NA", *range(99)])
    assert (guess.kind, guess.missing_texts, guess.missing) == ("category", ("NA",), 0.25)
    assert "'NA' in 25 rows is taken for missing" in str(guess.note)


def test_a_decided_column_decides_for_one_that_could_be_read_in_two_ways() -> None:
    ambiguous = [f"{n}.{n + 100}" for n in range(1, 99)]
    assert infer(ambiguous).form is None
    assert "could be 1,101 (1.234,5)" in str(infer(ambiguous).note)
    assert infer(ambiguous, price=[f"{n},5" for n in range(98)]).form == "1.234,5"


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ([999] * 50 + list(range(30)) * 5, "999 in 50 rows may stand for missing"),
        ([-999, -999, *range(50)], "-999 in 2 rows may stand for missing"),
        ([1048.4, *(n + 0.5 for n in range(40))], "1048.4 in 1 rows is far from all others"),
        (
            ["12 kg", *(n + 0.5 for n in range(40))],
            "numbers but for 1 of 41 values, the first '12 kg' in row 1",
        ),
        (["15", *(f"{n} kg" for n in range(40))], "numbers but for 1 of 41 values, the first '15'"),
        ([f"{n} {'kg' if n % 2 else 'g'}" for n in range(40)], "numbers with different units?"),
        ([f"{h * 100 + m}" for h in range(24) for m in range(0, 60, 5)] * 2, "hours and minutes"),
        ([f"{h:02d}:{m:02d}" for h in range(24) for m in range(60)], "times of the day"),
        (["9999-12-31", *(f"2024-01-{n:02d}" for n in range(1, 29))], "9999-12-31 in 1 rows"),
        ([f"images/{n}.PNG" for n in range(30)], "paths of images"),
        (
            ["31.02.2024", *(f"{n:02d}.03.2024" for n in range(1, 29))],
            "times but for 1 of 29 values, the first '31.02.2024' in row 1",
        ),
        (range(1704067200, 1704067200 + ROWS * 3600, 3600), "could be times in unix seconds"),
    ],
)
def test_odd_values_get_a_word(values: list, note: str) -> None:
    assert note in str(infer(values).note)


NUMBERS = RANDOM.normal(size=ROWS).round(3)
SEXES = some("m", "f")


@pytest.mark.parametrize(
    ("values", "others", "reason"),
    [
        (NUMBERS, {"y": NUMBERS}, "equal to x in every row"),
        (NUMBERS, {"y": (NUMBERS * 1.8 + 32).round(6)}, "1.8 times x + 32"),
        (NUMBERS, {"y": [f"{-n:.3f}%" for n in NUMBERS]}, "-1 times x"),
        (
            SEXES,
            {"y": ["male" if sex == "m" else "female" for sex in SEXES]},
            "the 2 values of x under other names",
        ),
        (SEXES, {"y": [int(sex == "m") for sex in SEXES]}, "the 2 values of x under other names"),
        (["n/a", *NUMBERS[1:]], {"y": ["n/a", *(NUMBERS[1:] * 2)]}, "2 times x"),
    ],
)
def test_a_column_that_repeats_another_is_named_with_how(
    values: Any, others: dict, reason: str
) -> None:
    frame = pd.DataFrame({"x": as_texts(values), "y": as_texts(others["y"])})
    guesses = infer_columns(frame, "none", None, None)
    assert guesses["x"].kind != "duplicate"
    assert (guesses["y"].kind, guesses["y"].reason) == ("duplicate", reason)
    assert infer_columns(frame, "y", None, None)["x"].kind != "duplicate"
    assert infer_columns(frame, "none", None, "y")["x"].kind == "duplicate"
    left_out = frame.rename(columns={"x": "_x"})
    assert infer_columns(left_out, "none", None, None)["y"].kind != "duplicate"


def test_no_feature_goes_for_an_identifier_and_no_amount_for_a_code() -> None:
    county = RANDOM.integers(0, 20, ROWS)
    income = RANDOM.normal(size=20).round(3)[county]
    frame = pd.DataFrame(
        {"n": np.arange(ROWS), "year": np.arange(ROWS) + 1800, "again": np.arange(ROWS)}
    )
    guesses = infer_columns(frame.assign(county=county, income=income), "none", None, None)
    kinds = {name: guess.kind for name, guess in guesses.items()}
    assert kinds == {
        "n": "identifier",
        "year": "number",
        "again": "duplicate",
        "county": "number",
        "income": "number",
    }
    assert "each value goes with one value of county" in str(guesses["income"].note)


@pytest.mark.parametrize(
    "other",
    [
        RANDOM.permutation(NUMBERS),
        np.exp(NUMBERS),
        NUMBERS + RANDOM.normal(size=ROWS) / 10,
        ["", *NUMBERS[1:] * 2],
        range(ROWS),
    ],
)
def test_columns_that_say_something_else_are_no_duplicates(other: Any) -> None:
    assert infer(NUMBERS, "x", y=other).kind == "number"
    frame = pd.DataFrame({"x": as_texts(NUMBERS), "y": as_texts(other)})
    assert infer_columns(frame, "none", None, None)["y"].kind != "duplicate"


def test_a_nearly_linear_column_gets_a_word_and_stays() -> None:
    frame = pd.DataFrame({"c": NUMBERS, "f": (NUMBERS * 1.8 + 32).round(2)})
    guess = infer_columns(frame, "none", None, None)["f"]
    assert guess.kind == "number"
    assert "nearly a linear function of c" in str(guess.note)


@pytest.mark.parametrize(
    ("values", "form"),
    [(range(1704067200, 1704067200 + ROWS), "unix seconds"), (range(1900, 1900 + ROWS), "%Y")],
)
def test_a_time_that_a_person_named_needs_no_name_that_says_so(values: range, form: str) -> None:
    for column in (as_texts(values), pd.Series(values)):
        frame = pd.DataFrame({"x": column})
        assert infer_columns(frame, "none", None, None)["x"].kind != "date"
        guess = infer_columns(frame, "none", "x", None)["x"]
        assert (guess.kind, guess.form) == ("date", form)
        assert read_as(frame["x"], guess).is_monotonic_increasing


def test_a_column_is_read_as_it_was_guessed() -> None:
    frame = pd.DataFrame(
        {
            "price": as_texts(["n/a", *(f"1.{n},50 €" for n in range(100, 130))]),
            "day": as_texts([None, *(f"{n}.01.2024" for n in range(1, 31))]),
            "ok": as_texts(["Ja", "Nein", "-"] * 10 + [None]),
        }
    )
    guesses = infer_columns(frame, "none", None, None)
    read = {name: read_as(frame[name], guess) for name, guess in guesses.items()}
    assert read["price"].tolist()[1:3] == [1100.5, 1101.5]
    assert read["day"][1] == pd.Timestamp("2024-01-01")
    assert read["ok"].tolist()[:2] == [1, 0]
    assert read["price"].isna().sum() == read["day"].isna().sum() == 1
    assert read["ok"].isna().sum() == 11


def test_no_text_is_true_in_one_language_and_false_in_another() -> None:
    true, false = zip(*TRUTH_PAIRS, strict=True)
    assert set(true).isdisjoint(false)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_table_of_hardly_any_rows_is_judged(rows: int) -> None:
    frame = pd.DataFrame({"a": as_texts(range(rows)), "b": pd.Series([1.5] * rows)})
    assert set(infer_columns(frame, "a", "b", None)) == {"a", "b"}


CELLS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["", "NA", "yes", "no", "1", "0", "-1.5", "1.234", "2,5", "31.12.2024", "inf"]),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(str),
    st.datetimes().map(str),
)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=30), min_size=1, max_size=4), st.data())
def test_any_table_is_judged_and_no_number_changes(columns: list, data: st.DataObject) -> None:
    rows = max(map(len, columns))
    frame = pd.DataFrame(
        {f"c{place}": as_texts((cells * rows)[:rows]) for place, cells in enumerate(columns)}
    )
    guesses = infer_columns(frame, "c0", None, None)
    assert list(guesses) == list(frame)
    for name, guess in guesses.items():
        assert guess.reason
        assert 0 <= guess.missing <= 1
        read = read_as(frame[name], guess)
        present = (frame[name].str.strip() != "") & ~frame[name].isin(guess.missing_texts)
        if guess.kind in ("number", "date"):
            assert (read.notna() == present).all()
        if guess.kind == "number" and guess.form is None:
            expected = pd.to_numeric(frame[name][present].str.strip()).astype("float64")
            assert read[present].tolist() == expected.tolist()
            assert parse(frame[name][present], "1234.5").notna().all()
