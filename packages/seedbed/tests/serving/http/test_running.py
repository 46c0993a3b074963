"""A server starts, stops, replaces its workers and its bundle, and loses no request."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from http_load import load, put, workers_of
from http_server import Server, serving, wait_until
from seedbed.serving import Bundle, load_bundle

from support import LONG, started

Built = Callable[..., Path]


@pytest.fixture(scope="module")
def other_bundle(built: Built) -> Path:
    """Another bundle on flights, which predicts other scores."""
    return built("flights", "logistic_regression") / "models/bundle"


class Asking:
    """Asks the same rows again and again in threads, and keeps what was answered."""

    def __init__(self, server: Server, rows: Any, threads: int = 4) -> None:
        self.answers: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self._stop = threading.Event()
        self._rows = rows
        self._url = f"http://127.0.0.1:{server.port}/predict"
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self) -> "Asking":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._stop.is_set():
            with httpx.Client(timeout=60) as client:  # a connection of its own for a few requests
                for _ in range(10):
                    try:
                        response = client.post(self._url, json={"rows": self._rows})
                    except httpx.TransportError as error:
                        self.failures.append(repr(error))
                        break
                    if response.status_code == 200:
                        self.answers.append(response.json())
                    else:
                        self.failures.append(response.text)


def expected_of(*bundles: Bundle, rows: Any) -> dict[str, Any]:
    return {bundle.version: bundle.answer(rows).rows for bundle in bundles}


@pytest.mark.slow
def test_a_promotion_is_taken_and_no_request_is_lost(
    built: Built, other_bundle: Path, tmp_path: Path, bundle: Bundle
) -> None:
    place, first = tmp_path / "champion", built("flights") / "models/bundle"
    put(first, place)
    other, rows = load_bundle(other_bundle), bundle.samples.rows[:2]
    expected = expected_of(bundle, other, rows=rows)
    assert expected[bundle.version] != expected[other.version]
    with serving(place, tmp_path / "log") as server, Asking(server, rows) as asking:
        for turn, path in enumerate((other_bundle, first, other_bundle), 1):
            put(path, place)
            version = load_bundle(path).version
            wait_until(
                lambda version=version: (
                    server.client.get("/ready").json()["model"]["version"] == version
                ),
                "the promoted bundle",
            )
            assert server.metric("seedbed_reloads_total", result="taken") == turn + 1
        assert server.metric("seedbed_model", version=other.version) == 1
        assert server.metric("seedbed_model", version=bundle.version) == 0
    assert asking.failures == []
    seen = {answer["model"]["version"] for answer in asking.answers}
    assert seen == {bundle.version, other.version}
    for answer in asking.answers:
        assert answer["answers"] == expected[answer["model"]["version"]]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["pipeline", "half", "gone"])
def test_a_broken_bundle_is_not_taken_and_the_next_good_one_is(
    built: Built, other_bundle: Path, tmp_path: Path, bundle: Bundle, damage: str
) -> None:
    place = tmp_path / "champion"
    put(built("flights") / "models/bundle", place)
    with serving(place, tmp_path / "log") as server:
        if damage == "pipeline":
            broken = tmp_path / "broken"
            shutil.copytree(other_bundle, broken)
            with (broken / "pipeline.skops").open("ab") as file:
                file.write(b"x")
            put(broken, place)
        elif damage == "half":
            (place / "metrics.json").unlink()
        else:
            shutil.rmtree(place)
        server.wait_for("bundle refused")
        assert server.metric("seedbed_reloads_total", result="refused") >= 1
        answer = server.post({"rows": bundle.samples.rows}).json()
        assert answer["model"]["version"] == bundle.version
        assert answer["answers"] == bundle.samples.answers
        put(other_bundle, place)
        server.wait_for("bundle taken", 2)
        answer = server.post({"rows": bundle.samples.rows[:1]}).json()
        assert answer["model"]["version"] == load_bundle(other_bundle).version


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_answers_what_is_in_flight(
    built: Built, tmp_path: Path, bundle: Bundle, workers: int
) -> None:
    body = json.dumps({"rows": bundle.samples.rows}).encode()
    options = ["--workers", str(workers)]
    head = "POST /predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    head += f"content-length: {len(body)}\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
    with (
        serving(built("flights") / "models/bundle", tmp_path / "log", *options) as server,
        closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as connection,
    ):
        connection.sendall(head.encode() + body[:100])
        assert connection.recv(1000).startswith(b"HTTP/1.1 100"), "it waits for the rest"
        os.kill(server.process.pid, signal.SIGTERM)
        server.wait_for("log", workers, message="Shutting down")
        connection.sendall(body[100:])
        answer = b"".join(iter(partial(connection.recv, 65536), b""))
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["answers"] == bundle.samples.answers
        assert server.process.wait(30) == 0


@pytest.mark.slow
def test_sigterm_ends_a_server_that_has_just_begun(built: Built, tmp_path: Path) -> None:
    bundle, log = built("flights") / "models/bundle", tmp_path / "log"
    command = [sys.executable, "-m", "seedbed", "serve", str(bundle), "--port", "0"]
    with started(command, log) as process:
        wait_until(lambda: '"listening"' in log.read_text(encoding="utf-8"), "its line")
        process.terminate()
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_dead_worker_is_replaced_and_all_count_together(
    built: Built, tmp_path: Path, bundle: Bundle
) -> None:
    options = ["--workers", "2"]
    with serving(built("flights") / "models/bundle", tmp_path / "log", *options) as server:
        server.wait_for("bundle taken", 2)
        for _ in range(20):
            with httpx.Client(base_url=server.client.base_url) as client:
                client.post("/predict", json={"rows": bundle.samples.rows[:1]})
        wait_until(lambda: server.metric("seedbed_rows_total") == 20, "the rows of both")
        before = {process.pid for process in workers_of(server)}
        assert len(before) == 2
        os.kill(min(before), signal.SIGKILL)
        wait_until(
            lambda: len({process.pid for process in workers_of(server)} - before) == 1,
            "another worker",
        )
        server.wait_for("bundle taken", 3)
        server.client.close()
        with httpx.Client(base_url=server.client.base_url) as server.client:
            answer = server.post({"rows": bundle.samples.rows}).json()
            assert answer["answers"] == bundle.samples.answers
            wait_until(lambda: server.metric("seedbed_rows_total") == 20 + 50, "all rows")
            assert server.metric("seedbed_model") == 2, "one for each worker that lives"


@pytest.mark.slow
def test_on_a_terminal_a_plain_line_says_where_it_is(built: Built) -> None:
    terminal, its_end = pty.openpty()
    bundle = built("flights") / "models/bundle"
    command = [sys.executable, "-m", "seedbed", "serve", str(bundle), "--port", "0"]
    process = subprocess.Popen(command, stderr=its_end)
    os.close(its_end)
    with os.fdopen(terminal, encoding="utf-8") as lines:
        plain = next(line for line in lines if not line.startswith("{"))
        process.kill()
        assert re.search(r"^serving flights, bundle .*: http://127\.0\.0\.1:\d+/ and ", plain)
        process.wait()


@pytest.mark.slow
def test_workers_end_with_their_parent(built: Built, tmp_path: Path) -> None:
    options = ["--workers", "2"]
    with serving(built("flights") / "models/bundle", tmp_path / "log", *options) as server:
        server.wait_for("bundle taken", 2)
        workers = workers_of(server)
        os.kill(server.process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert alive == []


@pytest.mark.slow
def test_a_shadow_is_compared_and_never_heard(
    built: Built, other_bundle: Path, tmp_path: Path, bundle: Bundle
) -> None:
    options = ["--shadow", str(other_bundle)]
    path, rows = built("flights") / "models/bundle", bundle.samples.rows
    with serving(path, tmp_path / "log", *options) as server:
        answer = server.post({"rows": rows}).json()
        assert answer["answers"] == bundle.samples.answers
        server.post({"rows": [*rows] * 10})
        expected = load_bundle(other_bundle).answer(rows).rows
        pairs = zip(bundle.samples.answers, expected, strict=True)
        different = sum(ours["prediction"] != theirs["prediction"] for ours, theirs in pairs)
        wait_until(
            lambda: server.metric("seedbed_shadow_rows_total") == len(rows) * 11,
            "all rows compared",
        )
        found = server.metric("seedbed_shadow_rows_total", result="different")
        assert found == different * 11 > 0
        assert server.metric("seedbed_shadow_score_difference_count") == len(rows) * 11


@pytest.mark.slow
def test_what_a_shadow_cannot_answer_is_counted(
    built: Built, tmp_path: Path, bundle: Bundle
) -> None:
    options = ["--shadow", str(built("wine") / "models/bundle")]
    with serving(built("flights") / "models/bundle", tmp_path / "log", *options) as server:
        answer = server.post({"rows": bundle.samples.rows}).json()
        assert answer["answers"] == bundle.samples.answers
        wait_until(
            lambda: server.metric("seedbed_shadow_rows_total", result="failed") == 50, "failed"
        )


@pytest.mark.slow
def test_under_load_with_kills_and_promotions_no_answer_is_wrong(
    built: Built, other_bundle: Path, tmp_path: Path
) -> None:
    # A kill may be noticed after SILENT_SECONDS only, and there are to be two.
    seconds, kill_every, change_every = (600.0, 60.0, 120.0) if LONG else (45.0, 4.0, 6.0)
    bundles = (built("flights") / "models/bundle", other_bundle)
    report = load(bundles, tmp_path, seconds, kill_every=kill_every, change_every=change_every)
    print("\n".join(report.lines()))
    assert report.wrong == 0
    assert report.right > 100
    assert len(report.versions) == 2
    assert report.kills >= 2
    assert report.errors.keys() <= {"IncompleteReadError", "ConnectionResetError"}
    # Those whose worker was killed while they waited, each time at most all connections.
    assert report.errors.total() <= 64 * report.kills
    assert report.memory[-1] < 1.5 * report.memory[0]
