"""A table of a database is read whole, every value as the database has it, or refused in a sentence."""

import os
import random
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.config.sources import find_option_mistakes
from seedbed.data import batches, sql_tables
from seedbed.data.csv_files import Types
from seedbed.data.ingesting import write_rows
from seedbed.data.sources import read_batches, read_source
from seedbed.data.sql_arrow import NoArrow, arrow_reader
from seedbed.data.values import read_values
from seedbed.errors import UserError
from servers import Postgres

SECRET = "correct-horse"  # pragma: allowlist secret
VARIABLE = "ROWS_DB"
Fill = Callable[..., Engine]


@pytest.fixture
def fill(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fill]:
    """Return a function that runs statements in an empty database, whose URL is in the environment."""
    made: list[Engine] = []

    def run(kind: str, *statements: str) -> Engine:
        if kind == "sqlite":
            url = f"sqlite:///{tmp_path}/rows.sqlite"
        else:
            found = request.getfixturevalue("postgres").url.set(password=SECRET)
            url = found.render_as_string(hide_password=False)
            with create_engine(url).begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        monkeypatch.setenv(VARIABLE, url)
        engine = create_engine(url)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
        made.append(engine)
        return engine

    yield run
    for engine in made:
        engine.dispose()


def read(
    name: str = "rows", path: str | None = VARIABLE, types: dict | None = None, **options: Any
) -> pd.DataFrame:
    dataset = Dataset(name="d", tables=[Table(name=name)])
    return read_source(Source(kind="sql", path=path, options=options), dataset, name, types or {})


def as_lists(frame: pd.DataFrame) -> dict[str, list]:
    return {
        name: [None if pd.isna(value) else value for value in frame[name]] for name in frame.columns
    }


def take(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let rows be read by ADBC, or as where its driver is not installed."""
    if way == "sqlalchemy":
        monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)


WAYS = pytest.mark.parametrize("way", ["adbc", "sqlalchemy"])
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
NUMBERS = (
    'CREATE TABLE "rows" (id INTEGER PRIMARY KEY, "a b" BIGINT, ratio DOUBLE PRECISION, name VARCHAR(9))',
    "INSERT INTO \"rows\" VALUES (2, NULL, 0.1, 'x'), (1, 9007199254740993, NULL, NULL), (3, -1, 1e300, '007')",
)


@BOTH
def test_rows_come_by_the_primary_key_with_every_digit(fill: Fill, kind: str) -> None:
    fill(kind, *NUMBERS, 'CREATE VIEW seen AS SELECT id, name FROM "rows"')
    assert as_lists(read()) == {
        "id": [1, 2, 3],
        "a b": [9007199254740993, None, -1],
        "ratio": [None, 0.1, 1e300],
        "name": [None, "x", "007"],
    }
    assert as_lists(read("seen")) == {"id": [1, 2, 3], "name": [None, "x", "007"]}
    assert list(read("d", table="rows").columns) == ["id", "a b", "ratio", "name"]


ALIKE = {
    "id": ("INT", "1", "2", "3"),
    "small": ("SMALLINT", "-32768", "NULL", "7"),
    "large": ("BIGINT", "9007199254740993", "NULL", "-9223372036854775808"),
    "ratio": ("DOUBLE PRECISION", "0.1", "NULL", "'NaN'"),
    "price": ("NUMERIC(12, 2)", "1.10", "-0.05", "NULL"),
    "whole": ("NUMERIC", "5.00", "NULL", "-7"),
    "huge": ("NUMERIC", "123456789012345678901234567890", "1.50", "NULL"),
    "huge_whole": ("NUMERIC", "18446744073709551615", "100", "NULL"),
    "odd": ("NUMERIC", "'NaN'", "1e-20", "1e20"),
    "ok": ("BOOLEAN", "true", "NULL", "false"),
    "name": ("TEXT", "'é %s :x'", "''", "NULL"),
    "code": ("VARCHAR(9)", "'007'", "NULL", "'x'"),
    "padded": ("CHAR(4)", "'ab'", "NULL", "''"),
    "day": ("DATE", "'2024-02-29'", "NULL", "'0001-01-01'"),
    "clock": ("TIMESTAMP", "'1650-03-10 02:30:00.000001'", "NULL", "'9999-12-31 23:59'"),
    "at": ("TIMESTAMPTZ", "'2024-03-10 03:00:00-04'", "NULL", "'1700-01-01Z'"),
    "nothing": ("TEXT", "NULL", "NULL", "NULL"),
    "a%(b)s": ("INT", "1", "2", "3"),
}
"""Columns of the types that are read by ADBC, and their values in three rows."""


@pytest.mark.parametrize("types", [{}, dict.fromkeys(ALIKE, "category")])
def test_adbc_and_sqlalchemy_read_the_same_values(
    fill: Fill, types: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = ", ".join(f'"{name}" {about[0]}' for name, about in ALIKE.items())
    rows = (f"({', '.join(about[row] for about in ALIKE.values())})" for row in (1, 2, 3))
    create = f"CREATE TABLE rows ({columns}, PRIMARY KEY (id))".replace("%", "%%")
    engine = fill(
        "postgresql", create, f"INSERT INTO rows VALUES {', '.join(rows)}".replace("%", "%%")
    )
    with arrow_reader(engine, text("SELECT * FROM rows")) as reader:
        assert reader.schema.names == list(ALIKE), "none of these types makes ADBC step back"
    query = "SELECT * FROM rows WHERE id % 5 < 9 AND name IS DISTINCT FROM ':x' ORDER BY id"
    by_adbc = [read(types=types), read(types=types, query=query.replace(":x", r"\:x"))]
    take("sqlalchemy", monkeypatch)
    expected = read(types=types)
    for found in by_adbc:
        pd.testing.assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("REAL", "0.1"), ("UUID", "gen_random_uuid()"), ("INTERVAL", "'1 mon'"), ("TEXT[]", "'{a}'")],
)
def test_types_that_adbc_reads_otherwise_are_left_to_sqlalchemy(
    fill: Fill, kind: str, value: str
) -> None:
    engine = fill(
        "postgresql", f"CREATE TABLE rows (a {kind})", f"INSERT INTO rows VALUES ({value})"
    )
    with pytest.raises(NoArrow), arrow_reader(engine, text("SELECT * FROM rows")):
        pass


@BOTH
def test_rows_without_a_key_are_ordered_by_all_columns(fill: Fill, kind: str) -> None:
    fill(
        kind,
        "CREATE TABLE pairs (a INTEGER, b VARCHAR(1))",
        "INSERT INTO pairs VALUES (2, 'b'), (1, 'z'), (2, 'a'), (1, 'c')",
    )
    assert as_lists(read("pairs")) == {"a": [1, 1, 2, 2], "b": ["c", "z", "a", "b"]}


def test_types_come_from_the_database(fill: Fill) -> None:
    fill(
        "postgresql",
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE rows (id INT PRIMARY KEY, ok BOOLEAN, price NUMERIC(12, 2), big NUMERIC(30, 0),"
        " at TIMESTAMPTZ, clock TIMESTAMP, day DATE, took INTERVAL, u UUID, m mood, raw BYTEA)",
        "SET TIME ZONE 'America/New_York'",
        "INSERT INTO rows VALUES (1, true, 1.10, 123456789012345678901234567890, '2024-03-10 03:00:00-04',"
        " '2024-03-10 02:30:00', '2024-02-29', '90 minutes',"
        " 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'bad', '\\x61'::bytea), (2, NULL, 7, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    found = read()
    assert as_lists(found) == {
        "id": [1, 2],
        "ok": [True, None],
        "price": [1.1, 7.0],
        "big": [123456789012345678901234567890, None],
        "at": [pd.Timestamp("2024-03-10T07:00Z"), None],
        "clock": [pd.Timestamp("2024-03-10 02:30"), None],
        "day": [pd.Timestamp("2024-02-29").date(), None],
        "took": [5400.0, None],
        "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None],
        "m": ["bad", None],
        "raw": ["a", None],
    }
    assert str(found["ok"].dtype) == "boolean" and str(found["at"].dtype) == "datetime64[us, UTC]"
    texts = as_lists(read(types={"price": "category", "big": "category"}))
    assert texts["price"] == ["1.1", "7"]
    assert texts["big"] == ["123456789012345678901234567890", None]


def test_values_of_several_types_and_batches_are_one_column(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql_tables, "BATCH", 2)
    fill(
        "sqlite",
        "CREATE TABLE rows (id INTEGER PRIMARY KEY, n, late, mixed, at)",
        "INSERT INTO rows VALUES (1, NULL, 1, 1, '2024-01-01 05:00'), (2, NULL, 2, 2, NULL), (3, 5, 0.5, 'cold', NULL), (4, 6, 3, 4, NULL), (5, 7, 4, 5, NULL)",
    )
    found = read()
    assert as_lists(found)["n"] == [None, None, 5, 6, 7]
    assert found["late"].tolist() == [1, 2, 0.5, 3, 4]
    with pytest.raises(
        UserError, match="column mixed: 1 of 5 .* row 3: 'cold'. It must be a number"
    ):
        read_values(found["mixed"], "mixed", "number", "UTC")
    times = read_values(found["at"], "at", "time", "Europe/Zurich")
    assert times[0] == pd.Timestamp("2024-01-01T04:00Z")


@BOTH
def test_an_empty_text_is_missing_and_what_is_quoted_stays(fill: Fill, kind: str) -> None:
    fill(kind, "CREATE TABLE rows (id INT, city TEXT)", "INSERT INTO rows VALUES (1, ''), (2, 'a')")
    query = """SELECT id AS "the id", '"b"' AS b, "city" FROM "rows" -- "c"\nORDER BY "id" """
    found = read(query=query, types={"city": "category"})
    assert as_lists(found) == {"the id": [1, 2], "b": ['"b"'] * 2, "city": [None, "a"]}


QUERY = 'SELECT id, name FROM "rows" WHERE name = :name OR id IN :ids ORDER BY id'


@BOTH
def test_parameters_are_bound_and_never_a_part_of_the_query(fill: Fill, kind: str) -> None:
    engine = fill(kind, *NUMBERS)
    found = read(query=QUERY, parameters={"name": "x", "ids": [3, 4]})
    assert as_lists(found) == {"id": [2, 3], "name": ["x", "007"]}
    for attack in ("' OR '1'='1", 'x\'; DROP TABLE "rows"; --', "x' UNION SELECT 1, 'y"):
        with pytest.raises(UserError, match="the table has no rows"):
            read(query=QUERY, parameters={"name": attack, "ids": [0]})
    with engine.connect() as connection:
        assert connection.execute(text('SELECT count(*) FROM "rows"')).scalar_one() == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"query": "SELECT id FROM rows"}, "source.options.query has no ORDER BY"),
        ({"query": "SELECT 1 ORDER BY 1", "table": "t"}, "table and query are both set"),
        ({"parameters": {"a": 1}}, "source.options.query is not set"),
        ({"tables": "rows"}, r"tables is no option of source sql \(did you mean table\?\)"),
        ({"query": QUERY, "parameters": {"name": "x"}}, "has the parameter :ids, and"),
        (
            {"query": "SELECT 1 AS a ORDER BY 1", "parameters": {"x": 1}},
            "x does not stand in the query, which has no parameter",
        ),
        ({"query": "SELECT id, id FROM rows ORDER BY 1"}, "the column id is there more than once"),
        ({"query": "SELECT nothing FROM rows ORDER BY 1"}, "the database reports: .*nothing"),
        ({"query": 'SELECT "nothing" FROM rows ORDER BY 1'}, "the database reports: .*nothing"),
        ({"table": "row"}, r"there is no table row \(did you mean rows\?\)"),
        ({"table": "empty"}, "the table has no rows"),
    ],
)
@BOTH
def test_what_cannot_be_asked_for_is_refused(
    fill: Fill, kind: str, options: dict, message: str
) -> None:
    fill(kind, *NUMBERS, "CREATE TABLE empty (a INTEGER)")
    with pytest.raises(UserError, match=message) as caught:
        read(**options)
    assert SECRET not in str(caught.value)


def test_arrays_and_objects_are_refused_unless_nobody_needs_them(fill: Fill) -> None:
    fill(
        "postgresql",
        "CREATE TABLE rows (id INT PRIMARY KEY, tags TEXT[], about JSONB)",
        "INSERT INTO rows VALUES (1, NULL, NULL), (2, '{a,b}', '{\"a\": 1}')",
    )
    with pytest.raises(UserError, match="table rows, column tags: it holds arrays or objects"):
        read()
    with pytest.raises(UserError, match="column about, row 2: it holds arrays or objects"):
        read(query="SELECT about FROM rows ORDER BY id")
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    source = Source(kind="sql", path=VARIABLE)
    assert read_source(source, dataset, "rows", {}, lambda _: ["id"])["id"].tolist() == [1, 2]
    assert read(query="SELECT tags::text FROM rows ORDER BY id")["tags"][1] == "{a,b}"


@WAYS
def test_a_value_that_python_cannot_hold_names_its_rows(
    fill: Fill, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(way, monkeypatch)
    fill(
        "postgresql",
        "CREATE TABLE rows (id INT PRIMARY KEY, at TIMESTAMP)",
        "INSERT INTO rows VALUES (1, now()), (2, 'infinity')",
    )
    with pytest.raises(UserError, match="within rows 1 to .*infinity.*cast its column to text"):
        read()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (None, "source.path is not set"),
        ("NO_SUCH_VARIABLE", "NO_SUCH_VARIABLE: .* the name of an environment variable"),
        ("sqlite:///no/such.sqlite", "there is no file no/such.sqlite. Correct the address"),
        ("nodatabase://host/db", "this is not a URL of a database"),
        ("postgresql://me@127.0.0.1:1/db", "the database reports: .*refused"),
        (f"postgresql://me:{SECRET}@host/db", "source.path holds a password or a key"),
    ],
)
def test_a_database_that_is_not_there_is_told(path: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        read(path=path)
    assert SECRET not in str(caught.value)
    assert not Path("no").exists()


@pytest.mark.parametrize(
    ("path", "is_secret"),
    [
        ("s3://bucket/rows.csv", False),
        ("s3://bucket/a@b:c.csv", False),
        ("https://host/rows.csv?page=1", False),
        ("sqlite:///data/source/rows.sqlite", False),
        ("postgresql://me@host/db", False),
        (f"postgresql://me:{SECRET}@host/db", True),
        (f"https://host/rows.csv?X-Amz-Signature={SECRET}", True),
        (f"https://host/rows.csv?access_token={SECRET}", True),
    ],
)
def test_an_address_with_a_secret_never_gets_into_params(path: str, is_secret: bool) -> None:
    kind = "csv" if "rows.csv" in path or "a@b" in path else "sql"
    found = [mistake.message for mistake in find_option_mistakes(Source(kind=kind, path=path))]
    assert [SECRET in message for message in found] == [False] * is_secret


def test_rights_and_passwords_are_asked_of_the_database(
    fill: Fill, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = fill(
        "postgresql",
        *NUMBERS,
        "DROP ROLE IF EXISTS reader",
        f"CREATE ROLE reader LOGIN PASSWORD '{SECRET}'",
        "GRANT USAGE ON SCHEMA public TO reader",
    )
    with postgres.asking_passwords("reader"):
        for password, message in (
            (SECRET, "permission denied"),
            ("wrong", "authentication failed"),
        ):
            url = engine.url.set(username="reader", password=password)
            monkeypatch.setenv(VARIABLE, url.render_as_string(hide_password=False))
            with pytest.raises(UserError, match=message) as caught:
                read()
            assert SECRET not in str(caught.value)


@pytest.mark.slow
@WAYS
def test_a_read_that_breaks_off_begins_anew_and_gives_all_rows(
    fill: Fill, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    take(way, monkeypatch)
    monkeypatch.setattr(sql_tables, "BATCH", 100)
    monkeypatch.setattr(batches, "WAITS", (0.0, 0.0))
    engine = fill(
        "postgresql",
        "CREATE TABLE rows (id INT PRIMARY KEY, t TEXT)",
        "INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(1, 20000) AS n",
    )
    # A read of the table is held back near its end as long as another session has the lock.
    query = """
        SELECT * FROM (SELECT * FROM rows ORDER BY id OFFSET 0) AS all_rows
        WHERE id < 18000 OR pg_advisory_xact_lock_shared(1) IS NOT NULL
    """
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory'"
    stop = threading.Event()

    def break_off(lock: Connection, times: int) -> None:
        broken: set[int] = set()
        while len(broken) < times and not stop.is_set():
            for pid in {*lock.scalars(text(waiting))} - broken:
                lock.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                broken.add(pid)
            time.sleep(0.005)
        lock.execute(text("SELECT pg_advisory_unlock(1)"))

    for times, wins in ((1, True), (3, False)):
        stop.clear()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as lock:
            lock.execute(text("SELECT pg_advisory_lock(1)"))
            thread = threading.Thread(target=break_off, args=(lock, times))
            thread.start()
            try:
                if wins:
                    assert read(query=query)["id"].tolist() == list(range(1, 20_001))
                    assert re.search(r"broke off after [1-9]", capsys.readouterr().out)
                else:
                    with pytest.raises(
                        UserError, match="the connection broke off after .*, 3 times in a row"
                    ):
                        read(query=query)
            finally:
                stop.set()
                thread.join()


MOMENTS = range(5 if os.environ.get("LONG") else 1)
"""The seeds of the moments at which the server is killed, by each way."""


@pytest.mark.slow
@WAYS
@pytest.mark.parametrize("seed", MOMENTS)
def test_ingest_from_a_server_that_is_killed_and_started_again_writes_all_rows_or_none(
    fill: Fill,
    way: str,
    seed: int,
    postgres: Postgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    take(way, monkeypatch)
    monkeypatch.setattr(sql_tables, "BATCH", 10_000)
    monkeypatch.setattr(batches, "WAITS", (0.5, 1.0))
    fill(
        "postgresql",
        "CREATE TABLE rows (id INT PRIMARY KEY, n NUMERIC, t TEXT)",
        "INSERT INTO rows SELECT n, n / 8.0, repeat('x', 1000) FROM generate_series(1, 60000) AS n",
    ).dispose()
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    lists = ColumnLists(target="n", key=["id"], category=["t"])
    path = tmp_path / "rows"

    def ingest(killed_after: int | None = None) -> bytes:
        def read(name: str, types: Types) -> Iterator[pd.DataFrame]:
            source = Source(kind="sql", path=VARIABLE)
            for number, batch in enumerate(read_batches(source, dataset, name, types)):
                yield batch
                if number == killed_after and not starting:
                    postgres.kill()
                    starting.append(threading.Thread(target=postgres.start))
                    starting[0].start()

        starting: list[threading.Thread] = []
        try:
            write_rows(read, dataset, lists, path)
        finally:
            for thread in starting:
                thread.join()
        return (path / "part-00000.parquet").read_bytes()

    expected = ingest()
    shutil.rmtree(path)
    moment = random.Random(seed).randrange(2 if way == "adbc" else 6)
    try:
        assert ingest(killed_after=moment) == expected
    except UserError as error:
        assert re.search("the connection broke off|the database reports", str(error))
        assert list(tmp_path.iterdir()) == [], "nothing is left of a part"
        assert ingest() == expected
