"""`seedbed score --log`: the rows that were answered are in the prediction log, each once."""

import random
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from seedbed.cli.main import app
from seedbed.errors import UserError
from serving.scoring.test_resuming import kill_at, whole

Score = Callable[..., str]


def logged(folder: str = "log") -> pd.DataFrame:
    files = sorted(Path(folder).glob("*/*.parquet"))
    rows = pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)
    return rows.sort_values(["request_id", "request_row"], ignore_index=True)


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_inputs_and_answers_are_those_of_the_output(case, score: Score, name: str) -> None:
    found = case(name)
    printed = score(found, *found.write("csv", Path()), "out.parquet", "--log", "log")
    kept, answers = logged(), pd.read_parquet("out.parquet")
    assert kept["request_row"].tolist() == list(range(len(found.rows)))
    assert set(kept["model_version"]) == set(answers["model_version"])
    for column in found.expected:
        assert kept[f"answer_{column}"].tolist() == answers[column].tolist()
    number = found.rows.select_dtypes("float").columns.intersection(kept.columns)[0]
    pd.testing.assert_series_equal(kept[number], found.rows[number])
    assert kept["request_id"].unique().tolist() == re.findall("score-[0-9A-Za-z-]+", printed)
    assert [path.name for path in Path("log").iterdir() if path.name.startswith(".")] == []


def test_rows_are_known_by_their_place_in_the_input(flights, score: Score) -> None:
    rows = flights.rows.head(50).astype({"temp": object})
    rows.loc[[3, 20], "temp"] = "cold"
    rows.to_csv("rows.csv", index=False)
    score(flights, "rows.csv", "out.csv", "--log", "log", "--batch-rows", "16")
    assert logged()["request_row"].tolist() == [n for n in range(50) if n not in (3, 20)]


def test_a_share_of_the_rows_and_some_columns_are_left_out(flights, score: Score) -> None:
    options = ["--log", "log", "--log-rate", "0.3", "--log-without", "time"]
    score(flights, *flights.write("parquet", Path()), "out.csv", *options)
    kept = logged()
    assert 0.2 < len(kept) / len(flights.rows) < 0.4
    assert "time_hour" not in kept
    assert "distance" in kept


def test_scored_again_rows_are_another_request(flights, score: Score) -> None:
    words = [*flights.write("parquet", Path()), "out.csv", "--log", "log"]
    score(flights, *words)
    score(flights, *words, "--force")
    assert logged()["request_id"].value_counts().tolist() == [len(flights.rows)] * 2


def test_outcomes_are_joined_by_the_row_of_the_input(flights, score: Score) -> None:
    bundle = ["--bundle", str(flights.bundle)]
    score(flights, *flights.write("parquet", Path()), "out.csv", "--log", "log")
    known = flights.rows["arr_delay"].notna()
    pd.DataFrame(
        {"request_id": logged()["request_id"][0], "request_row": range(len(known)),
         "arr_delay": flights.rows["arr_delay"]}
    ).to_csv("outcomes.csv", index=False)  # fmt: skip
    words = ["outcomes", "add", "outcomes.csv", "--log", "log", *bundle]
    added = CliRunner().invoke(app, words, catch_exceptions=False)
    assert added.output.startswith(f"{known.sum()} outcomes added"), added.output


def test_a_stopped_run_goes_on_only_with_the_same_log(flights, score: Score) -> None:
    rows = flights.rows.head(100).astype({"temp": object})
    rows.loc[60, "temp"] = "cold"
    rows.to_csv("rows.csv", index=False)
    words = ["rows.csv", "out.csv", "--batch-rows", "20", "--on-error", "stop"]
    with pytest.raises(UserError, match="'cold'"):
        score(flights, *words, "--log", "log")
    assert not list(Path("log").glob("20*/*")), "nothing is there before the output is"
    with pytest.raises(UserError, match="the prediction log is another"):
        score(flights, *words)
    score(flights, *words[:-2], "--log", "log", "--restart")
    assert logged()["request_row"].tolist() == [n for n in range(100) if n != 60]


def test_a_log_that_cannot_be_written_is_refused_before_the_first_row(
    flights, score: Score
) -> None:
    Path("log").write_text("in the way")
    with pytest.raises(UserError, match="log: the prediction log cannot be written there"):
        score(flights, *flights.write("parquet", Path()), "out.csv", "--log", "log")
    assert not Path("out.csv.parts").exists()


@pytest.mark.slow
def test_killed_at_random_moments_each_row_is_there_once(flights, score: Score) -> None:
    rows = pd.concat([flights.rows] * 30, ignore_index=True)
    rows.to_parquet("rows.parquet")
    words = ["rows.parquet", "out.csv", "--batch-rows", "500", "--log", "log", "--force"]
    begun = time.monotonic()
    whole(flights, *words)
    took, chance = time.monotonic() - begun, random.Random(0)
    expected = logged().drop(columns=["asked_at", "request_id"])
    shutil.rmtree("log")
    state = Path("out.csv.parts/state.json")
    at_work = sum(
        kill_at(flights, *words, begun=state.exists, moment=chance.uniform(0, took / 3))
        for _ in range(5)
    )
    assert at_work >= 3, "most were killed at work"
    whole(flights, *words)
    kept = logged()
    assert not kept.duplicated(["request_id", "request_row"]).any()
    last = kept[kept["request_id"] == kept["request_id"].max()].reset_index(drop=True)
    pd.testing.assert_frame_equal(last.drop(columns=["asked_at", "request_id"]), expected)
