"""One result for a table, however it is cut into batches, and nothing is left of a read that broke off."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.config.columns import resolve_columns
from seedbed.config.schema import ColumnLists, Dataset, Table
from seedbed.data import tables
from seedbed.data.ingesting import write_rows
from seedbed.data.tables import write_table
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
    return [frame.iloc[a:b] for a, b in zip(ends, ends[1:], strict=False)]


def typed_whole(frame: pd.DataFrame, lists: ColumnLists, dataset: Dataset) -> pd.DataFrame:
    """Return the columns of a whole table, each read at once."""
    return pd.DataFrame(
        {
            name: read_values(frame[name], name, column.type, dataset.time_zone, exact=column.key)
            for name, column in resolve_columns(lists, frame).items()
        }
    )


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


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
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
    try:
        whole = typed_whole(frame, lists, BASE)
    except InputError as error:
        with pytest.raises(InputError) as caught:
            written(cut(frame, places), BASE, lists, tmp_path / "cut")
        assert (caught.value.column, caught.value.row) == (error.column, error.row)
        return
    if whole["x"].isna().all():
        with pytest.raises(UserError, match=f"nothing but missing values in {rows} rows"):
            written(cut(frame, places), BASE, lists, tmp_path / "cut")
        return
    write_table(whole, tmp_path / "whole")
    expected = (tmp_path / "whole/part-00000.parquet").read_bytes()
    assert written(cut(frame, places), BASE, lists, tmp_path / "cut") == expected
    assert list(tmp_path.glob(".*")) == [], "nothing is left beside the table"
