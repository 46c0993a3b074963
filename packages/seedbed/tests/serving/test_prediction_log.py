"""The prediction log: what was asked and answered, by day, in whole files, and never in the way."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.log_files import LogSettings
from seedbed.serving.prediction_log import PredictionLog

Built = Callable[[str], Path]


@pytest.fixture
def bundle(built: Built) -> Bundle:
    return load_bundle(built("flights") / "models/bundle")


def logged(folder: Path) -> pd.DataFrame:
    files = sorted(folder.glob("*/*.parquet"))
    return pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_requests_and_answers_are_kept(built: Built, name: str, tmp_path: Path) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    rows = list(bundle.samples.rows[:3])
    frame = read_table(built(name) / "data/raw").head(4)
    log = PredictionLog(LogSettings(tmp_path / "log"))
    log.add(bundle, "one", rows, bundle.answer(rows).rows)
    log.add(bundle, "many", frame, bundle.predict(frame))
    log.close()
    assert log.dropped == 0, log.problem
    found = logged(tmp_path / "log")
    assert found["request_id"].value_counts().to_dict() == {"many": 4, "one": 3}
    assert found.loc[found["request_id"] == "one", "request_row"].tolist() == [0, 1, 2]
    assert set(found["model_version"]) == {bundle.version}
    for request, sent in (("one", pd.DataFrame(rows)), ("many", frame)):
        kept = found[found["request_id"] == request].reset_index(drop=True)
        expected = bundle.predict(sent)
        again = bundle.predict(kept[[column.name for column in bundle.signature.columns]])
        pd.testing.assert_frame_equal(again, expected.reset_index(drop=True), check_exact=True)
        for column in expected:
            assert kept[f"answer_{column}"].tolist() == expected[column].tolist()


def test_columns_of_a_role_are_left_out(bundle: Bundle, tmp_path: Path) -> None:
    rows = list(bundle.samples.rows[:1])
    log = PredictionLog(LogSettings(tmp_path, without=("time",)))
    log.add(bundle, "x", rows, bundle.answer(rows).rows)
    log.close()
    assert "time_hour" not in logged(tmp_path)
    assert "distance" in logged(tmp_path)


def test_a_share_of_the_requests_is_kept(bundle: Bundle, tmp_path: Path) -> None:
    rows = list(bundle.samples.rows[:1])
    answers = bundle.answer(rows).rows
    log = PredictionLog(LogSettings(tmp_path, rate=0.2))
    for number in range(1_000):
        log.add(bundle, str(number), rows, answers)
    log.close()
    assert 100 < len(logged(tmp_path)) < 320


def test_files_lie_by_day_and_old_days_go(bundle: Bundle, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    old, kept, other = (
        tmp_path / name
        for name in (
            (today - timedelta(2)).isoformat(),
            (today - timedelta(1)).isoformat(),
            "outcomes",
        )
    )
    for folder in (old, kept, other):
        folder.mkdir()
    rows = list(bundle.samples.rows[:1])
    log = PredictionLog(LogSettings(tmp_path, days=2))
    log.add(bundle, "x", rows, bundle.answer(rows).rows)
    log.close()
    assert not old.exists()
    assert kept.exists()
    assert other.exists()
    assert list(tmp_path.glob("20*/*.parquet"))
    assert not list(tmp_path.rglob("*.tmp"))


def test_answering_goes_on_where_nothing_can_be_written(bundle: Bundle, tmp_path: Path) -> None:
    rows = list(bundle.samples.rows[:1])
    log = PredictionLog(LogSettings(tmp_path / "log", seconds=0.1))
    (tmp_path / "log").rmdir()
    (tmp_path / "log").write_text("in the way")
    log.add(bundle, "x", rows, bundle.answer(rows).rows)
    log.close()
    assert log.dropped == 1
    assert log.problem


def test_a_full_queue_drops_requests_and_does_not_wait(built: Built, tmp_path: Path) -> None:
    bundle = load_bundle(built("flights") / "models/bundle")
    rows = read_table(built("flights") / "data/raw")
    answers = bundle.predict(rows)
    log = PredictionLog(LogSettings(tmp_path, waiting=1))
    for number in range(50):  # faster than any disk
        log.add(bundle, str(number), rows, answers)
    log.close()
    assert log.dropped > 0
    kept = logged(tmp_path)["request_id"].value_counts()
    assert len(kept) == 50 - log.dropped
    assert set(kept) == {len(rows)}, "whole requests"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.0}, "rate of the prediction log is 0"),
        ({"rate": 1.5}, "rate of the prediction log is 1.5"),
        ({"days": 0}, "kept for 0 days"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        LogSettings(tmp_path, **settings)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused_at_start(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        PredictionLog(LogSettings(tmp_path / "log"))


def test_a_file_in_place_of_the_folder_is_refused_at_start(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        PredictionLog(LogSettings(tmp_path / "log"))
