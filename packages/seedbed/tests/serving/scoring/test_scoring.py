"""Every input gives every output the answers that evaluate gave, to the last bit, in order."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from seedbed.errors import UserError
from seedbed.serving import load_bundle
from seedbed.serving.scoring.batches import Batch
from seedbed.serving.scoring.reading import Wording
from seedbed.serving.scoring.workers import score_all, scoring

from support import PAIRS

Score = Callable[..., str]
SCORES = {"flights": ["score"], "wine": ["score_0", "score_1", "score_2"], "diabetes": []}
KEYS = {
    "flights": ["carrier", "flight", "time_hour"],
    "wine": ["row_number"],
    "diabetes": ["row_number"],
}
WAYS = [
    *(("flights", kind, "csv") for kind in ("csv", "parquet", "jsonl", "folder", "glob", "table", "query")),
    ("flights", "csv", "parquet"), ("flights", "table", "parquet"), ("wine", "csv", "csv"),
    ("wine", "parquet", "parquet"), ("wine", "table", "csv"), ("diabetes", "jsonl", "csv"),
    ("diabetes", "glob", "parquet"), ("diabetes", "query", "csv"),
]  # fmt: skip
"""Each dataset and each kind of input with an output, and each output with files and a table."""


def read(path: Path) -> pd.DataFrame:
    versions = {"model_version": "str"}  # some hashes look like a number
    return pd.read_csv(path, dtype=versions) if path.suffix == ".csv" else pd.read_parquet(path)


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare answers to the last bit; a class may be read as a number from CSV."""
    found = found[list(expected)].astype(expected.dtypes.to_dict())
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize(("name", "kind", "output"), WAYS)
def test_rows_are_answered_as_evaluate_predicted_them(
    case, score: Score, tmp_path: Path, name: str, kind: str, output: str
) -> None:
    found = case(name)
    place = tmp_path / f"answers.{output}"
    printed = score(found, *found.write(kind, tmp_path), place, "--batch-rows", 100)
    answers = read(place)
    assert list(answers) == [*KEYS[name], "prediction", *SCORES[name], "model_version"]
    assert len(answers) == len(found.rows) > 0
    assert_same(answers, found.expected)
    for key in ("carrier", "flight"):
        if key in answers:
            assert answers[key].astype("str").tolist() == found.rows[key].astype("str").tolist()
    if "row_number" in answers:
        assert answers["row_number"].tolist() == list(range(1, len(answers) + 1))
    assert answers["model_version"].nunique() == 1
    assert answers["model_version"].iloc[0] in printed
    assert f"{len(answers):,} rows answered" in printed
    assert {path.name for path in tmp_path.iterdir()} - {place.name} == {
        path.name for path in tmp_path.iterdir() if path.name.startswith("rows")
    }, "no part is left over"


@pytest.mark.slow
@pytest.mark.parametrize(("task", "model"), PAIRS)
def test_every_model_answers_as_it_was_evaluated(
    case, score: Score, tmp_path: Path, task: str, model: str
) -> None:
    found = case(task, model)
    for kind in ("csv", "parquet"):
        place = tmp_path / f"from_{kind}.parquet"
        score(found, *found.write(kind, tmp_path), place, "--batch-rows", 77)
        assert_same(read(place), found.expected)


def test_several_processes_keep_the_order(flights, score: Score, tmp_path: Path) -> None:
    source = flights.write("parquet", tmp_path)
    for processes in (1, 3):
        score(flights, *source, f"{processes}.csv", "--batch-rows", 50, "--processes", processes)
    assert Path("1.csv").read_bytes() == Path("3.csv").read_bytes()
    assert_same(read(Path("3.csv")), flights.expected)


@pytest.mark.slow
def test_a_bundle_that_is_replaced_while_processes_start_is_named(flights) -> None:
    other = replace(load_bundle(flights.bundle), version="0" * 12)
    batch = Batch(pa.Table.from_pandas(flights.rows[:2]), np.arange(2), 2, [])
    with (
        pytest.raises(UserError, match="bundle: the bundle was replaced meanwhile"),
        scoring(other, flights.bundle, Wording(), 2) as submit,
    ):
        list(score_all([batch], submit, 2))


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "table"])
@pytest.mark.parametrize(
    ("keep", "columns"),
    [("keys", ["carrier", "flight", "time_hour"]), ("tailnum,carrier", ["tailnum", "carrier"])],
)
def test_columns_are_kept_by_choice(
    flights, score: Score, tmp_path: Path, kind: str, keep: str, columns: list[str]
) -> None:
    score(flights, *flights.write(kind, tmp_path), "out.parquet", "--keep", keep)
    found = read(Path("out.parquet"))
    assert list(found) == [*columns, "prediction", "score", "model_version"]
    for name in {*columns} - {"time_hour"}:
        expected = flights.rows[name].astype("str").tolist()
        assert found[name].astype("str").tolist() == expected


def test_all_columns_of_a_csv_file_are_kept_as_they_are_written(
    flights, score: Score, tmp_path: Path
) -> None:
    rows = flights.rows.head(3).astype("str").fillna("")
    rows.insert(0, "note", ['say "yes", then no', "007", " x\ny"])
    rows.to_csv("rows.csv", index=False)
    score(flights, "rows.csv", "out.csv", "--keep", "all")
    found = pd.read_csv("out.csv", dtype="str", keep_default_na=False)
    pd.testing.assert_frame_equal(found[list(rows)], rows.reset_index(drop=True), check_dtype=False)
    assert_same(read(Path("out.csv")), flights.expected.head(3))


def test_values_beyond_training_are_counted_over_all_batches(
    flights, score: Score, tmp_path: Path
) -> None:
    rows = flights.rows.head(90).copy()
    rows.loc[[3, 40, 80], "carrier"] = ["ZZ", "YY", "ZZ"]
    rows.loc[[5, 77], "distance"] = [123456, 99999]
    rows.to_csv("rows.csv", index=False)
    printed = score(flights, "rows.csv", "out.csv", "--batch-rows", 30)
    assert "carrier has values that never were in training, in 3 rows: 'YY', 'ZZ'." in printed
    assert "in 2 rows: 99999 to 123456." in printed
    assert "90 rows answered" in printed


def test_the_champion_answers_where_there_is_one(
    flights, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shutil import copytree

    from typer.testing import CliRunner

    from seedbed.cli.main import app

    monkeypatch.chdir(tmp_path)
    source = flights.write("parquet", tmp_path)
    run = CliRunner().invoke
    with pytest.raises(UserError, match="models/bundle: there is no such bundle"):
        run(app, ["score", *source, "out.csv"], catch_exceptions=False)
    copytree(flights.bundle, "models/champion")
    run(app, ["score", *source, "out.csv"], catch_exceptions=False)
    assert_same(read(Path("out.csv")), flights.expected)


def test_a_file_is_read_by_the_options_given(flights, score: Score, tmp_path: Path) -> None:
    rows = flights.rows.copy()
    for name in rows.select_dtypes("float64"):
        rows[name] = rows[name].astype("str").str.replace(".", ",").fillna("unbekannt")
    rows.to_csv("rows.csv", index=False, sep=";", encoding="utf-16")
    options = ["separator=;", "encoding=utf-16", "decimal=,", "missing=[unbekannt]"]
    words = [word for option in options for word in ("--option", option)]
    score(flights, "rows.csv", "out.csv", *words)
    assert_same(read(Path("out.csv")), flights.expected)
