"""Ingest prints what it wrote, and which columns of the source it left out."""

from pathlib import Path

import pytest

from project.stages.ingest import ingest
from seedbed.config.joins import Join
from seedbed.config.schema import ColumnLists, Dataset, Source, Table
from seedbed.data.tables import read_table

COLUMNS = ColumnLists(target="late", key=["id"], number=["heigh*"])


@pytest.mark.parametrize(
    ("header", "left_out"),
    [
        ("id,late,shop", None),
        ("id,late,shop,Colour,size", "left out, since columns does not list them: Colour, size\n"),
    ],
)
def test_columns_that_nobody_lists_are_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    header: str,
    left_out: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    rest = ",7" * header.count(",")
    Path("data/source").mkdir(parents=True)
    Path("data/source/trips.csv").write_text(f"{header}\n1{rest}\n2{rest}\n")
    Path("data/source/shops.csv").write_text("shop,height,also\n7,30,1\n")
    join = Join(table="shops", keys=["shop"], columns=["height"])
    tables = [Table(name="trips"), Table(name="shops")]
    dataset = Dataset(name="trips", tables=tables, joins=[join])
    ingest(dataset, Source(kind="csv", path="data/source"), COLUMNS)
    # Columns of a joined table that the join does not take are not named.
    assert capsys.readouterr().out == f"2 rows, 3 columns\n{left_out or ''}"
    assert list(read_table(Path("data/raw")).columns) == ["id", "late", "height"]
