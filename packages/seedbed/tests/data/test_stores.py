"""Files at an address are read as those of this machine are, whole or not at all."""

import gzip
import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data import stores
from seedbed.data.freshness import find_moves, source_state
from seedbed.data.sources import read_source
from seedbed.errors import UserError
from servers import BUCKET, KEYS, s3_place

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
    with pytest.raises(UserError, match=f"s3://{BUCKET}/none holds no rows.csv or"):
        read(f"s3://{BUCKET}/none")
    with pytest.raises(UserError, match="no file matches s3://bucket/all/x\\*.csv"):
        read(f"s3://{BUCKET}/all/x*.csv")
    with pytest.raises(UserError, match=r"s3://no-such-bucket/\*.csv"):
        read("s3://no-such-bucket/*.csv")
    whole = gzip.compress(b"a,b\n" + b"1,x\n" * 9000)
    bucket.pipe_file(f"{BUCKET}/all/rows.csv.gz", whole[: len(whole) // 2])
    with pytest.raises(UserError, match=f"^s3://{BUCKET}/all/rows.csv.gz: .*(damaged|cut off)"):
        read(f"s3://{BUCKET}/all/rows.csv.gz")
    bucket.pipe_file(f"{BUCKET}/all/rows.parquet", b"PAR1 and no more")
    with pytest.raises(UserError, match=f"^s3://{BUCKET}/all/rows.parquet: this is not a whole"):
        read(f"s3://{BUCKET}/all/rows.parquet", "parquet")
    with pytest.raises(UserError, match="such an address cannot be read"):
        read("no-such-store://bucket/rows.csv")


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


BREAKS: list[bool] = []
"""Whether each of the next answers breaks off."""


class Handler(http.server.SimpleHTTPRequestHandler):
    """A web server that breaks off, refuses or redirects for ever where the path says so."""

    def do_GET(self) -> None:
        self.answer(True)

    def do_HEAD(self) -> None:
        self.answer(False)

    def answer(self, with_body: bool) -> None:
        content = FRAME.to_csv(index=False).encode()
        if self.path.startswith("/rows"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", '"one"')
            self.end_headers()
            if with_body:
                self.wfile.write(content[: 9 if BREAKS and BREAKS.pop() else None])
        elif self.path.startswith("/round"):
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        else:
            self.send_error(int(self.path.strip("/")))

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(stores, "WAITS", (0.0, 0.0))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=partial(server.serve_forever, 0.05)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_file_of_a_web_server_arrives_whole(web: str) -> None:
    for breaks in (0, 1, 2):
        BREAKS[:] = [True] * breaks
        pd.testing.assert_frame_equal(read(f"{web}/rows.csv"), FRAME)
    pd.testing.assert_frame_equal(read(f"{web}/rows.csv?page=1"), FRAME)
    BREAKS[:] = [True] * 9
    with pytest.raises(UserError, match="rows.csv: the store cannot be reached"):
        read(f"{web}/rows.csv")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/404", "there is no such file"),
        ("/403", "the store refuses .*403"),
        ("/401", "the store refuses .*401"),
        ("/500", "the store cannot be reached .*500"),
        ("/round", "the store cannot be reached"),
    ],
)
def test_a_web_server_that_refuses_is_told(web: str, path: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read(f"{web}{path}")


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="the store cannot be reached"):
        read("http://127.0.0.1:1/rows.csv")
