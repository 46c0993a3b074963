"""The process that writes the prediction log: rows as they were asked, by day, in whole files."""

import json
import pickle
import re
import signal
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest

from http_server import ARROW, CSV, PARQUET, WRITE
from seedbed.data.tables import read_table
from seedbed.serving import Bundle, load_bundle
from seedbed.serving.http.log_writer import MOST_ROWS, Asked, Report, keep
from seedbed.serving.http.prediction_log import WRITER
from seedbed.serving.http.tables import write_table
from seedbed.serving.log_files import LoggedModel, LogSettings

from support import wait_for

Built = Callable[[str], Path]
JSON = "application/json"
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def asked(
    bundle: Bundle,
    request: str,
    rows: Any,
    kind: str = JSON,
    answer_kind: str = JSON,
    at: datetime = NOON,
) -> Asked:
    """A request and its answer, as the server has them."""
    answers = bundle.predict(rows)
    body = orjson.dumps({"rows": rows}) if kind == JSON else WRITE[kind](rows)
    if answer_kind == JSON:
        answer = orjson.dumps({"answers": answers.to_dict(orient="records")})
    else:
        frame = pd.DataFrame(rows).set_axis(answers.index)
        answer = write_table(pd.concat([frame, answers], axis=1), answer_kind)
    version, time = bundle.version, at.timestamp()
    return Asked(request, version, time, len(answers), kind, body, answer_kind, answer)


def keep_all(settings: LogSettings, bundle: Bundle, requests: Iterable[Asked]) -> list[Report]:
    """Write requests that come in one by one."""
    return list(keep([LoggedModel.of(bundle, settings.without), *requests], settings))


def logged(folder: Path) -> pd.DataFrame:
    files = sorted(folder.glob("*/*.parquet"))
    return pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)


@pytest.mark.parametrize("name", ["flights", "wine", "diabetes"])
def test_requests_and_answers_are_kept(built: Built, name: str, tmp_path: Path) -> None:
    bundle = load_bundle(built(name) / "models/bundle")
    rows, frame = list(bundle.samples.rows[:3]), read_table(built(name) / "data/raw").head(4)
    sent = {JSON: rows, CSV: frame, PARQUET: frame, ARROW: frame}
    requests = [
        asked(bundle, f"{kind} {answer_kind}", found, kind, answer_kind)
        for kind, found in sent.items()
        for answer_kind in (JSON, kind if kind != JSON else CSV)
    ]
    assert keep_all(LogSettings(tmp_path), bundle, requests) == [Report(8, None)]
    found = logged(tmp_path)
    assert set(found["model_version"]) == {bundle.version}
    assert set(found["asked_at"]) == {pd.Timestamp(NOON)}
    for request in requests:
        kept = found[found["request_id"] == request.request].reset_index(drop=True)
        assert kept["request_row"].tolist() == list(range(request.rows))
        expected = bundle.predict(sent[request.kind]).reset_index(drop=True)
        again = bundle.predict(kept[[column.name for column in bundle.signature.columns]])
        pd.testing.assert_frame_equal(again, expected, check_exact=True)
        for column in expected:
            assert kept[f"answer_{column}"].tolist() == expected[column].tolist()


def test_values_that_arrow_does_not_take_are_kept(bundle: Bundle, tmp_path: Path) -> None:
    rows = [dict(row) for row in bundle.samples.rows[:2]]
    rows[1] |= {"distance": 2**60 + 1, "beyond": [1, {}]}
    assert keep_all(LogSettings(tmp_path), bundle, [asked(bundle, "x", rows)]) == [Report(1, None)]
    found = logged(tmp_path)
    assert found["distance"].tolist() == [rows[0]["distance"], 2.0**60]
    assert found["answer_score"].tolist() == bundle.predict(rows)["score"].tolist()
    assert "beyond" not in found


def test_columns_of_a_role_are_left_out(bundle: Bundle, tmp_path: Path) -> None:
    settings = LogSettings(tmp_path, without=("time",))
    keep_all(settings, bundle, [asked(bundle, "x", list(bundle.samples.rows[:1]))])
    assert "time_hour" not in logged(tmp_path)
    assert "distance" in logged(tmp_path)


def test_files_lie_by_day_and_old_days_go(bundle: Bundle, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    old, yesterday, today = (tmp_path / str(now.date() - timedelta(days)) for days in (2, 1, 0))
    for folder in (old, tmp_path / "outcomes"):
        folder.mkdir()
    rows = list(bundle.samples.rows[:1])
    requests = [asked(bundle, str(days), rows, at=now - timedelta(days)) for days in (0, 1)]
    assert keep_all(LogSettings(tmp_path, days=2), bundle, requests) == [Report(1, None)] * 2
    assert sorted(tmp_path.iterdir()) == [yesterday, today, tmp_path / "outcomes"]
    assert logged(tmp_path)["request_id"].tolist() == ["1", "0"]
    assert not list(tmp_path.rglob(".*"))


def test_two_bundles_have_files_of_their_own(bundle: Bundle, tmp_path: Path) -> None:
    other = replace(bundle, version="other")
    rows = list(bundle.samples.rows[:1])
    models = [LoggedModel.of(found) for found in (bundle, other)]
    requests = [asked(found, found.version, rows) for found in (bundle, other)]
    reports = list(keep([*models, *requests], LogSettings(tmp_path)))
    assert reports == [Report(1, None)] * 2
    assert (logged(tmp_path)["model_version"] == logged(tmp_path)["request_id"]).all()


@pytest.mark.parametrize(
    ("seconds", "files"), [(0.0, [1, 1, 1]), (3600.0, [2, 1])], ids=["seconds", "rows"]
)
def test_a_file_is_written_after_some_time_or_rows(
    bundle: Bundle, tmp_path: Path, seconds: float, files: list[int]
) -> None:
    rows = list(bundle.samples.rows[:1]) * (MOST_ROWS // 2)
    requests = [asked(bundle, "x", rows)] * 3
    reports = keep_all(LogSettings(tmp_path, seconds=seconds), bundle, requests)
    assert [report.requests for report in reports] == files


def test_a_failure_is_reported_and_the_next_file_is_written(bundle: Bundle, tmp_path: Path) -> None:
    rows, day = list(bundle.samples.rows[:1]), tmp_path / str(date(2026, 11, 29))
    model, requests = LoggedModel.of(bundle), [asked(bundle, name, rows) for name in "ab"]

    def coming() -> Iterable[Any]:
        day.write_text("in the way")
        yield model
        yield requests[0]
        day.unlink()
        yield requests[1]

    failed, written = keep(coming(), LogSettings(tmp_path, seconds=0))
    assert failed.problem
    assert written == Report(1, None)
    assert logged(tmp_path)["request_id"].tolist() == ["b"]


def ignores(process: int, asked: signal.Signals) -> bool:
    status = Path(f"/proc/{process}/status").read_text()
    found = re.search(r"^SigIgn:\s+(\w+)", status, re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> asked - 1 & 1)


@pytest.mark.slow
def test_the_process_writes_what_it_was_given_and_ends_with_its_input(
    bundle: Bundle, tmp_path: Path
) -> None:
    """It outlives a SIGTERM to all processes of a service, also while it starts."""
    request = asked(bundle, "x", list(bundle.samples.rows[:2]))
    given = [LogSettings(tmp_path), LoggedModel.of(bundle), tuple(request), None, tuple(request)]
    stream = b"".join(map(pickle.dumps, given))[:-10]  # cut off, as where a server is killed
    with subprocess.Popen(WRITER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        wait_for(lambda: ignores(writer.pid, signal.SIGTERM), "the writer does not start")
        writer.terminate()
        printed = writer.communicate(stream)[0]
    assert json.loads(printed) == {"requests": 1, "problem": None}
    assert logged(tmp_path)["request_row"].tolist() == [0, 1]
