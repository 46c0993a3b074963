"""Tables of a database as input and output; a password is in no message and in no file."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

from seedbed.errors import UserError
from servers import Postgres

Score = Callable[..., str]
SECRET = "hunter2"  # pragma: allowlist secret
VARIABLE = "SCORED_ROWS"
REPEATS = 25


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Engine]:
    """An empty database, whose URL is in the environment."""
    if request.param == "sqlite":
        url = make_url(f"sqlite:///{tmp_path}/data.sqlite")
    else:
        postgres = request.getfixturevalue("postgres")
        with create_engine(postgres.url).connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        url = postgres.url.set(password=SECRET)
    monkeypatch.setenv(VARIABLE, url.render_as_string(hide_password=False))
    found = create_engine(url)
    yield found
    found.dispose()


def table(engine: Engine, name: str) -> pd.DataFrame:
    with engine.connect() as connection:
        return pd.read_sql(text(f"SELECT * FROM {name} ORDER BY 1"), connection)


def test_a_table_is_scored_into_another(flights, score: Score, engine: Engine) -> None:
    flights.fill(engine)
    words = [VARIABLE, VARIABLE, "--table", "rows", "--to-table", "answers", "--batch-rows", "100"]
    printed = score(flights, *words)
    found = table(engine, "answers")
    names = ["row_number", "carrier", "flight", "time_hour", "prediction", "score", "model_version"]
    assert list(found) == names
    assert found["row_number"].tolist() == list(range(1, len(flights.rows) + 1))
    assert found["flight"].tolist() == flights.rows["flight"].tolist()
    assert found["score"].tolist() == flights.expected["score"].tolist()
    assert found["prediction"].astype("bool").tolist() == flights.expected["prediction"].tolist()
    assert set(inspect(engine).get_table_names()) == {"rows", "answers"}
    assert f"{VARIABLE}, table answers" in printed and SECRET not in printed
    with pytest.raises(UserError, match="table answers exists already.*--force"):
        score(flights, *words)
    score(flights, *words, "--force")
    assert len(table(engine, "answers")) == len(flights.rows)


def test_a_query_is_scored_in_its_order(flights, score: Score, engine: Engine) -> None:
    flights.fill(engine)
    query = 'SELECT * FROM "rows" WHERE id >= 100 ORDER BY id DESC'
    score(flights, VARIABLE, "out.parquet", "--query", query, "--batch-rows", "64")
    found = pd.read_parquet("out.parquet")
    assert found["score"].tolist() == flights.expected["score"].tolist()[:99:-1]


def test_rows_without_an_answer_go_to_a_table(flights, score: Score, engine: Engine) -> None:
    rows = flights.rows.head(50).astype(object)
    rows.loc[[7, 30], "temp"] = "cold"
    rows.to_csv("rows.csv", index=False)
    score(flights, "rows.csv", VARIABLE, "--to-table", "answers", "--batch-rows", "20")
    found = table(engine, "answers_rejected")
    assert found[["row", "column", "value"]].to_numpy().tolist() == [
        [8, "temp", "cold"],
        [31, "temp", "cold"],
    ]
    assert table(engine, "answers")["row_number"].tolist() == [
        number for number in range(1, 51) if number not in (8, 31)
    ]


def test_a_run_that_stopped_goes_on_after_the_last_key(
    flights, score: Score, engine: Engine
) -> None:
    flights.fill(engine)
    with engine.begin() as connection:
        connection.execute(text('UPDATE "rows" SET temp = 1e39 WHERE id = 70'))
    words = [VARIABLE, VARIABLE, "--table", "rows", "--to-table", "answers", "--batch-rows", "30"]
    words += ["--on-error", "stop"]
    with pytest.raises(UserError, match="row 71, column temp: .*finite number"):
        score(flights, *words)
    assert "answers" not in inspect(engine).get_table_names(), "nobody sees half of the rows"
    assert len(table(engine, "answers__rows")) == 60
    with engine.begin() as connection:
        value = float(flights.rows["temp"].iloc[70])
        connection.execute(text(f'UPDATE "rows" SET temp = {value!r} WHERE id = 70'))
    score(flights, *words)
    found = table(engine, "answers")
    assert found["score"].tolist() == flights.expected["score"].tolist()
    with pytest.raises(UserError, match="exists already"):
        score(flights, *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--table", "row"], r"there is no table row \(did you mean rows\?\)"),
        (
            ["--table", "plain"],
            "table plain: it has no primary key .* Give --query 'SELECT \\* FROM",
        ),
        (["--query", "SELECT * FROM rows"], "--query has no ORDER BY"),
        (["--query", "SELECT nothing FROM rows ORDER BY 1"], "the database reports: .*nothing"),
        (["--query", 'SELECT "nothing" FROM rows ORDER BY 1'], "the database reports: .*nothing"),
        (["--query", "SELECT :a FROM rows ORDER BY 1"], "has the parameter :a, and is given no"),
        (["--query", "SELECT id, id FROM rows ORDER BY 1"], "the column id more than once"),
        (["--query", "SELECT id FROM rows ORDER BY 1"], "20 of the 20 columns"),
        (["--table", "rows", "--query", "x"], "Give one of them"),
        (["--table", "rows", "--option", "separator=;"], "INPUT is a database"),
    ],
)
def test_rows_that_cannot_be_asked_for_are_refused(
    flights, score: Score, engine: Engine, words: list[str], message: str
) -> None:
    flights.fill(engine)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE plain (carrier VARCHAR(2))"))
    with pytest.raises(UserError, match=message) as caught:
        score(flights, VARIABLE, "out.csv", *words)
    assert SECRET not in str(caught.value)
    assert not Path("out.csv.parts").exists()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("NO_SUCH_VARIABLE", "NO_SUCH_VARIABLE: .* the name of an environment variable"),
        (
            f"postgresql://me:{SECRET}@host/db",
            "a password on the command line is seen by everybody",
        ),
        (
            f"postgresql://host/db?password={SECRET}",
            "^postgresql://host/db: a password on the command line",
        ),
        ("nodatabase://host/db", "nodatabase://host/db: this is not a URL of a database"),
        ("sqlite:////no/such/folder/data.sqlite", "the database reports: unable to open"),
    ],
)
def test_an_address_is_refused_without_its_password(
    flights, score: Score, address: str, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        score(flights, address, "out.csv", "--table", "rows")
    assert SECRET not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("side", ["input", "output"])
def test_a_database_that_goes_away_is_told_and_the_same_command_goes_on(
    flights, score: Score, postgres: Postgres, side: str, tmp_path: Path
) -> None:
    rows = pd.concat([flights.rows] * REPEATS, ignore_index=True)
    url = postgres.url.set(password=SECRET)
    engine = create_engine(url)
    with engine.begin() as connection:
        for name in inspect(connection).get_table_names():
            connection.execute(text(f'DROP TABLE "{name}"'))
    words = [VARIABLE, "--table", "rows"] if side == "input" else ["rows.csv"]
    if side == "input":
        type(flights)(flights.bundle, rows, flights.expected).fill(engine)
        words += ["out.csv"]
    else:
        rows.to_csv("rows.csv", index=False)
        words += [VARIABLE, "--to-table", "answers"]
    command = [f"{sys.prefix}/bin/seedbed", "score", *words, "--bundle", str(flights.bundle)]
    command += ["--batch-rows", "100"]
    environment = {**os.environ, VARIABLE: url.render_as_string(hide_password=False)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}

    def has_begun() -> bool:
        if side == "input":
            return Path("out.csv.parts/part-000003.arrow").exists()
        with contextlib.suppress(Exception), engine.connect() as connection:
            return connection.execute(text("SELECT count(*) FROM answers__rows")).scalar_one() > 300
        return False

    with subprocess.Popen(command, env=environment, **pipes) as run:
        while run.poll() is None and not has_begun():
            time.sleep(0.05)
        engine.dispose()
        postgres.kill()
        printed = run.communicate(timeout=100)[0]
    assert run.returncode == 1, printed
    assert "the database reports" in printed and "type the same command again" in printed
    assert "Traceback" not in printed and SECRET not in printed
    postgres.start()
    done = subprocess.run(command, env=environment, check=False, **pipes)
    assert done.returncode == 0, done.stdout
    found = pd.read_csv("out.csv") if side == "input" else table(engine, "answers")
    assert found["score"].tolist() == flights.expected["score"].tolist() * REPEATS
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()
