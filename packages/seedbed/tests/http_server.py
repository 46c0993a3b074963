"""A real `seedbed serve` on 127.0.0.1, started by the test that needs one."""

import io
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa
from pyarrow import csv, parquet

from support import started

STARTED_WITHIN = 60
"""Seconds that a server may take to load its bundle on a busy machine."""
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
ARROW = "application/vnd.apache.arrow.stream"


def in_arrow(table: pa.Table, compression: str | None = None) -> bytes:
    """Return a table as a stream of Arrow's."""
    sink = io.BytesIO()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue()


def in_parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file."""
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


TABLES: dict[str, Callable[[pa.Table], bytes]] = {PARQUET: in_parquet, ARROW: in_arrow}
WRITE: dict[str, Callable[[pd.DataFrame], bytes]] = {
    CSV: lambda frame: frame.to_csv(index=False).encode(),
    PARQUET: lambda frame: frame.to_parquet(index=False),
    ARROW: lambda frame: in_arrow(pa.Table.from_pandas(frame, preserve_index=False)),
}
READ: dict[str, Callable[[bytes], pd.DataFrame]] = {
    CSV: lambda body: csv.read_csv(io.BytesIO(body)).to_pandas(),
    PARQUET: lambda body: parquet.read_table(io.BytesIO(body)).to_pandas(),
    ARROW: lambda body: pa.ipc.open_stream(body).read_all().to_pandas(),
}
"""How tables are written and read in each format."""
ERROR = {"where", "message", "allowed"}


@dataclass
class Server:
    """A server that runs."""

    process: Popen[bytes]
    log: Path
    port: int
    client: httpx.Client

    def post(self, body: Any, **headers: str) -> httpx.Response:
        """Ask /predict; what is no bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            "/predict", content=content, headers={"content-type": "application/json", **named}
        )

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of its log on one kind of event."""
        written = self.log.read_text(encoding="utf-8").splitlines()
        found = [json.loads(line) for line in written if line.startswith("{")]
        return [line for line in found if line["event"] == event]

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        total = 0.0
        for line in self.client.get("/metrics").text.splitlines():
            if line.partition("{")[0].partition(" ")[0] == name and all(
                label in line for label in wanted
            ):
                total += float(line.rpartition(" ")[2])
        return total

    def wait_for(self, event: str, number: int = 1, **fields: Any) -> None:
        """Wait until the log has so many such lines."""
        wait_until(
            lambda: sum(fields.items() <= line.items() for line in self.lines(event)) >= number,
            f"{event} {fields}",
        )

    def process_lives(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None


@contextmanager
def serving(bundle: Path, log: Path, *options: str, **environment: str) -> Iterator[Server]:
    """Start a server on a free port; it is stopped with all that it started."""
    command = [sys.executable, "-m", "seedbed", "serve", str(bundle), "--port", "0", *options]
    with started(command, log, **environment) as process:
        server = Server(process, log, 0, httpx.Client())
        wait_until(lambda: not server.process_lives() or server.lines("listening"), "listening")
        assert server.process_lives(), log.read_text(encoding="utf-8")
        server.port = server.lines("listening")[0]["port"]
        address = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=address, timeout=STARTED_WITHIN) as server.client:
            wait_until(lambda: answers(server), "the first answer")
            yield server


def answers(server: Server) -> bool:
    """Tell whether a server answers."""
    try:
        return server.client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(holds: Any, what: str, seconds: float = STARTED_WITHIN) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not there after {seconds:g} seconds: {what}"
        time.sleep(0.05)


def refusal(response: httpx.Response, status: int) -> dict[str, str]:
    """Return what a refusal says of itself, once its form was looked at."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert error.keys() == ERROR
    assert error["message"]
    return error
