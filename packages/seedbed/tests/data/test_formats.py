"""Texts are numbers or times only if all of them are, and are read back exactly."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.data.formats import check_form, find_format, parse
from seedbed.data.number_formats import NUMBERS
from seedbed.errors import UserError


def texts(*values: str | None) -> pd.Series:
    return pd.Series(values, dtype="str")


NUMBER_CASES = [
    (["1", "20"], "1234.5", [1, 20]),
    (["1.5", "-2"], "1234.5", [1.5, -2]),
    ([".5", "1.", "+3", "1e-05"], "1234.5", [0.5, 1, 3, 1e-5]),
    (["91.9%", "5 %"], "1234.5", [91.9, 5]),
    (["(12)", "5"], "1234.5", [-12, 5]),
    (["\u22125", "3"], "1234.5", [-5, 3]),
    (["2,746", "12.5"], "1,234.5", [2746, 12.5]),
    (["-$5", "$1,234.50", "($3.00)"], "1,234.5", [-5, 1234.5, -3]),
    (["12,34,567", "1,234"], "1,234.5", [1234567, 1234]),
    (["2 401,81", "1 000"], "1 234,5", [2401.81, 1000]),
    (["1\u202f234,5", "7", "2\xa0000"], "1 234,5", [1234.5, 7, 2000]),
    (["1.234,50 €", "3,00 €"], "1.234,5", [1234.5, 3]),
    (["1.234.567", "2"], "1.234,5", [1234567, 2]),
    (["12,5", "0,25"], "1234,5", [12.5, 0.25]),
    (["0,125", "1,250"], "1234,5", [0.125, 1.25]),
    (["CHF 1\u2019234.50", "CHF 5.00"], "1'234.5", [1234.5, 5]),
    (["3,5", "950,7", "1.050,1"], "1.234,5", [3.5, 950.7, 1050.1]),
    (["1.050", "950,7"], "1.234,5", [1050, 950.7]),
    (["12 kg", "0.5 kg", "-3kg"], "1234.5 kg", [12, 0.5, -3]),
    (["1.050,1 m²", "950 m²"], "1.234,5 m²", [1050.1, 950]),
    (["1.5", "1e400"], "1234.5", [1.5, np.inf]),
    (["-1", str(2**53)], "1234.5", [-1, 2**53]),
]


@pytest.mark.parametrize(("written", "form", "numbers"), NUMBER_CASES)
def test_numbers_are_read_as_people_write_them(written: list, form: str, numbers: list) -> None:
    found = find_format(texts(*written))
    assert found is not None
    assert (found.kind, found.form, found.undecided) == ("number", form, False)
    assert parse(texts(*written), form).tolist() == numbers


@pytest.mark.parametrize(
    "written",
    [
        ["007", "012"],
        ["12", "013"],
        ["+41791234567", "+41791234568"],
        ["1000000000000000001", "2"],
        ["12345678901234567890123"],
        ["2E5", "123"],
        ["EUR1", "EUR2"],
        ["5 €", "5 $"],
        ["12 kg", "3 g"],
        ["12 kg", "3"],
        ["007 kg", "1 kg"],
        ["1,2,3", "4"],
        ["12", "a"],
        ["1_000"],
        ["0x10"],
        ["", " "],
        ["nan"],
        ["True"],
        ["1.2.3", "4.5.6"],
        ["17:00", "18:30"],
        ["now"],
        ["2024-13-01"],
        ["31.02.2024"],
        ["2023-W54"],
        [],
    ],
)
def test_codes_and_texts_are_neither_numbers_nor_times(written: list) -> None:
    assert find_format(texts(*written)) is None


@pytest.mark.parametrize(
    ("written", "form", "first", "other"),
    [
        (["1.234", "2.500"], "1234.5", 1.234, "1,234 (1.234,5)"),
        (["2,746", "1,001"], "1,234.5", 2746, "2.746 (1234,5)"),
    ],
)
def test_english_writing_is_taken_where_no_number_decides(
    written: list, form: str, first: float, other: str
) -> None:
    found = find_format(texts(*written))
    assert found is not None
    assert found.undecided
    assert found.form == form
    assert other in str(found.note)
    assert parse(texts(*written), form)[0] == first


def test_other_columns_decide_where_the_numbers_do_not() -> None:
    found = find_format(texts("1.234", "2.500"), like=["1.234,5"])
    assert found is not None
    assert (found.form, found.undecided, found.plain) == ("1.234,5", False, False)
    assert find_format(texts("1.234"), like=["1.234,5", "1,234.5"]).undecided  # type: ignore[union-attr]


def test_a_number_of_another_unit_does_not_fit() -> None:
    assert parse(texts("3 g", "3", "3 kg"), "1234.5 kg").isna().tolist() == [True, True, False]


def test_values_without_a_unit_beside_some_with_one_are_told() -> None:
    assert "1 of 3 values have no %, such as '0'" in str(find_format(texts("0", "5%", "7%")).note)  # type: ignore[union-attr]


TIME_CASES = [
    (["31.12.2024 17:00", "1.1.2024 08:00"], "%d.%m.%Y %H:%M", "2024-12-31 17:00"),
    (["31.12.2024, 17:00:05"], "%d.%m.%Y, %H:%M:%S", "2024-12-31 17:00:05"),
    (["12/31/2024", "01/02/2024"], "%m/%d/%Y", "2024-12-31"),
    (["13/01/2024", "01/02/2024"], "%d/%m/%Y", "2024-01-13"),
    (["3/20/24 6:00 AM", "1/2/24 5:03 PM"], "%m/%d/%y %I:%M %p", "2024-03-20 06:00"),
    (["2024-W05", "2024-W06"], "ISO week", "2024-01-29"),
    (["2024-W05-3"], "ISO week", "2024-01-31"),
    (["20241231", "20240229"], "%Y%m%d", "2024-12-31"),
    (["1704067200", "1704067260"], "unix seconds", "2024-01-01"),
    (["1704067200.5"], "unix seconds", "2024-01-01 00:00:00.5"),
    (["1704067200123"], "unix milliseconds", "2024-01-01 00:00:00.123"),
    (["1600-01-01", "9999-12-31"], "ISO8601", "1600-01-01"),
    (["2024-12-31T17:00:00Z"], "ISO8601", "2024-12-31 17:00+00:00"),
    (["2024-12-31 17:00:00", "2024-12-31"], "ISO8601", "2024-12-31 17:00"),
    (["2024-01", "2024-02"], "ISO8601", "2024-01-01"),
    (["31.12.1600", "31.12.9999"], "%d.%m.%Y", "1600-12-31"),
    (["Mar 5, 2024", "Apr 16, 2023"], "%b %d, %Y", "2024-03-05"),
    (["31-Dec-24"], "%d-%b-%y", "2024-12-31"),
    (["Fri, 31 May 2013 17:00:00 +0200"], "%a, %d %b %Y %H:%M:%S %z", "2013-05-31 15:00+00:00"),
]


@pytest.mark.parametrize(("written", "form", "first"), TIME_CASES)
def test_times_are_read_as_people_write_them(written: list, form: str, first: str) -> None:
    found = find_format(texts(*written))
    assert found is not None
    assert (found.kind, found.form, found.undecided) == ("time", form, False)
    read = parse(texts(*written), form)
    assert read[0] == pd.Timestamp(first)
    assert read.dtype in ("datetime64[us]", "datetime64[us, UTC]")


@pytest.mark.parametrize(
    ("written", "like", "form", "undecided"),
    [
        (["01/02/2024", "03/04/2024"], [], "%m/%d/%Y", True),
        (["01.02.2024", "03.04.2024"], [], "%d.%m.%Y", True),
        (["01-02-2024", "03-04-2024"], [], "%d-%m-%Y", True),
        (["01/02/2024", "03/04/2024"], ["%d/%m/%Y %H:%M"], "%d/%m/%Y", False),
        (["01/02/2024", "03/04/2024"], ["%Y/%m/%d", "1,234.5"], "%m/%d/%Y", True),
        (["05/01/2024", "06/01/2024", "01/02/2024", "03/02/2024"], [], "%d/%m/%Y", False),
        (["05/05/2024", "06/06/2024"], [], "%d/%m/%Y", False),
    ],
)
def test_day_or_month_first_is_decided_by_all_values_or_said(
    written: list, like: list, form: str, undecided: bool
) -> None:
    found = find_format(texts(*written), like)
    assert found is not None
    assert (found.form, found.undecided) == (form, undecided)
    assert undecided == ("no value decides between day and month" in str(found.note))


def test_one_value_late_in_a_long_column_decides() -> None:
    days = [
        f"{day:02d}/{month:02d}/{year}"
        for year in range(1900, 2000)
        for month in range(1, 13)
        for day in range(1, 13)
    ]
    assert find_format(texts(*days[:-1], "13/01/2024")).form == "%d/%m/%Y"  # type: ignore[union-attr]
    assert find_format(texts(*days, "13/13/2024")) is None
    assert find_format(texts(*map(str, range(5_000)), "x")) is None


@pytest.mark.parametrize(("form", "kind"), [("1234.5", "f"), ("ISO8601", "M"), ("%d.%m.%Y", "M")])
def test_what_does_not_fit_is_missing_and_rows_keep_their_labels(form: str, kind: str) -> None:
    read = parse(pd.Series(["x", None, ""], index=[7, 5, 3], name="a", dtype="str"), form)
    assert read.isna().all()
    assert read.index.tolist() == [7, 5, 3]
    assert (read.name, read.dtype.kind) == ("a", kind)
    assert parse(texts(), form).empty


@pytest.mark.parametrize("form", ["1234", "iso", "", "dd.mm.yyyy"])
def test_an_unknown_format_is_refused_with_those_that_exist(form: str) -> None:
    with pytest.raises(UserError, match=r"is no format.*'1\.234,5'.*'ISO8601'.*%d\.%m\.%Y"):
        check_form(form)


def written_as(number: float | int, form: str) -> str:
    thousands = "" if form[1].isdigit() else form[1]
    plain = f"{number:,}"
    return plain.replace(",", "\0").replace(".", form[-2]).replace("\0", thousands)


@given(
    st.lists(
        st.floats(-1e9, 1e9).map(lambda x: round(x, 4)) | st.integers(-(10**9), 10**9), min_size=1
    ),
    st.sampled_from(NUMBERS),
)
def test_a_number_in_a_format_is_read_back_as_pandas_has_it(numbers: list, form: str) -> None:
    read = parse(texts(*(written_as(number, form) for number in numbers)), form)
    expected = pd.to_numeric(pd.Series([repr(number) for number in numbers]))
    assert read.astype("float64").tolist() == expected.astype("float64").tolist()
    assert (read.dtype == "Int64") == all(isinstance(number, int) for number in numbers)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_float_keeps_its_last_bit(numbers: list[float]) -> None:
    assert parse(texts(*map(repr, numbers)), "1234.5").astype("float64").tolist() == numbers


@given(
    st.lists(st.datetimes(datetime(1600, 1, 1), datetime(9999, 12, 31)), min_size=1),
    st.sampled_from(["%d.%m.%Y %H:%M:%S.%f", "%m/%d/%Y %H:%M:%S.%f", "ISO8601"]),
)
def test_a_time_in_a_format_is_read_back_exactly(times: list[datetime], form: str) -> None:
    written = [t.isoformat() if form == "ISO8601" else t.strftime(form) for t in times]
    assert parse(texts(*written), form).tolist() == [pd.Timestamp(time) for time in times]
    assert find_format(texts(*written)) is not None


@given(st.lists(st.text() | st.from_regex(r"[-+(]?[0-9., ]{1,8}[)%€E]?", fullmatch=True)))
def test_any_text_is_judged_and_what_is_found_reads_all_of_them(written: list[str]) -> None:
    written = [text for text in written if text.strip()]
    if found := find_format(texts(*written)):
        assert parse(texts(*written), found.form).notna().all()
