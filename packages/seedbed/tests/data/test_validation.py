"""Bad rows and a bad suite are different messages, and the same rows give the same result."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seedbed.config.preparation import Expectation, Expectations, Severity
from seedbed.data.validation import SAMPLE, describe_failures, validate_rows, write_data_docs
from seedbed.errors import UserError

Case = tuple[str, dict[str, Any]]


@pytest.fixture
def rows() -> pd.DataFrame:
    at = pd.to_datetime(["2024-01-01T08:00:00Z"] * 3 + ["2024-02-01T08:00:00Z"]).tz_convert(
        "Europe/Oslo"
    )
    city = pd.Series(["Oslo", "Rome", None, "Bern"], dtype="str")
    return pd.DataFrame(
        {"id": [1, 2, 3, 4], "km": [1.0, -2.0, None, 4000.0], "city": city, "at": at}
    )


def suite(*cases: Case, severity: Severity = "critical") -> Expectations:
    return Expectations(
        suite=[
            Expectation(type=kind, severity=severity, arguments=arguments)
            for kind, arguments in cases
        ]
    )


def validate(rows: pd.DataFrame, *cases: Case, severity: Severity = "critical") -> dict[str, Any]:
    return validate_rows(rows, suite(*cases, severity=severity))[0]


def between(column: str, low: Any, high: Any) -> Case:
    return "ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high}


def present(column: str, **more: Any) -> Case:
    return "ExpectColumnValuesToNotBeNull", {"column": column, **more}


def test_good_rows_pass(rows: pd.DataFrame) -> None:
    rows_enough = ("ExpectTableRowCountToBeBetween", {"min_value": 4})
    result = validate(rows, present("id"), between("id", 1, 4), rows_enough)
    assert (result["passed"], result["rows"]) == (True, 4)
    assert all(entry["passed"] for entry in result["expectations"])
    assert describe_failures(result, "critical", "warning", "info") == []


@pytest.mark.parametrize(
    ("severity", "passed"), [("critical", False), ("warning", True), ("info", True)]
)
def test_only_a_critical_failure_stops(
    rows: pd.DataFrame, severity: Severity, passed: bool
) -> None:
    result = validate(rows, present("km"), between("id", 1, 4), severity=severity)
    assert result["passed"] is passed
    assert result["failed"] == {**dict.fromkeys(("critical", "warning", "info"), 0), severity: 1}
    assert describe_failures(result, severity)[0].startswith(
        f"{severity}: ExpectColumnValuesToNotBeNull(column=km)"
    )
    assert describe_failures(result, *{"critical", "warning", "info"} - {severity}) == []  # type: ignore[arg-type]


def test_failing_rows_are_counted_and_shown(rows: pd.DataFrame) -> None:
    result = validate(rows, between("km", 0, 100))
    assert result["expectations"][0]["unexpected"] == {
        "count": 2,
        "percent": pytest.approx(200 / 3, abs=0.01),  # of the values that are there
        "sample": [-2.0, 4000.0],
        "rows": [1, 3],
    }
    assert describe_failures(result, "critical") == [
        "critical: ExpectColumnValuesToBeBetween(column=km, min_value=0, max_value=100) fails in 2 rows (66.7 %), "
        "such as index 1: -2.0; index 3: 4000.0"
    ]


def test_the_sample_is_short_however_many_rows_fail() -> None:
    result = validate(pd.DataFrame({"x": range(5000)}), between("x", -2, -1))
    found = result["expectations"][0]["unexpected"]
    assert (found["count"], len(found["sample"]), len(found["rows"])) == (5000, SAMPLE, SAMPLE)


@pytest.mark.parametrize(
    ("case", "observed", "words"),
    [
        (present("km"), None, "critical: ExpectColumnValuesToNotBeNull(column=km) fails in 1 row (25 %), such as index 2"),
        (("ExpectTableRowCountToBeBetween", {"min_value": 10}), 4, "10) fails, observed is 4"),
        (("ExpectColumnMeanToBeBetween", {"column": "km", "max_value": 5}), 1333.0, "observed is 1333.0"),
        (("ExpectColumnDistinctValuesToBeInSet", {"column": "city", "value_set": ["Oslo"]}), ["Bern", "Rome"], "observed is ['Bern', 'Rome']"),
    ],
)  # fmt: skip
def test_what_was_found_instead_is_shown(
    rows: pd.DataFrame, case: Case, observed: Any, words: str
) -> None:
    result = validate(rows, case)
    assert result["expectations"][0].get("observed") == observed
    assert words in describe_failures(result, "critical")[0]


def test_several_columns_together_can_be_expected(rows: pd.DataFrame) -> None:
    case = ("ExpectCompoundColumnsToBeUnique", {"column_list": ["city", "at"]})
    assert validate(rows, case)["passed"]
    doubled = pd.concat([rows, rows.iloc[[0]]], ignore_index=True)
    assert validate(doubled, case)["expectations"][0]["unexpected"]["rows"] == [0, 4]


@pytest.mark.parametrize(
    ("case", "count"),
    [
        (between("at", "2024-01-01", "2024-01-31"), 1),
        (between("at", "2024-01-01T09:00:00", None), 0),
        (between("at", "2024-01-01T09:00:01", None), 3),
        (("ExpectColumnValuesToBeInSet", {"column": "at", "value_set": ["2024-01-01T09:00:00"]}), 1),
    ],
)  # fmt: skip
def test_times_are_compared_in_the_zone_of_the_data(
    rows: pd.DataFrame, case: Case, count: int
) -> None:
    assert validate(rows, case)["expectations"][0]["unexpected"]["count"] == count


def test_a_result_is_the_same_twice_and_is_plain_json(rows: pd.DataFrame) -> None:
    rows["x"] = [float("inf"), 1.0, None, 2.0]
    highest = "ExpectColumnMaxToBeBetween"
    cases = [
        between("x", 1, 1),
        between("at", "2025-01-01", None),
        (highest, {"column": "at"}),
        (highest, {"column": "x", "max_value": 1}),
    ]
    first, second = (json.dumps(validate(rows, *cases), allow_nan=False) for _ in range(2))
    assert first == second
    infinite = json.loads(first)["expectations"]
    assert (infinite[0]["unexpected"]["sample"], infinite[3]["observed"]) == ([None, 2.0], None)


COMPOUND, PAIR = "ExpectCompoundColumnsToBeUnique", "ExpectColumnPairValuesAToBeGreaterThanB"


@pytest.mark.parametrize(
    ("cases", "words"),
    [
        ([], "expectations.suite is empty"),
        ([("ExpectNothing", {})], r"suite\[0\]\.type: Great Expectations has no ExpectNothing"),
        ([("ExpectationSuite", {})], r"Great Expectations has no ExpectationSuite|does not take"),
        ([present("id"), present("nowhere")], r"suite\[1\].* nowhere, which data/raw does not have"),
        ([present("KM")], r"names the column KM, which data/raw does not have \(did you mean km"),
        ([present(["id"])], "does not take these arguments.*column"),  # type: ignore[arg-type]
        ([(PAIR, {"column_A": "id", "column_B": "no"})], "names the column no, which"),
        ([(COMPOUND, {"column_list": ["id", "no"]})], "names the column no, which"),
        ([(COMPOUND, {"column_list": None})], "does not take these arguments.*column_list"),
        ([("ExpectColumnValuesToNotBeNull", {})], "does not take these arguments.*column field required"),
        ([present("km", mosty=0.5)], "does not take these arguments.*mosty extra fields not permitted"),
        ([present("km", mostly=3)], "does not take these arguments.*mostly"),
        ([between("at", "soon", None)], "does not take these arguments.*soon"),
        ([between("city", 0, 1)], "could not be evaluated.*mistake in the suite, not in the data"),
        ([("ExpectColumnValuesToMatchRegex", {"column": "city", "regex": "("})], "could not be evaluated.*regular"),
        ([present("km"), present("km")], r"suite\[1\]: ExpectColumnValuesToNotBeNull stands there twice"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_suite_is_no_bad_data(
    rows: pd.DataFrame, cases: list[Case], words: str
) -> None:
    with pytest.raises(UserError, match=words) as error:
        validate(rows, *cases)
    assert "Edit the conf/expectations file." in str(error.value)
    assert "\n" not in str(error.value)


def test_the_page_for_people_shows_the_expectations(rows: pd.DataFrame, tmp_path: Path) -> None:
    _, outcome = validate_rows(rows, suite(between("km", 0, 100)))
    write_data_docs(outcome, tmp_path / "deep/index.html")
    page = (tmp_path / "deep/index.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "km" in page
