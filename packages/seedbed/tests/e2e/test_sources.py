"""The flights from elsewhere are those of the package; no secret is left anywhere."""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text

from api_server import Answer, Api, Request, api_server
from kafka_broker import Broker
from seedbed.config.schema import Dataset, Params, Source, Window
from seedbed.data.ingesting import columns_to_read, write_rows
from seedbed.data.sources import read_batches, read_source
from servers import BUCKET, KEYS, Postgres, s3_place

from support import REPOSITORY, Project, composed, copy_repository

SECRET = "-".join(["correct", "horse", "battery"])  # else it would stand in the copied tests
VARIABLE, TOKEN = "FLIGHTS_DB", "FLIGHTS_TOKEN"
TYPES = {"i": "BIGINT", "f": "DOUBLE PRECISION", "M": "TIMESTAMPTZ"}


@pytest.fixture(scope="module")
def flights() -> Params:
    with contextlib.chdir(REPOSITORY):
        return composed()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of Kafka without a topic."""
    found = Broker()
    yield found
    found.kill()


def ingest(source: Source, params: Params, dataset: Dataset, folder: Path) -> bytes:
    """Return the bytes that stage ingest writes."""

    def read(name: str, types: dict) -> Iterator[pd.DataFrame]:
        return read_batches(
            source,
            dataset,
            name,
            types,
            lambda names: columns_to_read(name, names, dataset, params.columns),
        )

    write_rows(read, dataset, params.columns, folder)
    return (folder / "part-00000.parquet").read_bytes()


def fill(engine: Engine, tables: dict[str, pd.DataFrame]) -> None:
    """Write tables in their order, with a primary key and the database's own types."""
    for name, frame in tables.items():
        rows = frame.convert_dtypes().assign(_id=range(len(frame)))
        columns = [f'"{key}" {TYPES.get(rows[key].dtype.kind, "TEXT")}' for key in rows]
        statement = f'CREATE TABLE "{name}" ({", ".join(columns)}, PRIMARY KEY ("_id"))'
        with engine.begin() as connection:
            connection.execute(text(f'DROP TABLE IF EXISTS "{name}"'))
            connection.execute(text(statement))
            if engine.dialect.name == "sqlite":
                rows.to_sql(name, connection, if_exists="append", index=False)
                continue
            cursor = connection.connection.cursor()
            with cursor.copy(f'COPY "{name}" FROM STDIN WITH (FORMAT csv)') as copy:
                copy.write(rows.to_csv(index=False, header=False).encode())


def publish(broker: Broker, tables: dict[str, pd.DataFrame]) -> None:
    """Send the rows of tables to topics of their names, in their order, half of them to each of two partitions."""
    for name, frame in tables.items():
        records = frame.astype(object).where(frame.notna(), None).to_dict("records")
        half = len(records) // 2
        rows = (
            (int(place >= half), json.dumps(record).encode())
            for place, record in enumerate(records)
        )
        broker.fill(name, rows, 2)


def tables_of(params: Params) -> dict[str, pd.DataFrame]:
    """Return the tables, of the flights those until the middle of January and some later ones."""
    found = {
        name: read_source(params.source, params.dataset, name, {})
        for name in params.dataset.table_names
    }
    moments = pd.to_datetime(found["flights"]["time_hour"])
    taken = found["flights"][moments < "2013-01-18T00:00Z"].reset_index(drop=True)
    return {**found, "flights": taken}


def serve_pages(api: Api, tables: dict[str, pd.DataFrame]) -> None:
    """Let an API give the rows of a table at its name, to who has the secret."""
    rows = {
        f"/v1/{name}": frame.astype(object).where(frame.notna(), None).to_dict("records")
        for name, frame in tables.items()
    }

    def answer(request: Request) -> Answer:
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer("who is there?", status=401)
        own = rows[request.path]
        first, size = int(request.query["offset"]), int(request.query["limit"])
        return Answer({"data": {"rows": own[first : first + size]}, "total": len(own)})

    api.answer = answer


API_OPTIONS = {
    "records": "data.rows",
    "count": "total",
    "pages": {"by": "offset", "size": 5000},
    "headers": {"Authorization": TOKEN},
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "s3", "api", "kafka"])
def test_flights_from_elsewhere_are_those_of_the_package_to_the_byte(
    kind: str,
    flights: Params,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = Window(start="2013-01-02", end="2013-01-15")
    dataset = flights.dataset.model_copy(update={"window": window})
    expected = ingest(flights.source, flights, dataset, tmp_path / "expected")
    tables = tables_of(flights)
    if kind == "s3":
        import s3fs

        with s3_place(tmp_path / "s3") as place:
            for name, value in {**KEYS, "AWS_ENDPOINT_URL": place.options[1]}.items():
                monkeypatch.setenv(name, value)
            s3fs.S3FileSystem.clear_instance_cache()
            store = s3fs.S3FileSystem(skip_instance_cache=True)
            for name, frame in tables.items():
                frame.to_parquet(tmp_path / f"{name}.parquet")
                store.put_file(str(tmp_path / f"{name}.parquet"), f"{BUCKET}/{name}.parquet")
            source = Source(kind="parquet", path=f"s3://{BUCKET}")
            found = ingest(source, flights, dataset, tmp_path / "found")
    elif kind == "api":
        monkeypatch.setenv(TOKEN, f"Bearer {SECRET}")
        with api_server() as api:
            serve_pages(api, tables)
            source = Source(kind="api", path=f"{api.address}/v1", options=API_OPTIONS)
            found = ingest(source, flights, dataset, tmp_path / "found")
            assert len(api.requests) > 10
    elif kind == "kafka":
        broker: Broker = request.getfixturevalue("broker")
        publish(broker, tables)
        monkeypatch.setenv(VARIABLE, f"kafka://{broker.servers}")
        found = ingest(Source(kind="kafka", path=VARIABLE), flights, dataset, tmp_path / "found")
    else:
        url = f"sqlite:///{tmp_path}/flights.sqlite"
        if kind == "postgresql":
            url = request.getfixturevalue("postgres").url.render_as_string(hide_password=False)
            for name in ("flights", "weather"):
                tables[name]["time_hour"] = pd.to_datetime(tables[name]["time_hour"])
        monkeypatch.setenv(VARIABLE, url)
        engine = create_engine(url)
        fill(engine, tables)
        engine.dispose()
        found = ingest(Source(kind="sql", path=VARIABLE), flights, dataset, tmp_path / "found")
    assert found == expected


def leaks(project: Project) -> list[str]:
    """Return the files of a repository, and Git objects, in which the secret stands."""
    found = [
        str(path)
        for path in project.root.rglob("*")
        if ".venv" not in path.parts and path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    objects = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"],
        cwd=project.root,
        capture_output=True,
        check=True,
    )
    return [*found, *(["a Git object"] if SECRET.encode() in objects.stdout else [])]


@pytest.mark.slow
def test_a_database_is_ingested_and_watched_and_its_password_is_nowhere(
    flights: Params, postgres: Postgres, tmp_path: Path
) -> None:
    project = copy_repository(tmp_path / "project")
    url = postgres.url.set(password=SECRET)
    engine = create_engine(url)
    fill(engine, {name: frame.head(3000) for name, frame in tables_of(flights).items()})
    environment = {VARIABLE: url.render_as_string(hide_password=False)}
    choices = ["-S", "source=sql", "-S", f"source.path={VARIABLE}"]
    printed = [project.run("dvc", "exp", "run", *choices, "ingest", **environment).stdout]
    assert f"{VARIABLE} is outside of this repository" in printed[0]

    def freshness(expected: int, **changed: str) -> str:
        done = project.run("seedbed", "freshness", check=False, **{**environment, **changed})
        assert done.returncode == expected, done.stdout
        printed.append(done.stdout)
        return done.stdout

    assert "as it was at the last ingest" in freshness(0)
    (project.root / "data/source/more.csv").write_text("a\n1\n")
    assert "data/source: modified" in freshness(3)
    (project.root / "data/source/more.csv").unlink()
    with engine.begin() as connection:
        late = "INSERT INTO flights (_id, time_hour) VALUES (9000000, '2014-01-01T05:00Z')"
        connection.execute(text(late))
    told = freshness(3)
    assert "flights: 3,000 rows then, 3,001 now" in told
    assert "the largest time_hour was 2013-01-0" in told and "is 2014-01-01T05:00Z" in told
    assert "dvc repro --force --single-item ingest" in told
    freshness(1, **{VARIABLE: ""})
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS reader"))
        connection.execute(text("CREATE ROLE reader LOGIN PASSWORD 'another'"))
        connection.execute(text("DROP TABLE planes"))
    failures = [
        (environment, "there is no table planes"),
        ({VARIABLE: f"postgresql://me:{SECRET}@127.0.0.1:1/db"}, "the database reports: .*refused"),
        ({VARIABLE: f"no address {SECRET}"}, "this is not a URL of a database"),
    ]
    for changed, message in failures:
        words = ("dvc", "repro", "--force", "--single-item", "ingest")
        printed.append(project.refused(*words, **changed))
        assert re.search(message, printed[-1]), printed[-1]
    with s3_place(tmp_path / "s3", INITIAL_NO_AUTH_ACTION_COUNT="1") as place:
        keys = {**KEYS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_ENDPOINT_URL": place.options[1]}
        choices = ["-S", "source=csv", "-S", f"source.path=s3://{BUCKET}"]
        printed.append(project.refused("dvc", "exp", "run", *choices, "ingest", **keys))
        assert "the store refuses" in printed[-1]
    with postgres.asking_passwords("reader"):
        reader = url.set(username="reader").render_as_string(hide_password=False)
        words = ("dvc", "exp", "run", "-S", "source=sql", "-S", f"source.path={VARIABLE}", "ingest")
        printed.append(project.refused(*words, **{VARIABLE: reader}))
        assert "authentication failed" in printed[-1]
    engine.dispose()
    assert project.experiments()
    assert leaks(project) == [] and not any(SECRET in text for text in printed)


@pytest.mark.slow
def test_an_api_is_ingested_and_watched_and_its_token_is_nowhere(
    flights: Params, tmp_path: Path
) -> None:
    project = copy_repository(tmp_path / "project")
    tables = {name: frame.head(3000) for name, frame in tables_of(flights).items()}
    environment = {TOKEN: f"Bearer {SECRET}"}
    with api_server() as api, api_server() as other:
        serve_pages(api, tables)
        options = json.dumps(API_OPTIONS).replace('"', "")
        choices = ["source=api", f"source.path={api.address}/v1", f"+source.options={options}"]
        words = [word for choice in choices for word in ("-S", choice)]
        printed = [project.run("dvc", "exp", "run", *words, "ingest", **environment).stdout]
        assert f"{api.address}/v1 is outside of this repository" in printed[0]
        serve_pages(api, {**tables, "flights": tables["flights"].head(2999)})
        moved = project.run("seedbed", "freshness", check=False, **environment)
        assert moved.returncode == 3 and "flights: 3,000 rows then, 2,999 now" in moved.stdout
        other.give(Answer(f"no <{SECRET}>", status=403))
        failures = [
            (Answer(f"no <{SECRET}>", status=401), "the server refuses .401 Unauthorized."),
            (Answer(f"<html>{SECRET}</html>".encode()), "the answer is no JSON; it begins with"),
            (Answer(status=302, headers={"Location": other.address}), "the server refuses .403"),
            (Answer(status=429, headers={"Retry-After": "3600"}), "asks for a wait"),
        ]
        repro = ("dvc", "repro", "--force", "--single-item", "ingest")
        for place, (answer, message) in enumerate(failures):
            api.give(answer)
            command = ("sh", "src/stage.sh", "ingest") if place else repro
            printed.append(project.refused(*command, **environment))
            assert re.search(message, printed[-1]), printed[-1]
        assert not any("authorization" in request.headers for request in other.requests)
    assert project.experiments()
    assert leaks(project) == [] and not any(SECRET in text for text in printed)


@pytest.mark.slow
def test_a_topic_is_described_ingested_watched_and_read_again(
    broker: Broker, tmp_path: Path
) -> None:
    project = copy_repository(tmp_path / "project")
    rows = [{"area": n * 7 % 27, "city": "ABC"[n % 3], "rent": n * 5 % 27 / 4} for n in range(60)]
    broker.fill("rents", [(n % 2, json.dumps(row).encode()) for n, row in enumerate(rows)], 2)
    environment = {VARIABLE: f"kafka://{broker.servers}", "KAFKA_WORD": SECRET}
    add = ("seedbed", "dataset", "add", VARIABLE, "--table", "rents", "--target", "rent", "--use")
    printed = [project.run(*add, **environment).stdout]
    project.commit("rents")

    def raw() -> bytes:
        return (project.root / "data/raw/part-00000.parquet").read_bytes()

    printed.append(project.run("dvc", "repro", "ingest", **environment).stdout)
    first = raw()
    recorded = json.loads((project.root / "reports/source.json").read_text())
    assert recorded["rents"]["partitions"]["1"] == {"start": 0, "end": 30, "latest": 30}
    broker.send("rents", [(1, json.dumps(rows[0]).encode())])
    moved = project.run("seedbed", "freshness", check=False, **environment)
    assert moved.returncode == 3 and "rents, partition 1: offsets 0 to 30" in moved.stdout
    window = "+source.options.offsets={0: [0, 30], 1: [0, 30]}"
    project.run("dvc", "exp", "run", "-S", window, "ingest", **environment)
    assert raw() == first
    settings = "{security.protocol: sasl_plaintext, sasl.mechanism: PLAIN, sasl.username: me}"
    choices = [
        f"+source.options.settings={settings}",
        "+source.options.secrets={sasl.password: KAFKA_WORD}",  # pragma: allowlist secret
    ]
    words = [
        "dvc",
        "exp",
        "run",
        *(word for choice in choices for word in ("-S", choice)),
        "ingest",
    ]
    printed.append(project.refused(*words, **environment))
    assert "the cluster refuses" in printed[-1]  # it knows no passwords
    assert leaks(project) == [] and not any(SECRET in text for text in printed)
