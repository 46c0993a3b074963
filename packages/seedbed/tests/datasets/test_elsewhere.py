"""`seedbed dataset add` of a database and of an address: what it writes reads the same rows again."""

import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import create_engine, text

from api_server import Answer, Request, api_server
from kafka_broker import Broker
from seedbed.config.composition import compose_conf
from seedbed.config.params import check_params
from seedbed.config.schema import Params
from seedbed.data.ingesting import assemble_rows
from seedbed.data.sources import read_source
from seedbed.datasets.adding import add_dataset
from seedbed.datasets.json_apis import sniff_api
from seedbed.errors import UserError

VARIABLE = "RENTS_DB"
RENTS = pd.DataFrame(
    {
        "id": range(60),
        "area": [row * 7 % 27 / 2 for row in range(60)],
        "listed": [f"2024-01-{row % 28 + 1:02} 08:00:00" for row in range(60)],
        "city": [["Oslo", "Bern", "Rome"][row % 3] for row in range(60)],
        "rent": [row * 5 % 27 / 4 + row % 3 for row in range(60)],
    }
)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with a table, whose URL is in the environment."""
    url = f"sqlite:///{tmp_path}/rents.sqlite"
    monkeypatch.setenv(VARIABLE, url)
    engine = create_engine(url)
    with engine.begin() as connection:
        statement = "CREATE TABLE rents (id INTEGER PRIMARY KEY, area REAL, listed TEXT, city TEXT, rent REAL)"
        connection.execute(text(statement))
        RENTS.to_sql("rents", connection, if_exists="append", index=False)
        connection.execute(text("CREATE TABLE empty (rent REAL)"))
    engine.dispose()
    return url


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server with a file."""
    RENTS.to_csv(tmp_path / "rents.csv", sep=";", index=False)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    handler = partial(Handler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=partial(server.serve_forever, 0.05)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def rows_of(root: Path, name: str) -> pd.DataFrame:
    """Return what stage ingest makes of the dataset."""
    values = compose_conf(root, [f"dataset={name}"]).values
    check_params(values, root)
    params = Params.model_validate(values)
    return assemble_rows(
        lambda table, types: read_source(params.source, params.dataset, table, types),
        params.dataset,
        params.columns,
    )


@pytest.mark.parametrize(
    "options",
    [{"tables": ["rents"]}, {"query": "SELECT * FROM rents ORDER BY id", "name": "rents"}],
)
def test_a_table_and_a_query_of_a_database_are_described(
    root: Path, database: str, options: dict
) -> None:
    for path in (VARIABLE, database):
        add_dataset(root, path, "rent", force=True, **options)
        written = Path("conf/dataset/rents.yaml").read_text()
        assert f"path: {path}" in written.replace('"', "") and "override /source: sql" in written
        rows = rows_of(root, "rents")
        assert rows["rent"].tolist() == RENTS["rent"].tolist()
        assert rows["city"].tolist() == RENTS["city"].tolist()
        assert not (root / "data").exists()


def test_a_topic_is_described(root: Path, kafka: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = RENTS.to_json(orient="records", lines=True).splitlines()
    kafka.fill("town.rents", [(0, line.encode()) for line in lines])
    monkeypatch.setenv(VARIABLE, f"kafka://{kafka.servers}")
    address = f"kafka://{kafka.servers}/town.rents"
    for path, options in ((VARIABLE, {"tables": ["town.rents"]}), (address, {})):
        add_dataset(root, path, "rent", force=True, **options)
        written = Path("conf/dataset/rents.yaml").read_text()
        assert f"path: {path}" in written.replace('"', "") and "override /source: kafka" in written
        rows = rows_of(root, "rents")
        assert rows["rent"].tolist() == RENTS["rent"].tolist()
        assert rows["city"].tolist() == RENTS["city"].tolist()


def test_a_file_at_an_address_stays_there(root: Path, web: str) -> None:
    add_dataset(root, f"{web}/rents.csv", "rent")
    written = Path("conf/dataset/rents.yaml").read_text()
    assert f"{web}/rents.csv" in written and "separator: " in written
    assert rows_of(root, "rents")["rent"].tolist() == RENTS["rent"].tolist()
    assert not (root / "data").exists()


ROWS = RENTS.to_dict("records")


def pages(key: str) -> Callable[[Request], Answer]:
    """Return an API whose second page is in the header Link, or at a key."""

    def answer(request: Request) -> Answer:
        start = int(request.query.get("from", 0))
        following = f"/v1/rents?from={start + 40}" if start == 0 else None
        link = {"Link": f'<{following}>; rel="next"'} if following and not key else {}
        rows = ROWS[start : start + 40]
        return Answer({"info": {"next": following}, "items": rows} if key else rows, headers=link)

    return answer


@pytest.mark.parametrize(
    ("answer", "options", "note"),
    [
        (lambda _: Answer(ROWS), {}, ""),
        (lambda _: Answer({"data": {"items": ROWS}, "tags": ["next"]}), {"records": "data.items"}, ""),
        (lambda _: Answer({"items": ROWS, "meta": {"next": "a", "total": 90}}), {"records": "items"}, "the answer has meta.next, meta.total: if there are more pages"),
        (pages("info"), {"records": "items", "pages": {"by": "link", "next": "info.next"}}, ""),
        (pages(""), {"pages": {"by": "link"}}, ""),
        (lambda _: Answer(b'{"a": 1}\n{"a": 2}\n'), None, ""),
        (lambda _: Answer(b"a,b", headers={"Content-Type": "text/csv"}), None, ""),
    ],
)  # fmt: skip
def test_the_records_and_pages_of_an_api_are_found(
    answer: Any, options: dict[str, Any] | None, note: str
) -> None:
    with api_server() as api:
        api.answer = answer
        found = sniff_api(f"{api.address}/v1/rents", {})
        assert (found and found.options) == options
        assert note in " ".join(found.notes if found else [])
        assert sniff_api(f"{api.address}/rents.json", {}) is None


def test_an_api_is_described_with_its_pages(root: Path) -> None:
    with api_server() as api:
        api.answer = pages("info")
        add_dataset(root, f"{api.address}/v1/rents", "rent")
        text = Path("conf/dataset/rents.yaml").read_text()
        assert "override /source: api" in text and f"{api.address}/v1/rents" in text
        assert rows_of(root, "rents")["rent"].tolist() == RENTS["rent"].tolist()
        assert not (root / "data").exists()


def test_an_api_is_asked_with_headers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "Bearer a-token-of-tests")
    with api_server() as api:
        api.answer = lambda asked: Answer(ROWS, 200 if "authorization" in asked.headers else 401)
        address = f"{api.address}/v1/rents"
        token = {"headers": {"Authorization": "API_TOKEN"}}
        add_dataset(root, address, "rent", options=token)
        assert "headers: {Authorization: API_TOKEN}" in Path("conf/dataset/rents.yaml").read_text()
        for options, message in (
            ({}, "the server refuses .401 Unauthorized.. Name an environment variable"),
            ({"headers": {"Authorization": "a-token"}}, "headers.Authorization is no name of an"),
            ({**token, "page": 1}, "--option page is no option of source api .did you mean pages?"),
        ):
            with pytest.raises(UserError, match=message):
                add_dataset(root, address, "rent", name="rents", force=True, options=options)


def test_what_a_person_says_of_pages_decides_over_all_of_them(root: Path) -> None:
    def answer(asked: Request) -> Answer:
        first = 40 * int(asked.query.get("page", 0))
        return Answer({"total": len(ROWS), "rows": ROWS[first : first + 40]})

    with api_server() as api:
        api.answer = answer
        pages = {"by": "number", "parameter": "page", "first": 0}
        added = add_dataset(root, f"{api.address}/v1/rents", "rent", options={"pages": pages})
        assert added.description.rows == len(ROWS) > 40
        assert rows_of(root, "rents")["rent"].tolist() == RENTS["rent"].tolist()


@pytest.mark.slow
def test_a_folder_and_a_pattern_of_a_store_stay_there(root: Path) -> None:
    import fsspec

    store = fsspec.filesystem("memory")
    for place, part in enumerate((RENTS[:30], RENTS[30:])):
        store.pipe(f"/bucket/parts/rents-{place}.csv", part.to_csv(index=False).encode())
        store.pipe(f"/bucket/lake/year={place}/a.parquet", part.to_parquet())
    store.pipe("/bucket/one/other.csv", RENTS.to_csv(index=False).encode())
    for path, place in (
        ("memory://bucket/parts/rents-*.csv", "memory://bucket/parts/rents-*.csv"),
        ("memory://bucket/parts", "memory://bucket/parts/*.csv"),
        ("memory://bucket/lake/", "memory://bucket/lake/"),
        ("memory://bucket/one", "memory://bucket/one/other.csv"),
    ):
        add_dataset(root, path, "rent", name="rents", force=True)
        assert f'path: "{place}"' in Path("conf/dataset/rents.yaml").read_text()
        assert rows_of(root, "rents")["rent"].tolist() == RENTS["rent"].tolist()


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        (VARIABLE, {}, "this is a database. Name one table of it, --table NAME"),
        (VARIABLE, {"tables": ["a", "b"]}, "one table is described"),
        (VARIABLE, {"tables": ["rents"], "joins": ["a.b=c.d"]}, "Join others to it in --query"),
        (VARIABLE, {"tables": ["rent"]}, r"there is no table rent \(did you mean rents\?\)"),
        (VARIABLE, {"tables": ["empty"]}, f"{VARIABLE}: the table has no rows"),
        ("rents.csv", {"query": "SELECT 1"}, "rents.csv is none"),
        ("memory://b/rents.csv", {"tables": ["a=a.csv"]}, "must be a file of this machine"),
        ("memory://b/none.csv", {}, "memory://b/none.csv: there is no such file"),
        ("https://me:" + "pw@host/rents.csv", {}, "^host/rents.csv: the address holds a password"),
        ("kafka://me:" + "pw@host/rents", {}, "^source.path holds a password"),
        ("kafka://127.0.0.1/rents", {"joins": ["a.b=c.d"]}, "of Kafka, one topic is described"),
        ("postgresql://me:" + "pw@host/db", {"tables": ["t"]}, "^source.path holds a password"),
    ],
)
def test_what_cannot_be_described_is_refused_without_a_password(
    root: Path, database: str, path: str, options: dict, message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        add_dataset(root, path, "rent", **options)
    assert ":pw@" not in str(caught.value)
    assert not Path("conf/dataset/rents.yaml").exists()
