"""A table comes back as it was written, in the same bytes each time, and replaces the one before as a whole."""

from pathlib import Path

import pandas as pd
import pytest

from seedbed.data.tables import read_table, write_table
from seedbed.errors import UserError


def table() -> pd.DataFrame:
    at = (
        pd.to_datetime(["2024-03-31T00:30:00Z", None])
        .tz_convert("Europe/Oslo")
        .astype("datetime64[us, Europe/Oslo]")
    )
    return pd.DataFrame(
        {
            "whole": [1, 2],
            "part": [0.5, None],
            "text": pd.Series(["é", None], dtype="str"),
            "flag": pd.array([True, None], dtype="boolean"),
            "key": pd.Series([2**64 - 1, 0], dtype="uint64"),
            "at": at,
        }
    )


def test_types_and_missing_values_come_back(tmp_path: Path) -> None:
    write_table(table().set_axis([5, 3]), tmp_path / "rows")
    pd.testing.assert_frame_equal(read_table(tmp_path / "rows"), table())
    assert list(read_table(tmp_path / "rows", ["at", "whole"]).columns) == ["at", "whole"]


def test_equal_rows_give_equal_bytes_and_replace_what_was_there(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_table(table(), tmp_path / name)
    files = [list((tmp_path / name).iterdir()) for name in ("a", "b")]
    assert files[0][0].read_bytes() == files[1][0].read_bytes()
    (tmp_path / "a/part-00001.parquet").write_bytes(files[0][0].read_bytes())
    write_table(table().iloc[:1], tmp_path / "a")
    assert len(read_table(tmp_path / "a")) == 1


def test_a_table_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match="nowhere: there is no such table. Run `dvc repro` or `dvc pull`"
    ):
        read_table(tmp_path / "nowhere")
