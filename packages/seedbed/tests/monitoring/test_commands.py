"""`seedbed monitor` and `seedbed outcomes add`, as a person or cron calls them."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from seedbed.cli.main import app
from seedbed.config.schema import Role
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.log_files import LoggedModel, write_file

Built = Callable[[str], Path]


@pytest.fixture
def rows(built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The raw flights; the working directory is an empty folder."""
    raw = read_table(built("flights") / "data/raw")  # made in another working directory
    monkeypatch.chdir(tmp_path)
    return raw


@pytest.fixture
def bundle(built: Built) -> str:
    return str(built("flights") / "models/bundle")


def write_log(
    bundle: Bundle, rows: pd.DataFrame, request: str = "monday", without: tuple[Role, ...] = ()
) -> None:
    """Write a prediction log with one request."""
    now, requests, inputs = datetime.now(UTC), [request] * len(rows), bundle.signature.check(rows)
    table = LoggedModel.of(bundle, without).table(
        requests, range(len(rows)), [now] * len(rows), inputs, bundle.predict(rows)
    )
    Path("log").mkdir(exist_ok=True)
    write_file(Path("log"), now.date(), f"{request}.parquet", table)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_exit_codes_tell_what_was_found(rows: pd.DataFrame, bundle: str) -> None:
    half = rows.drop(columns="arr_delay").sample(frac=0.5, random_state=1)
    other = rows.drop(columns="arr_delay").drop(half.index)
    half.to_csv("before.csv", index=False)
    other.to_parquet("calm.parquet", index=False)
    other.assign(distance=other["distance"] * 2).to_csv("drift.csv", index=False)
    other.head(30).to_csv("few.csv", index=False)
    for file, code, count in (
        ("calm.parquet", 0, len(other)), ("drift.csv", 3, len(other)), ("few.csv", 5, 30)
    ):  # fmt: skip
        done = call(
            "monitor", "--current", file, "--reference", "before.csv", "--bundle", bundle,
            "--out", "page.html",
        )  # fmt: skip
        assert done.exit_code == code, (file, done.output)
        assert Path("page.html").read_text("utf-8").startswith("<!doctype html>")
        assert json.loads(Path("page.json").read_text("utf-8"))["rows"] == count
    assert "distance: PSI" in call("monitor", "--current", "drift.csv", "--bundle", bundle).output


def test_a_log_is_watched_with_the_outcomes_that_came(rows: pd.DataFrame, bundle: str) -> None:
    model = load_bundle(bundle)
    known = rows[rows["arr_delay"].notna()].reset_index(drop=True)
    write_log(model, known)
    pd.DataFrame(
        {"request_id": "monday", "request_row": range(len(known)), "arr_delay": known["arr_delay"]}
    ).to_csv("outcomes.csv", index=False)
    without = call("monitor", "--current", "log", "--bundle", bundle, "--all-year")
    assert without.exit_code in (0, 3), without.output
    added = call("outcomes", "add", "outcomes.csv", "--log", "log", "--bundle", bundle)
    assert added.output.startswith(f"{len(known):,} outcomes added"), added.output
    again = call("outcomes", "add", "outcomes.csv", "--log", "log", "--bundle", bundle)
    assert again.output.startswith(f"0 outcomes added, {len(known):,} were there already")
    measured = call("monitor", "--current", "log", "--bundle", bundle, "--all-year")
    assert f"on {len(known):,} rows, and was" in measured.output
    found = json.loads(Path("reports/monitor.json").read_text("utf-8"))
    assert found["performance"][0]["rows"] == len(known)


def test_columns_that_a_log_leaves_out_are_not_compared(rows: pd.DataFrame, bundle: str) -> None:
    """Neither are those that it has kept in a part of its files only."""
    model = load_bundle(bundle)
    write_log(model, rows.head(200))
    write_log(model, rows.tail(300), "tuesday", without=("feature", "time"))
    done = call("monitor", "--current", "log", "--bundle", bundle)
    assert done.exit_code in (0, 3), done.exception
    assert re.search("does not keep sched_dep_time, .* more of all rows: not compared", done.output)
    found = json.loads(Path("reports/monitor.json").read_text("utf-8"))
    assert found["rows"] == 500
    assert {drift["column"] for drift in found["columns"]} <= {"carrier"}
    assert found["scores"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("request_id,arr_delay\nmonday\nmonday,3\n", "late.csv: row 1 cannot be read"),
        ("request_id,arr_delay\nmonday,3\nmonday,late\n", "row 2, column arr_delay: 'late': must be a number"),
        ("request_id,delay\nmonday,3\n", "no column arr_delay .did you mean delay.*It is the target"),
        ("request,arr_delay\nmonday,3\n", "no column request_id .did you mean request.*--on"),
    ],
)  # fmt: skip
def test_files_of_outcomes_that_cannot_be_read_are_refused(
    rows: pd.DataFrame, bundle: str, text: str, message: str
) -> None:
    write_log(load_bundle(bundle), rows.head(20))
    Path("late.csv").write_text(text, encoding="utf-8")
    refused = call("outcomes", "add", "late.csv", "--log", "log", "--bundle", bundle)
    assert refused.exception is not None
    with pytest.raises(UserError, match=message):
        raise refused.exception
    assert not Path("log/outcomes.parquet").exists()


def test_outcomes_are_read_as_options_say(rows: pd.DataFrame, bundle: str) -> None:
    """An id that looks like a number stays as it was sent."""
    write_log(load_bundle(bundle), rows.head(20), "57e123")
    text = "request_id;request_row;arr_delay\n57e123;0;-3,5\n57e123;1;NA\n570e122;2;1,0\n"
    Path("late.csv").write_text(text, encoding="utf-8")
    options = ("--option", "separator=;", "--option", "decimal=,")
    added = call("outcomes", "add", "late.csv", "--log", "log", "--bundle", bundle, *options)
    assert added.output.startswith("1 outcomes added"), (added.output, added.exception)
    assert "1 have a key that is not in the log" in added.output
    assert pd.read_parquet("log/outcomes.parquet")["_outcome"].tolist() == [-3.5]


def test_a_log_of_another_bundle_alone_is_named(rows: pd.DataFrame, bundle: str) -> None:
    model, few = load_bundle(bundle), rows.head(20)
    write_log(replace(model, version="0" * 12), few)
    done = call("monitor", "--current", "log", "--bundle", bundle)
    assert "no rows to look at" in str(done.exception)
    assert "20 rows were answered by the bundle 000000000000" in str(done.exception)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda rows: rows.drop(columns=["distance", "temp"]), "there is no column distance, temp"),
        (lambda rows: rows.assign(distance="far"), "now.csv: row 1, column distance: 'far': must be a number"),
        (lambda rows: rows.head(0), "no rows"),
    ],
    ids=["columns are missing", "a value is of another type", "no rows"],
)  # fmt: skip
def test_rows_that_do_not_fit_are_refused(
    rows: pd.DataFrame, bundle: str, edit: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    edit(rows.head(200)).to_csv("now.csv", index=False)
    done = call("monitor", "--current", "now.csv", "--bundle", bundle)
    assert isinstance(done.exception, UserError), done.exception
    with pytest.raises(UserError, match=message):
        raise done.exception
    assert not Path("reports/monitor.html").exists()


def test_the_page_does_not_take_the_place_of_the_figures(rows: pd.DataFrame, bundle: str) -> None:
    rows.head(200).to_csv("now.csv", index=False)
    done = call("monitor", "--current", "now.csv", "--bundle", bundle, "--out", "found.json")
    assert "--out found.json: the figures go there" in str(done.exception)


def test_days_are_those_of_a_log(rows: pd.DataFrame, bundle: str) -> None:
    rows.head(200).to_csv("now.csv", index=False)
    done = call("monitor", "--current", "now.csv", "--bundle", bundle, "--since", "2026-01-01")
    assert "days can be chosen of a prediction log" in str(done.exception)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("psi: 99\nunseen: 1.0\nmissing: 1.0\ndomain_auc: 1.0\n", ""),
        ("psy: 1\n", "conf/monitor/mine.yaml: psy: extra inputs"),
        ("psi: -1\n", "conf/monitor/mine.yaml: psi: input should be greater than 0"),
        (None, "there is no conf/monitor/mine.yaml. Choose one of other"),
    ],
    ids=["all is tolerated", "an unknown key", "a wrong value", "no such file"],
)
def test_limits_are_those_of_a_file(
    rows: pd.DataFrame, bundle: str, text: str | None, message: str
) -> None:
    if not message:  # a mistake is found before anything is read
        rows.drop(columns="arr_delay").assign(distance=1.0).to_csv("now.csv", index=False)
    Path("conf/monitor").mkdir(parents=True)
    Path("conf/monitor/other.yaml").touch()
    if text is not None:
        Path("conf/monitor/mine.yaml").write_text(text, encoding="utf-8")
    done = call("monitor", "--current", "now.csv", "--bundle", bundle, "--limits", "mine")
    if message:
        assert message in str(done.exception)
    else:
        assert done.exit_code == 0, done.output
