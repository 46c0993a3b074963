"""What stage ingest takes beside the bare library, for each kind of source, and how much memory.

.venv/bin/python benchmarks/sources.py [--rows 1000000] [--rounds 3] [--more 5] [--kinds sql s3]
fills each source with so many rows of 20 columns, on this machine and in a temporary folder, and
lets ingest's way to Parquet (window, types, spool) and the bare library's take turns, each in a
process of its own; imports are not counted. Then ingest reads `more` times as many rows: its peak
memory is to stay the same.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path

from measuring import ROOT, in_turn, ratios, run, spread

sys.path.insert(0, str(ROOT / "packages/seedbed/tests"))

ADDRESS = "BENCHMARK_DB"
FLOATS, WHOLE = [f"f{place}" for place in range(8)], [f"i{place}" for place in range(4)]
TABLE = f"""
CREATE TABLE rows (id BIGINT PRIMARY KEY,
  {", ".join(f"{name} DOUBLE PRECISION" for name in FLOATS)},
  {", ".join(f"{name} BIGINT" for name in WHOLE)},
  t0 TEXT, t1 TEXT, t2 TEXT, t3 TEXT, price NUMERIC(10, 2), at TIMESTAMPTZ, ok BOOLEAN)
"""
ROWS = f"""
INSERT INTO rows SELECT n, {", ".join(["random()"] * 8)},
  {", ".join(["(random() * 1e6)::BIGINT"] * 4)},
  md5(n::TEXT), 'city ' || n % 50, 'code ' || n % 7, CASE WHEN n % 10 > 0 THEN 'abc' END,
  round((random() * 1000)::NUMERIC, 2),
  TIMESTAMPTZ '2024-01-01' + n * INTERVAL '1 minute', n % 2 = 0
FROM generate_series(1, :last) AS n
"""
BARE_SQL = """
import adbc_driver_postgresql.dbapi as adbc
with adbc.connect(os.environ["BENCHMARK_ADBC"]) as connection, connection.cursor() as cursor:
    cursor.execute("SELECT * FROM rows ORDER BY id")
    reader = cursor.fetch_record_batch()
    with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
"""
BARE_PARQUET = """
import pyarrow.dataset as ds
if path.startswith("s3://"):
    import s3fs
    found = ds.dataset(path[5:], format="parquet", filesystem=s3fs.S3FileSystem())
else:
    found = ds.dataset(path, format="parquet")
with pq.ParquetWriter(out, found.schema, compression="zstd") as writer:
    for batch in found.to_batches():
        writer.write_batch(batch)
"""
BARE_CSV = """
import pyarrow.csv as pc
reader = pc.open_csv(path)
with pq.ParquetWriter(out, reader.schema, compression="zstd") as writer:
    for batch in reader:
        writer.write_batch(batch)
"""
BARE_KAFKA = """
import confluent_kafka
servers, topic = path.removeprefix("kafka://").split("/")
consumer = confluent_kafka.Consumer(
    {"bootstrap.servers": servers, "group.id": "bare", "enable.partition.eof": True}
)
partitions = consumer.list_topics(topic).topics[topic].partitions
consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in partitions])
rows, ended, writer = [], 0, None
while ended < len(partitions):
    for message in consumer.consume(1000, 1.0):
        if message.error():
            ended += message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF
        else:
            rows.append(json.loads(message.value()))
    if rows and (len(rows) >= 20_000 or ended == len(partitions)):
        table = pa.Table.from_pylist(rows)
        writer = writer or pq.ParquetWriter(out, table.schema, compression="zstd")
        writer.write_table(table)
        rows = []
writer.close()
consumer.close()
"""
INGEST = f"""
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data.ingesting import columns_to_read, write_rows
from seedbed.data.sources import read_batches
dataset = Dataset(name="rows", tables=[Table(name="rows")])
lists = ColumnLists(target="f0", time="at", key=["id"], number={[*FLOATS[1:], *WHOLE, "price"]},
                    category=["t*"], boolean=["ok"])
source = Source(kind=kind, path=path)
def read(name, types):
    def needed(names):
        return columns_to_read(name, names, dataset, lists)
    return read_batches(source, dataset, name, types, needed)
write_rows(read, dataset, lists, Path(out))
"""
TIMED = """
import json, os, sys, time
from pathlib import Path
import adbc_driver_postgresql.dbapi, confluent_kafka, pandas, psycopg
import pyarrow as pa, pyarrow.dataset, pyarrow.parquet as pq
import s3fs, seedbed.data.ingesting, seedbed.data.kafka_topics, seedbed.data.sources
import sqlalchemy.dialects.postgresql
kind, path, out = sys.argv[1:]
begun = time.perf_counter()
{work}
seconds = time.perf_counter() - begun
# Not ru_maxrss, which counts the process that started this one.
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
peak = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps({{"seconds": seconds, "peak": peak}}))
"""


MADE = """
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from pathlib import Path
rows, path, address = int(sys.argv[1]), *sys.argv[2:]
random = np.random.default_rng(0)
def batch(first, count):
    ids = np.arange(first, first + count)
    columns = {"id": ids}
    columns |= {f"f{place}": random.random(count) for place in range(8)}
    columns |= {f"i{place}": random.integers(0, 10**6, count) for place in range(4)}
    columns |= {"t0": [f"{number:032x}" for number in random.integers(0, 2**62, count)],
                "t1": [f"city {id % 50}" for id in ids], "t2": [f"code {id % 7}" for id in ids],
                "t3": [None if id % 10 == 0 else "abc" for id in ids],
                "price": (random.random(count) * 1e5).round() / 100,
                "at": pa.array(ids * 60_000_000, pa.timestamp("us", "UTC")), "ok": ids % 2 == 0}
    return pa.table(columns)
writer = pq.ParquetWriter(path, batch(0, 2).schema)
for first in range(0, rows, 100_000):
    writer.write_table(batch(first, min(100_000, rows - first)))
writer.close()
if address:
    import s3fs
    s3fs.S3FileSystem().put_file(path, address)
"""

Fill = Callable[[int], str]
"""Fills a source with so many rows; returns its path."""


@contextmanager
def sql(folder: Path) -> Iterator[Fill]:
    """Yield what fills a table of PostgreSQL."""
    from sqlalchemy import create_engine, text

    from servers import Postgres

    server = Postgres(folder / "postgres")
    os.environ[ADDRESS] = server.url.render_as_string(hide_password=False)
    plain = server.url.set(drivername="postgresql")
    os.environ["BENCHMARK_ADBC"] = plain.render_as_string(hide_password=False)
    engine = create_engine(server.url)

    def fill(rows: int) -> str:
        with engine.begin() as connection:
            for statement in ("DROP TABLE IF EXISTS rows", TABLE):
                connection.execute(text(statement))
            connection.execute(text(ROWS), {"last": rows})
        return ADDRESS

    try:
        yield fill
    finally:
        engine.dispose()
        server.kill()


@contextmanager
def parquet(folder: Path) -> Iterator[Fill]:
    """Yield what writes a Parquet file."""
    path = str(folder / "rows.parquet")

    def fill(rows: int) -> str:
        run([sys.executable, "-c", MADE, str(rows), path, ""], folder)
        return path

    yield fill


@contextmanager
def csv(folder: Path) -> Iterator[Fill]:
    """Yield what writes a CSV file."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    path, made = folder / "rows.csv", folder / "made.parquet"

    def fill(rows: int) -> str:
        run([sys.executable, "-c", MADE, str(rows), str(made), ""], folder)
        file = pq.ParquetFile(made)
        with pc.CSVWriter(path, file.schema_arrow) as writer:
            for batch in file.iter_batches():
                writer.write_batch(batch)
        return str(path)

    yield fill


@contextmanager
def s3(folder: Path) -> Iterator[Fill]:
    """Yield what puts a Parquet file into a bucket of moto's server."""
    from servers import BUCKET, KEYS, s3_place

    with s3_place(folder / "s3") as place:
        os.environ.update(KEYS, AWS_ENDPOINT_URL=place.options[1])
        address = f"s3://{BUCKET}/rows.parquet"

        def fill(rows: int) -> str:
            path = str(folder / "put.parquet")
            run([sys.executable, "-c", MADE, str(rows), path, address], folder)
            return address

        yield fill


@contextmanager
def kafka(folder: Path) -> Iterator[Fill]:
    """Yield what fills a topic of librdkafka's mock cluster."""
    import pyarrow.parquet as pq

    from kafka_broker import Broker

    broker, numbers = Broker(), count()

    def fill(rows: int) -> str:
        path = str(folder / "sent.parquet")
        run([sys.executable, "-c", MADE, str(rows), path, ""], folder)
        partitions = rows // 8_000 + 1  # the broker holds 5 MB of each
        sent = (
            (number % partitions, json.dumps(row, default=str).encode())
            for number, row in enumerate(
                row for batch in pq.ParquetFile(path).iter_batches() for row in batch.to_pylist()
            )
        )
        topic = f"rows-{next(numbers)}"
        broker.create(topic, partitions)
        while some := list(islice(sent, 50_000)):  # as many as a producer keeps
            broker.send(topic, some)
        return f"kafka://{broker.servers}/{topic}"

    try:
        yield fill
    finally:
        broker.kill()


KINDS = {
    "sql": ("sql", sql, "ADBC", BARE_SQL),
    "parquet": ("parquet", parquet, "pyarrow", BARE_PARQUET),
    "csv": ("csv", csv, "pyarrow", BARE_CSV),
    "s3": ("parquet", s3, "pyarrow", BARE_PARQUET),
    "kafka": ("kafka", kafka, "a loop", BARE_KAFKA),
}
"""The kind of source, what fills one, and the bare library with the code that uses it."""


def measure(work: str, kind: str, path: str, folder: Path) -> dict[str, float]:
    """Return seconds and peak memory in MB of a process that writes the rows to Parquet."""
    command = [sys.executable, "-c", TIMED.format(work=work), kind, path, str(folder / "out")]
    found: dict[str, float] = json.loads(run(command, folder).splitlines()[-1])
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").unlink(missing_ok=True)
    return found


def main() -> None:
    """Measure each kind and print the table of benchmarks/README.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--more", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    asked = parser.parse_args()
    for name in asked.kinds:
        kind, filled, library, bare = KINDS[name]
        with tempfile.TemporaryDirectory() as folder, filled(Path(folder)) as fill:
            path = fill(asked.rows)
            sides = {
                work: partial(measure, work, kind, path, Path(folder)) for work in (INGEST, bare)
            }
            found: dict[str, list[float]] = {INGEST: [], bare: []}
            for number in range(asked.rounds):
                seconds = in_turn(
                    number, *(lambda side=side: side()["seconds"] for side in sides.values())
                )
                for side, value in zip(found.values(), seconds, strict=True):
                    side.append(value)
            print(f"{name}, {asked.rows:,} rows: ingest        {spread(found[INGEST])}")
            print(f"{name}, {asked.rows:,} rows: {library:12}  {spread(found[bare])}")
            print(f"{name}: ratio {ratios(found[INGEST], found[bare])}")
            for rows in (asked.rows, asked.more * asked.rows):
                used = measure(INGEST, kind, fill(rows), Path(folder))
                print(f"{name}, {rows:,} rows: peak {used['peak']:.0f} MB, {used['seconds']:.1f} s")


if __name__ == "__main__":
    main()
