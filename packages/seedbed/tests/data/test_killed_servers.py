"""Ingest from a server that is killed and started again writes every row, or stops with a sentence."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pytest

import api_server
import kafka_front
import s3_server
from kafka_broker import TOPICS, Broker
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data import json_api, kafka_topics, sql_batches
from seedbed.data.csv_files import Types
from seedbed.data.databases import connect
from seedbed.data.ingesting import write_rows
from seedbed.data.sources import read_batches
from seedbed.errors import UserError
from servers import BUCKET, KEYS, MariaDB, Postgres, free_port, wait_for_port

from support import LONG

ROWS = pd.DataFrame({"id": range(20_000)}).assign(
    n=lambda rows: rows["id"] / 8, t=lambda rows: rows["id"].map("{:0>100}".format)
)
DATASET = Dataset(name="d", tables=[Table(name="rows")])
LISTS = ColumnLists(target="n", key=["id"], category=["t"])
MOMENTS = range(10 if LONG else 2)
"""The seeds of the moments at which a server is killed."""


class Server(Protocol):
    """What is killed and started again; it has the same rows then."""

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Process:
    """A server that is a process of its own, always on one port of 127.0.0.1."""

    def __init__(self, folder: Path, command: Callable[[str], list[Any]]) -> None:
        self.port = free_port()
        self._log = folder / "server.log"
        self._command = [sys.executable, *command(str(self.port))]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_for_port(self._process, self.port, self._log)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def running(folder: Path, command: Callable[[str], list[Any]]) -> Iterator[Process]:
    server = Process(folder, command)
    yield server
    server.kill()


@contextmanager
def serving_files(kind: str, place: str, folder: Path) -> Iterator[tuple[Server, Source]]:
    """Yield a server of files, and the source that is the one in it."""
    files = folder / "files"
    files.mkdir()
    if kind == "csv":
        ROWS.to_csv(files / "rows.csv", index=False)
    else:
        ROWS.to_parquet(files / "rows.parquet", index=False, row_group_size=500)
    command = [s3_server.__file__, "PORT", BUCKET, files]
    if place == "http":
        command = ["-m", "http.server", "PORT", "--bind", "127.0.0.1", "--directory", files]
    with running(
        folder, lambda port: [port if word == "PORT" else word for word in command]
    ) as server:
        address = f"http://127.0.0.1:{server.port}"
        with pytest.MonkeyPatch.context() as patch:
            for name, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
                patch.setenv(name, value)
            import s3fs

            s3fs.S3FileSystem.clear_instance_cache()
            head = address if place == "http" else f"s3://{BUCKET}"
            yield server, Source(kind=kind, path=f"{head}/rows.{kind}")
            s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def serving_pages(folder: Path) -> Iterator[tuple[Server, Source]]:
    ROWS.to_json(folder / "rows.json", orient="records")
    pages = {"by": "number", "parameter": "page"}
    with running(folder, lambda port: [api_server.__file__, port, folder / "rows.json"]) as server:
        path = f"http://127.0.0.1:{server.port}/rows"
        yield server, Source(kind="api", path=path, options={"pages": pages})


@contextmanager
def serving_messages(folder: Path, broker: Broker) -> Iterator[tuple[Server, Source]]:
    """Yield what stands before the broker: the broker itself would have no message then."""
    topic = next(TOPICS)
    broker.fill(
        topic, [(0, row.encode()) for row in ROWS.to_json(orient="records", lines=True).split()]
    )
    command = [kafka_front.__file__, broker.servers]
    with running(folder, lambda port: [*command, port]) as server:
        # Else all messages come at once.
        settings = {"fetch.message.max.bytes": 100_000, "queued.max.messages.kbytes": 200}
        path = f"kafka://127.0.0.1:{server.port}/{topic}"
        yield server, Source(kind="kafka", path=path, options={"settings": settings})


@contextmanager
def serving_a_table(server: Postgres | MariaDB) -> Iterator[tuple[Server, Source]]:
    """Yield a database, and the source that is a table of it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROWS_DB", str(server.url))
        engine = connect("ROWS_DB")
        with engine.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TABLE killed (id INT PRIMARY KEY, n DOUBLE PRECISION, t TEXT)"
            )
            ROWS.to_sql("killed", connection, index=False, if_exists="append")
        engine.dispose()
        yield server, Source(kind="sql", path="ROWS_DB", options={"table": "killed"})
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE killed")
        engine.dispose()


@contextmanager
def serving(
    kind: str, folder: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Server, Source]]:
    """Yield a server of one kind with ROWS, and the source that they are."""
    start, _, place = kind.partition(" at ")
    if place:
        found = serving_files(start, place, folder)
    elif kind == "api":
        found = serving_pages(folder)
    elif kind == "kafka":
        found = serving_messages(folder, request.getfixturevalue("kafka"))
    else:
        server = "mariadb" if kind == "mariadb" else "postgres"
        found = serving_a_table(request.getfixturevalue(server))
    with found as both:
        yield both


@pytest.mark.slow
@pytest.mark.parametrize("seed", MOMENTS)
@pytest.mark.parametrize(
    "kind",
    [
        *("parquet at s3", "csv at s3", "csv at http", "api", "kafka"),
        *("adbc", "sqlalchemy", "mariadb"),
    ],
)
def test_all_rows_are_written_or_none(
    kind: str,
    seed: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    for reader in (json_api, kafka_topics, sql_batches):
        monkeypatch.setattr(reader, "BATCH", 500)
    if kind == "sqlalchemy":
        monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    out = tmp_path / "out"

    def ingest(read: Callable[[str, Types], Any]) -> bytes:
        write_rows(read, DATASET, LISTS, out / "rows")
        return (out / "rows/part-00000.parquet").read_bytes()

    expected = ingest(lambda *_: ROWS)
    with serving(kind, tmp_path, request) as (server, source):

        def read(name: str, types: Types) -> Iterator[pd.DataFrame]:
            return read_batches(source, DATASET, name, types)

        def kill_and_start(after: float) -> None:
            time.sleep(after)
            server.kill()
            server.start()

        for _ in range(2):  # the first imports what it needs
            begun = time.perf_counter()
            assert ingest(read) == expected
            undisturbed = time.perf_counter() - begun
        moment = random.Random(f"{kind} {seed}").uniform(0, undisturbed)
        killing = threading.Thread(target=kill_and_start, args=(moment,))
        killing.start()
        outcome, begun = "equal", time.perf_counter()
        try:
            assert ingest(read) == expected
        except UserError as error:
            outcome = str(error)
        took = time.perf_counter() - begun
        killing.join()
        assert "Traceback" not in capfd.readouterr().err
        print(
            f"{kind}, killed after {moment:.2f} of {undisturbed:.2f} s, took {took:.2f}: {outcome}"
        )
        assert [path.name for path in out.iterdir()] == ["rows"], "nothing is left of a part"
        assert ingest(read) == expected
