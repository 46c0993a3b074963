"""A server that keeps what it was asked and answered, and answers whatever becomes of that."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil
import pyarrow.parquet as pq
import pytest
from starlette.responses import Response

from http_load import workers_of
from http_server import CSV, WRITE, Server, serving, wait_until
from seedbed.cli.serve import serve
from seedbed.data.tables import read_table
from seedbed.errors import UserError
from seedbed.serving import Bundle
from seedbed.serving.http import prediction_log
from seedbed.serving.http.metrics import Metrics
from seedbed.serving.http.prediction_log import PredictionLog
from seedbed.serving.http.refusals import Record
from seedbed.serving.log_files import LogSettings

Built = Callable[[str], Path]


def kept_in(folder: Path) -> pd.DataFrame:
    files = sorted(folder.glob("*/*.parquet"))
    return pd.concat(
        [pd.DataFrame({"request_id": []}), *(pq.read_table(file).to_pandas() for file in files)],
        ignore_index=True,
    )


def writers_of(server: Server) -> list[psutil.Process]:
    processes = psutil.Process(server.process.pid).children(recursive=True)
    return [found for found in processes if "log_writer" in " ".join(found.cmdline())]


def writer_of(server: Server) -> psutil.Process:
    """Return the one writer, once it runs its own program."""
    wait_until(lambda: writers_of(server), "a writer")
    (found,) = writers_of(server)
    return found


def stop(server: Server) -> None:
    os.killpg(server.process.pid, signal.SIGTERM)  # all of its group, as Ctrl+C does
    assert server.process.wait(60) == 0


def test_requests_of_each_kind_are_kept_under_their_id(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    raw = read_table(built("flights") / "data/raw").head(60)
    with serving(
        built("flights") / "models/bundle", tmp_path / "stderr", "--log", str(tmp_path / "log"),
        "--log-without", "time",
    ) as server:  # fmt: skip
        few = server.post({"rows": [row, row]}, x_request_id="few").json()
        table = server.post(WRITE[CSV](raw), content_type=CSV, x_request_id="table").json()
        refused = server.post({"rows": [{}]}, x_request_id="refused")
        assert refused.status_code == 422
        stop(server)
    kept = kept_in(tmp_path / "log")
    assert kept["request_id"].value_counts().to_dict() == {"table": 60, "few": 2}
    for request, answered in (("few", few), ("table", table)):
        found = kept[kept["request_id"] == request].sort_values("request_row")
        assert found["answer_score"].tolist() == [row["score"] for row in answered["answers"]]
        assert set(found["model_version"]) == {answered["model"]["version"]}
    assert "distance" in kept
    assert "time_hour" not in kept


@pytest.mark.slow
def test_a_writer_that_is_killed_is_started_again(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    bundle = built("flights") / "models/bundle"
    with serving(bundle, tmp_path / "stderr", "--log", str(log)) as server:
        server.post({"rows": [row]}, x_request_id="before")
        writer = writer_of(server)
        writer.kill()
        server.wait_for(
            "prediction log", problem="the process that writes it ended with exit code -9"
        )
        answer = server.post({"rows": [row]}, x_request_id="after")
        assert answer.status_code == 200
        dropped = server.metric("seedbed_log_dropped_total")
        wait_until(lambda: writers_of(server), "another writer")
        stop(server)
        server.wait_for("prediction log", problem="writing again")
    # What was on its way to the one that was killed is counted, and never there twice.
    expected = ["after"] if dropped else ["after", "before"]
    assert sorted(kept_in(log)["request_id"]) == expected


@pytest.mark.slow
def test_answering_goes_on_while_the_disk_is_full(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    bundle = built("flights") / "models/bundle"
    with serving(bundle, tmp_path / "stderr", "--log", str(log)) as server:
        writer = writer_of(server)
        before = writer.rlimit(psutil.RLIMIT_FSIZE)
        writer.rlimit(psutil.RLIMIT_FSIZE, (100, before[1]))
        assert server.post({"rows": [row] * 3}, x_request_id="full").status_code == 200
        wait_until(lambda: server.metric("seedbed_log_dropped_total") == 1, "a count")
        [line] = server.lines("prediction log")
        assert "File too large" in line["problem"]
        assert not [found for found in log.rglob("*") if found.is_file()]
        writer.rlimit(psutil.RLIMIT_FSIZE, before)
        server.post({"rows": [row]}, x_request_id="room")
        stop(server)
        server.wait_for("prediction log", problem="writing again")
    assert kept_in(log)["request_id"].tolist() == ["room"]


@pytest.mark.slow
def test_each_worker_has_a_writer_that_outlives_a_kill_and_no_row_is_there_twice(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    options = ["--workers", "2", "--log", str(log)]
    with serving(built("flights") / "models/bundle", tmp_path / "stderr", *options) as server:
        server.wait_for("bundle taken", 2)
        first = {ask(server, row, f"first-{number}") for number in range(20)}
        wait_until(lambda: first == set(kept_in(log)["request_id"]), "the rows of both")
        wait_until(lambda: len(writers_of(server)) == 2, "two writers")
        writers = writers_of(server)
        killed = workers_of(server)[0]
        [orphan] = [writer for writer in writers if writer.ppid() == killed.pid]
        killed.kill()
        assert psutil.wait_procs([orphan], timeout=60)[1] == []
        asked = first | {ask(server, row, f"second-{number}") for number in range(20)}
        wait_until(lambda: asked == set(kept_in(log)["request_id"]), "the rows of the other one")
    assert sorted(kept_in(log)["request_id"]) == sorted(asked)


@pytest.mark.slow
def test_a_server_that_is_killed_leaves_no_process_and_no_half_file(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    log = tmp_path / "log"
    bundle = built("flights") / "models/bundle"
    with serving(bundle, tmp_path / "stderr", "--log", str(log)) as server:
        writers = writers_of(server)
        for number in range(20):
            ask(server, row, str(number))
        server.process.kill()
        assert psutil.wait_procs(writers, timeout=60)[1] == []
    assert kept_in(log)["request_id"].is_unique
    assert {file.suffix for file in log.glob("*/*")} <= {".parquet"}


def ask(server: Server, row: dict[str, Any], request: str) -> str:
    """Ask over a connection of its own, which any worker may take."""
    with httpx.Client(base_url=server.client.base_url, timeout=60) as client:
        answer = client.post("/predict", json={"rows": [row]}, headers={"x-request-id": request})
    assert answer.status_code == 200
    return request


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "least", "most", "dropped"),
    [({"rate": 0.2}, 100, 320, 0), ({"most_bytes": 1}, 1, 1, 999)],
    ids=["rate", "a writer that falls behind"],
)
def test_a_share_is_kept_and_no_more_than_there_is_memory_for(
    settings: dict[str, Any],
    least: int,
    most: int,
    dropped: int,
    bundle: Bundle,
    row: dict[str, Any],
    tmp_path: Path,
) -> None:
    record = Record("x", {})
    record.kind, record.rows = "application/json", 1
    record.body = json.dumps({"rows": [row]}).encode()
    answer = Response(b'{"answers": [{"prediction": true, "score": 0.5}]}')
    metrics = Metrics()

    async def asked_at_once() -> None:
        log = PredictionLog(LogSettings(tmp_path, **settings), metrics)
        for _ in range(1000):
            log.add(bundle, record, answer)
        await log.close()

    asyncio.run(asked_at_once())
    assert least <= len(kept_in(tmp_path)) <= most
    assert f"seedbed_log_dropped_total {dropped:.1f}\n" in metrics.write().decode()


@pytest.mark.slow
def test_a_writer_that_hangs_does_not_keep_the_server_from_ending(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prediction_log, "WRITER", ("sleep", "600"))
    monkeypatch.setattr(prediction_log, "CLOSE_WITHIN", 0.5)
    metrics = Metrics()

    async def close() -> None:
        log = PredictionLog(LogSettings(tmp_path), metrics)
        log.add(bundle, Record("x", {}), Response(b"{}"))
        await log.close()

    asyncio.run(asyncio.wait_for(close(), 60))
    assert "seedbed_log_dropped_total 1.0\n" in metrics.write().decode()
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if child.name() == "sleep"]


def test_a_folder_that_cannot_be_written_is_refused_at_the_start(
    built: Built, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        serve(str(built("flights") / "models/bundle"), port=0, log=tmp_path / "log")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_without": "keys"}, "--log-without: keys is no role"),
        ({"log_rate": 0.0}, "rate of the prediction log is 0"),
        ({"log_days": 0}, "kept for 0 days"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], message: str, built: Built, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        serve(str(built("flights") / "models/bundle"), port=0, log=tmp_path / "log", **options)
