"""A table of a database is read whole, every value as the database has it, or refused in a sentence."""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from seedbed.config.schema import Dataset, Source, Table
from seedbed.config.sources import find_option_mistakes
from seedbed.data import batches, sql_batches
from seedbed.data.databases import connect
from seedbed.data.sources import read_source
from seedbed.data.sql_arrow import NoArrow, arrow_reader
from seedbed.data.values import read_values
from seedbed.errors import UserError
from servers import MariaDB, Postgres

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
        if kind == "duckdb":
            return fill_duckdb(tmp_path / "rows.duckdb", *statements)
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

    def fill_duckdb(path: Path, *statements: str) -> Engine:
        # seedbed opens it for reading only.
        with duckdb.connect(path) as connection:
            for statement in statements:
                connection.execute(statement)
        monkeypatch.setenv(VARIABLE, f"duckdb:///{path}")
        made.append(connect(VARIABLE))
        return made[-1]

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
EACH = pytest.mark.parametrize("kind", ["sqlite", "duckdb", "postgresql"])
NUMBERS = (
    'CREATE TABLE "rows" (id INTEGER PRIMARY KEY, "a b" BIGINT, ratio DOUBLE PRECISION, name VARCHAR(9))',
    "INSERT INTO \"rows\" VALUES (2, NULL, 0.1, 'x'), (1, 9007199254740993, NULL, NULL), (3, -1, 1e300, '007')",
)


@EACH
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


def test_values_of_duckdb_come_as_they_are_there(fill: Fill) -> None:
    fill(
        "duckdb",
        "CREATE SCHEMA shop",
        """CREATE TABLE shop.sales ("at" TIMESTAMPTZ, price DECIMAL(38, 2), huge HUGEINT, code UUID,
            size ENUM ('s', 'l'), took INTERVAL, tags TEXT[], b INT, "A b" INT, PRIMARY KEY ("A b", b))""",
        """INSERT INTO shop.sales VALUES
            ('2024-03-10 03:00:00-04', 123456789012345678901234567890.10, 18446744073709551616,
             '2be2b7fc-6742-4bd2-bd70-53814a2a99c3', 'l', '2 hours', ['x'], 1, 2),
            (NULL, NULL, NULL, NULL, NULL, NULL, NULL, 2, 1)""",
    )
    types = dict.fromkeys(["price", "huge"], "category")
    source = Source(kind="sql", path=VARIABLE, options={"table": "shop.sales"})
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    found = read_source(
        source, dataset, "rows", types, lambda names: [name for name in names if name != "tags"]
    )
    assert found.iloc[0].isna().sum() == 6 and found["b"].tolist() == [2, 1]
    last = found.iloc[1]
    assert last["at"] == pd.Timestamp("2024-03-10T07:00:00Z")
    assert last["price"] == "123456789012345678901234567890.1"
    assert str(last["huge"]) == "18446744073709551616"
    assert (last["size"], last["took"]) == ("l", 7200)
    assert last["code"] == "2be2b7fc-6742-4bd2-bd70-53814a2a99c3"
    with pytest.raises(UserError, match="column tags: it holds arrays or objects"):
        read("shop.sales")
    with pytest.raises(UserError, match="there is no table shop.sale .did you mean sales"):
        read("shop.sale")
    with pytest.raises(UserError, match="there is no file none.duckdb"):
        read(path="duckdb:///none.duckdb")


def test_infinity_of_duckdb_is_refused_and_the_last_moment_is_not(fill: Fill) -> None:
    fill(
        "duckdb",
        "CREATE TABLE rows (id INT, day DATE, seen TIMESTAMPTZ)",
        "INSERT INTO rows VALUES (1, '9999-12-31', NULL), (2, NULL, '-infinity')",
    )
    query = "SELECT * FROM rows WHERE id < :n ORDER BY id"
    assert as_lists(read(query=query, parameters={"n": 2}))["day"] == [date(9999, 12, 31)]
    for options in ({}, {"query": query, "parameters": {"n": 3}}):
        with pytest.raises(UserError, match="column seen: it holds infinity.*cast its column"):
            read(**options)


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("sqlite", "VARCHAR COLLATE NOCASE"),
        ("sqlite", "COLLATE NOCASE"),
        ("duckdb", "VARCHAR COLLATE NOCASE"),
        ("postgresql", "VARCHAR"),
    ],
)
def test_rows_that_differ_in_what_a_collation_ignores_come_in_one_order(
    fill: Fill, kind: str, column: str
) -> None:
    fill(
        kind,
        f'CREATE TABLE "rows" (t {column}, n INT)',
        "INSERT INTO \"rows\" VALUES ('b', 1), ('a', 10), ('A', 1), ('a', 2), ('B', 1), ('A', 2)",
    )
    assert as_lists(read()) == {"t": [*"AABaab"], "n": [1, 2, 1, 2, 10, 1]}


def test_keys_of_duckdb_that_a_collation_takes_for_equal_come_in_one_order(fill: Fill) -> None:
    fill(
        "duckdb",
        "CREATE TABLE rows (t VARCHAR COLLATE NOCASE PRIMARY KEY)",
        "INSERT INTO rows VALUES ('b'), ('a'), ('A'), ('B')",
    )
    assert as_lists(read()) == {"t": [*"ABab"]}


@pytest.mark.slow
def test_values_of_mariadb_come_as_they_are_there(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, mariadb.url)
    columns = """id INT PRIMARY KEY, big BIGINT UNSIGNED, price DECIMAL(30, 10), ratio DOUBLE,
        ok BOOLEAN, name TEXT, day DATE, clock DATETIME(6), at TIMESTAMP(6) NULL, took TIME(3),
        bits BIT(4), size ENUM('s', 'l')"""
    statements = [
        f"CREATE TABLE `rows` ({columns})",
        "SET time_zone = '-04:00'",
        """INSERT INTO `rows` VALUES (2, 18446744073709551615, 12345678901234567890.5, 0.1, true,
            'é😀', '2024-02-29', '2024-03-10 02:30:00.000001', '2024-03-10 03:00:00.5', '-01:00:01.5',
            b'1010', 'l')""",
        "INSERT INTO `rows` (id) VALUES (1)",
        "CREATE TABLE ties (t VARCHAR(9), n INT)",
        "INSERT INTO ties VALUES ('b', 1), ('a', 10), ('A', 1), ('a', 2), ('A', 2), ('a ', 2)",
    ]
    engine = connect(VARIABLE)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
    found = as_lists(read(types={"price": "category"}))
    assert {values[0] for name, values in found.items() if name != "id"} == {None}
    assert {name: values[1] for name, values in found.items()} == {
        "id": 2,
        "big": 18446744073709551615,
        "price": "12345678901234567890.5",
        "ratio": 0.1,
        "ok": 1,
        "name": "é😀",
        "day": date(2024, 2, 29),
        "clock": pd.Timestamp("2024-03-10 02:30:00.000001"),
        "at": pd.Timestamp("2024-03-10T07:00:00.5Z"),
        "took": -3601.5,
        "bits": 10,
        "size": "l",
    }
    assert as_lists(read("ties")) == {
        "t": ["A", "A", "a", "a", "a ", "b"],
        "n": [1, 2, 2, 10, 2, 1],
    }
    query = "SELECT n FROM ties WHERE n IN :n AND '100%' <> :t ORDER BY n, BINARY t"
    found = as_lists(read(query=query, parameters={"n": [1, 10], "t": "' OR 1 --"}))
    assert found == {"n": [1, 1, 10]}
    with pytest.raises(UserError, match=r"there is no table tie .did you mean ties"):
        read("tie")


@EACH
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
    monkeypatch.setattr(sql_batches, "BATCH", 2)
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


@EACH
def test_an_empty_text_is_missing_and_what_is_quoted_stays(fill: Fill, kind: str) -> None:
    fill(kind, "CREATE TABLE rows (id INT, city TEXT)", "INSERT INTO rows VALUES (1, ''), (2, 'a')")
    query = (
        """SELECT id AS "a ""b"" c", '"b"' AS b, "city" FROM "rows" -- "c"\nORDER BY "a ""b"" c" """
    )
    found = read(query=query, types={"city": "category"})
    assert as_lists(found) == {'a "b" c': [1, 2], "b": ['"b"'] * 2, "city": [None, "a"]}


QUERY = 'SELECT id, name FROM "rows" WHERE name = :name OR id IN :ids ORDER BY id'


@EACH
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
@EACH
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
        ("duckdb://", "the database reports: .*in-memory database in read-only mode"),
        ("nodatabase://host/db", "this is not a URL of a database"),
        ("postgresql://me@127.0.0.1:1/db", "the database reports: .*refused"),
        (f"postgresql://me:{SECRET}@host/db", "source.path holds a password or a key.*git gc"),
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
    monkeypatch.setattr(sql_batches, "BATCH", 100)
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
