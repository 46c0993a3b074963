"""A prediction log, and the bundles that the tests of serving make."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from seedbed.monitoring.logs import read_log
from seedbed.monitoring.notes import LogNotes
from serving.conftest import built  # noqa: F401


def write(folder: Path, day: str, version: str, requests: list[str], x: list[float]) -> None:
    (folder / day).mkdir(exist_ok=True)
    table = pd.DataFrame(
        {"request_id": requests, "request_row": 0, "model_version": version, "x": x}
    )
    table.astype({"request_row": "int32"}).to_parquet(
        folder / day / f"{version}{requests[0]}.parquet"
    )


def read(log: Path, notes: LogNotes | None = None, **days: date) -> pd.DataFrame:
    return pd.concat(read_log(log, "a", "y", notes or LogNotes(), **days), ignore_index=True)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Three days; on the second another bundle answered as well."""
    write(tmp_path, "2026-01-01", "a", ["a0", "a1"], [1.0, 2.0])
    write(tmp_path, "2026-01-02", "a", ["a2"], [3.0])
    write(tmp_path, "2026-01-02", "b", ["b0", "b1"], [4.0, 5.0])
    write(tmp_path, "2026-01-03", "a", ["a3"], [6.0])
    return tmp_path
