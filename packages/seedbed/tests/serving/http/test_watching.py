"""Drift gauges of a server: what it was asked lately, by whichever worker."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from http_load import workers_of
from http_server import CSV, WRITE, Server, serving, wait_until
from seedbed.data.tables import read_table
from seedbed.serving import Bundle
from seedbed.serving.http.watching import MOST_ROWS, Watch

Built = Callable[[str], Path]


def watched(server: Server, rows: float) -> bool:
    return server.metric("seedbed_watched_rows") == rows


@pytest.mark.slow
def test_gauges_name_the_column_that_drifts(built: Built, tmp_path: Path) -> None:
    raw = read_table(built("flights") / "data/raw").drop(columns="arr_delay")
    bundle = built("flights") / "models/bundle"
    with serving(bundle, tmp_path / "log", "--watch", "5") as server:
        server.post(WRITE[CSV](raw.head(90)), content_type=CSV)
        wait_until(lambda: watched(server, 90), "the first gauges")
        assert "seedbed_drift" not in server.client.get("/metrics").text, "too few rows"
        far = raw[100:600].assign(distance=lambda rows: rows["distance"] * 2)
        server.post(WRITE[CSV](far), content_type=CSV)
        wait_until(lambda: watched(server, 590), "gauges")
        psi = {
            name: server.metric("seedbed_drift_psi", column=name) for name in ("distance", "origin")
        }
        assert psi["distance"] > 0.4
        assert abs(psi["origin"]) < 0.3
        assert server.metric("seedbed_drift_p", column="distance") < 1e-6
        assert server.metric("seedbed_drift_unseen", column="distance") > 0
        assert 0.5 < server.metric("seedbed_estimated_performance", metric="roc_auc") < 1
        assert "seedbed_score_drift_psi{score=" in server.client.get("/metrics").text
        assert not server.lines("watch")


@pytest.mark.slow
def test_gauges_are_of_all_workers_also_of_one_that_was_killed(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    bundle = built("flights") / "models/bundle"
    with serving(bundle, tmp_path / "log", "--watch", "10", "--workers", "2") as server:
        server.wait_for("bundle taken", 2)
        first, second = workers_of(server)
        answered = [asked_while_stopped(server, worker, row) for worker in (first, second)]
        assert len(set(answered)) == 2, "each has answered once"
        for _ in range(4):  # whichever answers
            wait_until(lambda: watched(fresh(server), 120), "rows of both")
        second.kill()
        wait_until(lambda: watched(fresh(server), 120), "rows of one that is gone")


@pytest.mark.slow
def test_old_rows_leave_the_window_and_those_of_another_bundle_are_not_in_it(
    bundle: Bundle,
) -> None:
    rows = bundle.samples.rows
    watch = Watch(0.1, lambda: bundle, None)
    try:
        watch.offer(bundle, rows, bundle.answer(rows).rows)
        watch.offer(replace(bundle, version="other"), rows, bundle.answer(rows).rows)
        wait_until(lambda: rows_in(watch) == len(rows), "rows")
        wait_until(lambda: rows_in(watch) == 0, "rows leave")
    finally:
        watch.close()


@pytest.mark.slow
def test_what_waits_is_bounded_and_a_failure_is_no_gauge(bundle: Bundle) -> None:
    rows = bundle.samples.rows
    answers = bundle.answer(rows).rows
    watch = Watch(5, lambda: bundle, None)
    try:
        for _ in range(10_000):
            watch.offer(bundle, rows, answers)
        wait_until(lambda: rows_in(watch), "gauges")
        assert rows_in(watch) < 20 * MOST_ROWS < 10_000 * len(rows)
        watch.offer(bundle, [{"distance": 1.0}], answers)
        wait_until(lambda: rows_in(watch) is None, "no gauges")
    finally:
        watch.close()


def rows_in(watch: Watch) -> float | None:
    gauges = {gauge.name: gauge for gauge in watch.collect()}
    return gauges["seedbed_watched_rows"].samples[0].value if gauges else None


def asked_while_stopped(server: Server, worker: psutil.Process, row: dict[str, Any]) -> str:
    """Ask about 60 rows while a worker is stopped; return which one answered."""
    worker.suspend()
    answer = fresh(server).post({"rows": [row] * 60})
    worker.resume()
    assert answer.status_code == 200
    return answer.headers["x-request-id"].partition("-")[0]


def fresh(server: Server) -> Server:
    """Return the server with a connection of its own, which any worker may take."""
    server.client.close()
    server.client = httpx.Client(base_url=server.client.base_url, timeout=60)
    return server


def test_without_the_option_there_are_no_gauges(server: Server, row: dict[str, Any]) -> None:
    server.post({"rows": [row]})
    assert "seedbed_watched_rows" not in server.client.get("/metrics").text
