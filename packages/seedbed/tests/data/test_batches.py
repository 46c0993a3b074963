"""One result for a table, however it is cut into batches, and nothing is left of a read that broke off."""

import datetime
import threading
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import ColumnLists, Dataset, Join, Source, Table, Window
from seedbed.data import batches as batches_module
from seedbed.data import csv_files, tables
from seedbed.data.batches import BrokenOff, read_ahead, without_empty_end
from seedbed.data.ingesting import assemble_rows, columns_to_read, write_rows
from seedbed.data.sources import READERS, read_batches, read_source
from seedbed.data.tables import read_table, write_table
from seedbed.data.values import read_values
from seedbed.errors import InputError, UserError

LARGE = 2**60 + 1
BASE = Dataset(name="d", tables=[Table(name="rows")], time_zone="Europe/Oslo")
NUMBERS = st.one_of(
    st.integers(-9, 9),
    st.sampled_from([LARGE, -LARGE, 2**53, 2**63, 2**64 - 1, 2**64, 10**30, 0.5, 1e300, 2.0**60]),
    st.none(),
)


def written(found: Any, dataset: Dataset, lists: ColumnLists, path: Path, **others: Any) -> bytes:
    def read(name: str, _types: Any) -> Any:
        return others.get(name, found)

    write_rows(read, dataset, lists, path)
    return (path / "part-00000.parquet").read_bytes()


def cut(frame: pd.DataFrame, places: list[int]) -> list[pd.DataFrame]:
    ends = sorted({min(place, len(frame)) for place in places} | {0, len(frame)})
    return [frame.iloc[start:end] for start, end in pairwise(ends)]


def typed_whole(
    frame: pd.DataFrame, lists: ColumnLists
) -> tuple[pd.DataFrame, dict[str, int | None]]:
    """Return the columns of a whole table, each read at once, and the row of a mistake in one."""
    typed, mistakes = {}, {}
    for name, column in resolve_columns(lists, frame).items():
        try:
            typed[name] = read_values(
                frame[name], name, column.type, BASE.time_zone, exact=column.key
            )
        except InputError as error:
            mistakes[name] = error.row
    return pd.DataFrame(typed), mistakes


@st.composite
def number_columns(draw: st.DrawFn, rows: int) -> pd.Series:
    """Return numbers as pandas may hold them: of one type, of Python's, or as text."""
    values = draw(st.lists(NUMBERS, min_size=rows, max_size=rows))
    how = draw(st.sampled_from(["object", "float64", "Int64", "uint64", "str"]))
    if how == "str":
        return pd.Series([None if value is None else str(value) for value in values], dtype="str")
    if how in ("Int64", "uint64"):
        low, high = (-(2**63), 2**63) if how == "Int64" else (0, 2**64)
        kept = [
            value if isinstance(value, int) and low <= value < high else None for value in values
        ]
        if how == "uint64":
            return pd.Series([value or 0 for value in kept], dtype="uint64")
        return pd.Series(pd.array(kept, dtype="Int64"))
    return pd.Series(values, dtype=how)


@given(data=st.data())
def test_a_table_is_written_in_the_same_bytes_however_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 5)
    rows = data.draw(st.integers(1, 14))
    texts = st.one_of(st.none(), st.sampled_from(["a", "007", "é", "long " * 9]))
    truths = st.one_of(st.none(), st.booleans())
    times = st.one_of(
        st.none(), st.sampled_from(["2024-01-01", "1600-02-03T04:05Z", "2030-06-01T00:00:00+02:00"])
    )
    frame = pd.DataFrame(
        {
            "x": data.draw(number_columns(rows)),
            "y": data.draw(number_columns(rows)),
            "name": pd.Series(
                data.draw(st.lists(texts, min_size=rows, max_size=rows)),
                dtype=data.draw(st.sampled_from(["str", "object", "category"])),
            ),
            "ok": pd.Series(
                data.draw(st.lists(truths, min_size=rows, max_size=rows)), dtype=object
            ),
            "at": pd.Series(data.draw(st.lists(times, min_size=rows, max_size=rows)), dtype="str"),
        }
    )
    lists = ColumnLists(
        target="x", key=["y"], types={"name": "category", "ok": "boolean", "at": "time"}
    )
    places = data.draw(st.lists(st.integers(0, rows), max_size=5))
    whole, mistakes = typed_whole(frame, lists)
    if mistakes:
        with pytest.raises(InputError) as caught:
            written(cut(frame, places), BASE, lists, tmp_path / "cut")
        # Of mistakes in several columns, the one in the earliest batch is named.
        assert caught.value.row == mistakes[caught.value.column]
        return
    if whole["x"].isna().all():
        with pytest.raises(UserError, match=f"nothing but missing values in {rows} rows"):
            written(cut(frame, places), BASE, lists, tmp_path / "cut")
        return
    write_table(whole, tmp_path / "whole")
    expected = (tmp_path / "whole/part-00000.parquet").read_bytes()
    assert written(cut(frame, places), BASE, lists, tmp_path / "cut") == expected
    assert list(tmp_path.glob(".*")) == [], "nothing is left beside the table"


NUMBER_TEXTS = [
    "1",
    "2.5",
    "",
    "NA",
    " 3",
    "9007199254740993",
    "1e18",
    "18446744073709551615",
    "1e3",
]


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(NUMBER_TEXTS),
            st.sampled_from([*NUMBER_TEXTS[:7], "36893488147419103232", "abc"]),
            st.sampled_from(["007", "NA", "", '"a\nb"']),
            st.sampled_from(["True", "False", "", "yes", "1"]),
            st.sampled_from(["2024-01-01", "", "2024-01-01T05:00Z"]),
            st.sampled_from(["x", "1", ""]),
        ),
        min_size=1,
        max_size=9,
    )
)
def test_a_csv_file_gives_the_same_bytes_in_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[tuple[str, ...]]
) -> None:
    file = tmp_path / "rows.csv"
    lines = ["y,k,name,ok,at,unlisted", *(",".join(row) for row in rows)]
    file.write_text("\n".join(lines) + "\n")
    lists = ColumnLists(
        target="y", key=["k"], types={"name": "category", "ok": "boolean", "at": "time"}
    )
    source = Source(kind="csv", path=str(file))

    def written_in(size: int) -> bytes | str:
        monkeypatch.setattr(csv_files, "BATCH", size)

        def read_some(name: str, types: Any) -> Iterator[pd.DataFrame]:
            def needed(names: list[str]) -> list[str]:
                return columns_to_read(name, names, BASE, lists)

            return read_batches(source, BASE, name, types, needed)

        try:
            write_rows(read_some, BASE, lists, tmp_path / "rows")
        except InputError as error:
            return "a value of k cannot be read" if error.column == "k" else str(error)
        except UserError as error:
            return str(error)
        return (tmp_path / "rows/part-00000.parquet").read_bytes()

    assert written_in(2) == written_in(2**16)


TRIPS = ColumnLists(
    target="late", time="at", key=["id"], number=["km", "height", "visits_*"], category=["city"]
)
CITIES = pd.DataFrame({"name": ["Oslo", "Bern", None], "height": [23, LARGE, 1]})
VISITS = pd.DataFrame(
    {
        "town": ["Oslo", "Bern", "Oslo", None, "Oslo"],
        "on": ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-01", None],
        "pay": [1, LARGE, 3, 4, 5],
    }
)
JOINS = [
    Join(table="cities", keys={"city": "name"}, columns=["height"]),
    Join(
        table="visits",
        keys={"city": "town"},
        time="on",
        aggregate={"_rows": ["count"], "pay": ["sum", "last", "max"]},
    ),
]
JOINED = Dataset(
    name="d", tables=[Table(name=name) for name in ("rows", "cities", "visits")], joins=JOINS
)


@given(data=st.data())
def test_window_sample_and_joins_do_not_depend_on_the_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 4)
    rows = data.draw(st.integers(1, 12))
    days = data.draw(st.lists(st.integers(1, 4), min_size=rows, max_size=rows))
    towns = st.sampled_from(["Oslo", "Bern", "Rome", None])
    frame = pd.DataFrame(
        {
            "id": range(rows),
            "at": [f"2024-01-0{day}T12:00:00Z" for day in days],
            "city": data.draw(st.lists(towns, min_size=rows, max_size=rows)),
            "km": [float(day) for day in days],
            "late": 1.5,
        }
    )
    window = data.draw(st.sampled_from([Window(), Window(start="2024-01-02", end="2024-01-04")]))
    sample = data.draw(st.sampled_from([None, 1, 3, 99]))
    dataset = JOINED.model_copy(update={"window": window, "sample": sample})
    others = {"cities": CITIES, "visits": VISITS}
    batches = cut(frame, data.draw(st.lists(st.integers(0, rows), max_size=4)))
    try:
        expected = written(frame, dataset, TRIPS, tmp_path / "whole", **others)
    except UserError as error:
        with pytest.raises(UserError) as caught:
            written(batches, dataset, TRIPS, tmp_path / "cut", **others)
        assert str(caught.value) == str(error)
        return
    assert written(batches, dataset, TRIPS, tmp_path / "cut", **others) == expected
    found = read_table(tmp_path / "cut")
    inside = [place for place, day in enumerate(days) if window.start is None or 2 <= day < 4]
    order = sorted(inside, key=lambda place: days[place])
    places = np.linspace(0, len(order) - 1, min(sample or 99, len(order))).astype(int)
    assert found["id"].tolist() == sorted(order[place] for place in places)
    read = {"rows": batches, **others}
    frames = assemble_rows(lambda name, _types: read[name], dataset, TRIPS)
    pd.testing.assert_frame_equal(frames, found)


def test_messages_count_the_rows_of_the_whole_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"y": ["1", "2", "3", "4", "far"], "at": [f"200{n}" for n in range(5)]})
    lists = ColumnLists(target="y", time="at")
    words = "column y: 1 of the values up to row 5 cannot be read, the first in row 5: 'far'"
    dataset = BASE.model_copy(update={"window": Window(start="2001-06-01")})
    for batches in ([frame], cut(frame, [1, 3])):
        with pytest.raises(InputError, match=words) as caught:
            written(batches, dataset, lists, tmp_path / "rows")
        assert caught.value.row == 4
    empty = BASE.model_copy(update={"window": Window(end="1990-01-01")})
    with pytest.raises(UserError, match="the data run from 2000-01-01 .* to 2004-01-01"):
        written(cut(frame, [2]), empty, lists, tmp_path / "rows")
    assert not list(tmp_path.iterdir())


def test_nothing_is_left_of_a_read_that_broke_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(batches_module, "WAITS", (0.0, 0.0))
    frame = pd.DataFrame({"y": range(9)})
    lists = ColumnLists(target="y")
    breaks = iter([True, True, False])

    def read(_name: str, _types: Any) -> Iterator[pd.DataFrame]:
        yield frame.iloc[:4]
        if next(breaks):
            raise BrokenOff("rows: the connection broke off after 4 rows")
        yield frame.iloc[4:]

    assert write_rows(read, BASE, lists, tmp_path / "rows") == (9, ["y"])
    assert read_table(tmp_path / "rows")["y"].tolist() == list(range(9))
    assert capsys.readouterr().out.count("after 4 rows; reading anew") == 2
    before = (tmp_path / "rows/part-00000.parquet").read_bytes()
    breaks = iter([True] * 3)
    (tmp_path / ".rows.batches.tmp").mkdir()  # of a run that was killed
    with pytest.raises(UserError, match="after 4 rows, 3 times in a row. Nothing was written"):
        write_rows(read, BASE, lists, tmp_path / "rows")
    assert (tmp_path / "rows/part-00000.parquet").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def read_own(monkeypatch: pytest.MonkeyPatch, *parts: pd.DataFrame) -> pd.DataFrame:
    """Read batches by a kind of source that yields these."""
    monkeypatch.setitem(READERS, "csv", lambda *_: iter(parts))
    found = list(read_batches(Source(kind="csv"), BASE, "rows", {}))
    whole = read_source(Source(kind="csv"), BASE, "rows", {})
    assert sum(map(len, found)) == len(whole)
    return whole


def test_rows_at_the_end_that_hold_nothing_are_left_out_of_any_batch() -> None:
    frame = pd.DataFrame({"a": [1, None, 3, None, None], "b": ["x", None, None, None, None]})
    for places in ([], [1], [2, 4], [1, 2, 3, 4]):
        found = list(without_empty_end(cut(frame, places)))
        pd.testing.assert_frame_equal(pd.concat(found), frame.iloc[:3])
    (nothing,) = without_empty_end(cut(frame.iloc[3:], [1]))
    pd.testing.assert_frame_equal(nothing, frame.iloc[:0])


def test_batches_have_the_same_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    first = pd.DataFrame({"a": [1], "b": [2]})
    found = read_own(monkeypatch, first, first[["b", "a"]])
    assert found.to_dict("list") == {"a": [1, 1], "b": [2, 2]}
    with pytest.raises(UserError, match="rows, a later batch: it lacks b, other than"):
        read_own(monkeypatch, first, first[["a"]])


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([[1, 2], [None, None], [3, None]], [1, 2, None, None, 3, None]),
        ([[LARGE], [None], [0.5]], [float(LARGE), None, 0.5]),
        ([[LARGE], [2.0, None]], [LARGE, 2, None]),
        ([pd.array([LARGE, None], dtype="Int64"), [2.0, None]], [LARGE, None, 2, None]),
        ([[None], ["x"], [1]], [None, "x", 1]),
        ([[None], [True], [False, None]], [None, True, False, None]),
        ([[Decimal(LARGE)], [1]], [LARGE, 1]),
        ([[datetime.date(2024, 1, 2)], [None]], [datetime.date(2024, 1, 2), None]),
    ],
)
def test_a_table_of_batches_keeps_every_value(
    monkeypatch: pytest.MonkeyPatch, parts: list[list], expected: list
) -> None:
    found = read_own(monkeypatch, *(pd.DataFrame({"a": part}).assign(b=1) for part in parts))
    assert [None if pd.isna(value) else value for value in found["a"]] == expected


def test_what_is_read_ahead_comes_in_order_from_one_thread_that_ends() -> None:
    threads, closed_in = set(), []

    def read() -> Iterator[int]:
        try:
            for number in range(5):
                threads.add(threading.get_ident())
                yield number
            raise ValueError("after 4")
        finally:
            closed_in.append(threading.get_ident())

    found = []
    with pytest.raises(ValueError, match="after 4"), read_ahead(read) as items:
        for item in items:
            found.append(item)
    with read_ahead(read) as items:
        assert next(items) == 0, "the rest is not wanted"
    assert found == [0, 1, 2, 3, 4]
    assert len(closed_in) == 2, "what a reader holds is closed where it was opened"
    assert threads == set(closed_in)
    assert threading.get_ident() not in threads
    assert not any(thread.name.startswith("read-ahead") for thread in threading.enumerate())


def test_an_interrupt_does_not_wait_for_a_source_that_does_not_answer() -> None:
    answer, answered = threading.Event(), threading.Event()

    def read() -> Iterator[int]:
        yield 0
        answer.wait(30)
        answered.set()

    with pytest.raises(KeyboardInterrupt), read_ahead(read) as items:
        assert next(items) == 0
        raise KeyboardInterrupt
    assert not answered.is_set()
    answer.set()


def test_memory_does_not_grow_with_the_number_of_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROW_GROUP", 10_000)
    lists = ColumnLists(target="y0", key=[f"y{place}" for place in range(1, 10)])

    def peak(count: int) -> int:
        def read(_name: str, _types: Any) -> Iterator[pd.DataFrame]:
            random = np.random.default_rng(0)
            for _ in range(count):
                yield pd.DataFrame({f"y{place}": random.random(10_000) for place in range(10)})

        tracemalloc.start()
        write_rows(read, BASE, lists, tmp_path / "rows")
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)  # imports
    assert peak(40) < 1.5 * peak(4)
