"""Files at an address are read as those of this machine are, whole or not at all."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from api_server import Answer, Api, Request, api_server
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data import http_session, stores
from seedbed.data.freshness import find_moves, source_state
from seedbed.data.sources import read_source
from seedbed.errors import UserError
from seedbed.progress import RowProgress
from servers import BUCKET, KEYS, gcs_emulator, s3_place

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"], "year": [2023, 2024, 2024]})


def read(
    path: str, kind: str = "csv", tables: tuple[str, ...] = ("rows",), needed: Any = None
) -> pd.DataFrame:
    dataset = Dataset(name="d", tables=[Table(name=name) for name in tables])
    more = [needed] if needed else []
    return read_source(Source(kind=kind, path=path), dataset, tables[0], {}, *more)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_place(tmp_path_factory.mktemp("s3")) as place:
        yield place.options[1]


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The file system of an S3 server, with a bucket of files of every kind."""
    import s3fs

    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()
    filesystem = s3fs.S3FileSystem(skip_instance_cache=True)
    if filesystem.exists(f"{BUCKET}/all"):
        filesystem.rm(f"{BUCKET}/all", recursive=True)
    return filesystem


def put(bucket: Any, folder: Path, name: str, frame: pd.DataFrame = FRAME) -> str:
    """Write a table in the format of its name; return its address."""
    path = folder / name.replace("/", "_")
    if ".csv" in name:
        frame.to_csv(path, index=False)
    elif name.endswith(".jsonl"):
        frame.to_json(path, orient="records", lines=True)
    elif name.endswith(".xlsx"):
        frame.to_excel(path, index=False)
    elif name.endswith(".feather"):
        frame.to_feather(path)
    else:
        frame.to_parquet(path, index=False)
    bucket.put_file(str(path), f"{BUCKET}/all/{name}")
    return f"s3://{BUCKET}/all/{name}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("csv", "rows.csv"),
        ("csv", "rows.csv.gz"),
        ("parquet", "rows.parquet"),
        ("excel", "rows.xlsx"),
        ("feather", "rows.feather"),
    ],
)
def test_every_kind_of_file_is_read_from_a_file_and_from_a_folder(
    bucket: Any, tmp_path: Path, kind: str, name: str
) -> None:
    address = put(bucket, tmp_path, name)
    for path in (address, f"s3://{BUCKET}/all", f"s3://{BUCKET}/all/"):
        pd.testing.assert_frame_equal(read(path, kind), FRAME)
        found = read(path, kind, needed=lambda names: [name for name in names if name != "b"])
        assert list(found) == ["a", "year"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_glob_and_a_folder_of_parquet_files_are_one_table(
    bucket: Any, tmp_path: Path, kind: str
) -> None:
    for number in (2, 0, 1):
        put(bucket, tmp_path, f"part-{number}.{kind}", FRAME[number : number + 1])
    pd.testing.assert_frame_equal(read(f"s3://{BUCKET}/all/part-*.{kind}", kind), FRAME)
    if kind == "parquet":
        put(bucket, tmp_path, "_temporary/part-9.parquet")
        pd.testing.assert_frame_equal(read(f"s3://{BUCKET}/all", kind), FRAME)


@pytest.mark.slow
def test_partitions_are_columns_and_what_nobody_needs_is_left_out(
    bucket: Any, tmp_path: Path
) -> None:
    wide = FRAME.drop(columns="year").assign(**{f"n{place}": range(3) for place in range(9)})
    for year in (2023, 2024):
        put(bucket, tmp_path, f"rows/year={year}/part-0.parquet", wide)
    found = read(f"s3://{BUCKET}/all", "parquet", needed=lambda names: ["a", "year"])
    assert found.to_dict("list") == {"a": [1, 2, 3] * 2, "year": ["2023"] * 3 + ["2024"] * 3}


@pytest.mark.slow
def test_several_tables_lie_in_one_folder(bucket: Any, tmp_path: Path) -> None:
    put(bucket, tmp_path, "rows.csv")
    put(bucket, tmp_path, "more.csv", FRAME[:1])
    folder = f"s3://{BUCKET}/all"
    assert len(read(folder, tables=("rows", "more"))) == 3
    assert len(read(folder, tables=("more", "rows"))) == 1
    with pytest.raises(UserError, match="all/rows.csv is one file, and dataset d has the tables"):
        read(f"{folder}/rows.csv", tables=("rows", "more"))


@pytest.mark.slow
def test_what_is_wrong_is_told_of_the_address(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for gone in ("none", "all/gone.csv"):
        with pytest.raises(UserError, match=f"no file and no folder s3://{BUCKET}/{gone}"):
            read(f"s3://{BUCKET}/{gone}")
    with pytest.raises(UserError, match="no file matches s3://bucket/all/x\\*.csv"):
        read(f"s3://{BUCKET}/all/x*.csv")
    with pytest.raises(UserError, match=r"s3://no-such-bucket/\*.csv"):
        read("s3://no-such-bucket/*.csv")
    whole = gzip.compress(b"a,b\n" + b"1,x\n" * 9000)
    bucket.pipe_file(f"{BUCKET}/all/rows.csv.gz", whole[: len(whole) // 2])
    with pytest.raises(UserError, match=f"^s3://{BUCKET}/all/rows.csv.gz: .*(damaged|cut off)"):
        read(f"s3://{BUCKET}/all/rows.csv.gz")
    with pytest.raises(UserError, match=f"s3://{BUCKET}/all holds no other.csv or"):
        read(f"s3://{BUCKET}/all", tables=("other",))
    bucket.pipe_file(f"{BUCKET}/all/rows.parquet", b"PAR1 and no more")
    with pytest.raises(UserError, match=f"^s3://{BUCKET}/all/rows.parquet: this is not a whole"):
        read(f"s3://{BUCKET}/all/rows.parquet", "parquet")
    with pytest.raises(UserError, match="such an address cannot be read"):
        read("no-such-store://bucket/rows.csv")


@pytest.mark.slow
def test_files_of_google_cloud_storage_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gcsfs = pytest.importorskip("gcsfs")
    pytest.importorskip("gcp_storage_emulator")
    with gcs_emulator(tmp_path) as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        gcsfs.GCSFileSystem.clear_instance_cache()
        filesystem = gcsfs.GCSFileSystem()
        for number in (2, 0, 1):
            put(filesystem, tmp_path, f"part-{number}.csv", FRAME[number : number + 1])
        for name in ("rows.csv.gz", "rows.parquet", "many/year=2023/part-0.parquet"):
            put(filesystem, tmp_path, name, FRAME if "many" not in name else FRAME[["a", "b"]])
        folder = f"gs://{BUCKET}/all"
        for kind, path in (
            *[("csv", folder), ("csv", f"{folder}/part-*.csv")],
            *[("parquet", folder), ("parquet", f"{folder}/rows.parquet")],
        ):
            pd.testing.assert_frame_equal(read(path, kind), FRAME)
        found = read(f"{folder}/many", "parquet", needed=lambda names: ["b", "year"])
        assert found.to_dict("list") == {"b": ["x", "y", "z"], "year": ["2023"] * 3}
        with pytest.raises(UserError, match=f"no file and no folder gs://{BUCKET}/none"):
            read(f"gs://{BUCKET}/none")


@pytest.mark.slow
def test_a_changed_object_is_seen_by_its_etag(bucket: Any, tmp_path: Path) -> None:
    put(bucket, tmp_path, "rows.csv")
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    asked = (Source(kind="csv", path=f"s3://{BUCKET}/all"), dataset, ColumnLists(target="a"))
    before = source_state(*asked)
    put(bucket, tmp_path, "rows.csv")
    assert find_moves(before, source_state(*asked)) == []
    put(bucket, tmp_path, "rows.csv", FRAME.assign(a=[1, 2, 4]))
    moves = find_moves(before, source_state(*asked))
    assert moves == [f"rows: changed: s3://{BUCKET}/all/rows.csv"]


CONTENT = FRAME.to_csv(index=False).encode()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A web server, and a repository in which nothing was fetched yet."""
    monkeypatch.setattr(http_session, "BACKOFF", 0.0)
    monkeypatch.setattr(http_session, "WAITS", (0.0, 0.0))
    (tmp_path / ".dvc").mkdir()
    monkeypatch.chdir(tmp_path)
    with api_server() as server:
        yield server


def answering(*answers: Answer) -> Callable[[Request], Answer]:
    """Give these answers to one GET after the other, the last one for ever, and to HEAD the last."""
    left = list(answers)
    return lambda asked: left.pop(0) if asked.method == "GET" and len(left) > 1 else left[-1]


@pytest.mark.parametrize("breaks", [0, 1, 2])
def test_a_file_of_a_web_server_arrives_whole(web: Api, breaks: int) -> None:
    whole = Answer(CONTENT, headers={"ETag": "1"})
    web.answer = answering(*[Answer(CONTENT, sent=9)] * breaks, whole)
    pd.testing.assert_frame_equal(read(f"{web.address}/rows.csv"), FRAME)
    pd.testing.assert_frame_equal(read(f"{web.address}/rows.csv?page=1"), FRAME)


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz"])
def test_a_file_that_is_unchanged_is_not_fetched_again(web: Api, name: str) -> None:
    content = gzip.compress(CONTENT, mtime=0) if name.endswith("gz") else CONTENT
    web.answer = lambda asked: Answer(status=304) if "if-none-match" in asked.headers else whole
    whole = Answer(content, headers={"ETag": "1"})
    for _ in range(2):
        pd.testing.assert_frame_equal(read(f"{web.address}/{name}"), FRAME)
    assert [asked.headers.get("if-none-match") for asked in web.gets] == [None, "1"]
    web.answer = lambda _: Answer(b"no,table,of,these\n1,2", headers={"ETag": "2"})
    with pytest.raises(UserError, match=f"^{web.address}/{name}") as caught:
        read(f"{web.address}/{name}")
    assert ".dvc" not in str(caught.value)


def test_a_file_is_fetched_with_the_headers_that_are_set_for_fsspec(
    web: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fsspec.config import conf

    monkeypatch.setitem(conf, "http", {"headers": {"X-Key": "a-key-of-tests"}})
    web.answer = lambda asked: Answer(CONTENT if asked.headers.get("x-key") else b"", 200)
    pd.testing.assert_frame_equal(read(f"{web.address}/rows.csv"), FRAME)
    web.answer = lambda _: Answer(b"no a-key-of-tests", 400)
    with pytest.raises(UserError, match=r"answers 400 Bad Request: no \*\*\*\."):
        read(f"{web.address}/rows.csv")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(status=404), "rows.csv: there is nothing at this address .404"),
        (Answer(status=403), "the server refuses .403 Forbidden.. Check the credentials: ~/.netrc"),
        (Answer(status=401), "the server refuses .401"),
        (Answer(status=500), "the server reports 500 .*, 5 times"),
        (Answer(status=302, headers={"Location": "/rows.csv"}), "redirects more than 10 times"),
        (Answer(CONTENT, sent=9), "rows.csv: the answer broke off 3 times"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_web_server_that_refuses_is_told(
    web: Api, answer: Answer, message: str, kind: str
) -> None:
    web.answer = lambda _: answer
    if kind == "parquet" and answer.sent:
        message = "rows.csv: the store cannot be reached .*not completed"
    with pytest.raises(UserError, match=message):
        read(f"{web.address}/rows.csv", kind)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_server_that_is_not_there_is_told(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "BACKOFF", 0.0)
    with pytest.raises(UserError, match="rows.csv: the server cannot be reached"):
        read("http://127.0.0.1:1/rows.csv", kind)


def test_a_changed_file_is_seen_by_what_the_server_says(web: Api) -> None:
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    asked = (Source(kind="csv", path=f"{web.address}/rows.csv"), dataset, ColumnLists(target="a"))
    states = []
    for tag in ("1", "1", "2"):
        web.answer = lambda _, tag=tag: Answer(CONTENT, headers={"etag": tag})
        states.append(source_state(*asked))
    assert find_moves(states[0], states[1]) == []
    assert find_moves(states[0], states[2]) == [f"rows: changed: {web.address}/rows.csv"]
    assert not web.gets


def test_bytes_are_counted_with_what_is_left(web: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    import fsspec

    shown: list[tuple[int | None, int]] = []

    class Shown(RowProgress):
        def add(self, rows: int, note: str = "") -> None:
            super().add(rows, note)
            shown.append((self.total, self.done))

    monkeypatch.setattr(http_session, "RowProgress", Shown)
    monkeypatch.setattr(stores, "RowProgress", Shown)
    monkeypatch.setattr(http_session, "CHUNK", 16)
    web.answer = lambda _: Answer(CONTENT)
    read(f"{web.address}/rows.csv")
    size = len(CONTENT)
    assert shown == [(size, 16), (size, 32), (size, size)]
    shown.clear()
    fsspec.filesystem("memory").pipe("/progress/rows.csv", CONTENT)
    read("memory://progress/rows.csv")
    assert shown and shown[-1] == (size, size)
