"""A critical failure stops before anything is written that clean could start from; the rest is reported."""

from pathlib import Path

import pandas as pd
import pytest

from project.stages.validate import validate
from seedbed.config.preparation import Expectation, Expectations, Severity
from seedbed.data.tables import write_table
from seedbed.errors import UserError
from seedbed.files import read_json

RESULT = Path("reports/validation/result.json")
PAGE = Path("reports/validation/data_docs/index.html")


@pytest.fixture(autouse=True)
def _raw_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_table(pd.DataFrame({"km": [1.0, -2.0, 3.0]}), Path("data/raw"))


def positive(severity: Severity) -> Expectations:
    arguments = {"column": "km", "min_value": 0}
    return Expectations(
        suite=[
            Expectation(
                type="ExpectColumnValuesToBeBetween", severity=severity, arguments=arguments
            )
        ]
    )


def test_a_critical_failure_stops_and_names_the_rows() -> None:
    with pytest.raises(
        UserError, match=r"data/raw does not meet.*column=km.*index 1: -2\.0.*conf/expectations"
    ):
        validate(positive("critical"))
    assert not RESULT.exists()
    assert PAGE.exists()


@pytest.mark.parametrize("severity", ["warning", "info"])
def test_a_lesser_failure_is_printed_and_kept(
    severity: Severity, capsys: pytest.CaptureFixture[str]
) -> None:
    validate(positive(severity))
    assert capsys.readouterr().out.startswith(
        f"{severity}: ExpectColumnValuesToBeBetween(column=km"
    )
    assert read_json(RESULT)["failed"][severity] == 1
