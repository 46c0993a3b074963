"""A server that keeps what it was asked and answered."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from http_server import CSV, WRITE, serving
from seedbed.cli.serve import serve
from seedbed.data.tables import read_table
from seedbed.errors import UserError

Built = Callable[[str], Path]


def test_requests_of_each_kind_are_kept_under_their_id(
    built: Built, row: dict[str, Any], tmp_path: Path
) -> None:
    raw = read_table(built("flights") / "data/raw").head(60)
    with serving(
        built("flights") / "models/bundle", tmp_path / "stderr", "--log", str(tmp_path / "log"),
        "--log-without", "time",
    ) as server:  # fmt: skip
        few = server.post({"rows": [row, row]}, x_request_id="few").json()
        table = server.post(WRITE[CSV](raw), content_type=CSV, x_request_id="table").json()
        refused = server.post({"rows": [{}]}, x_request_id="refused")
        assert refused.status_code == 422
        server.process.terminate()
        assert server.process.wait(30) == 0
    files = sorted((tmp_path / "log").glob("*/*.parquet"))
    kept = pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)
    assert kept["request_id"].value_counts().to_dict() == {"table": 60, "few": 2}
    for request, answered in (("few", few), ("table", table)):
        found = kept[kept["request_id"] == request].sort_values("request_row")
        assert found["answer_score"].tolist() == [row["score"] for row in answered["answers"]]
        assert set(found["model_version"]) == {answered["model"]["version"]}
    assert "distance" in kept
    assert "time_hour" not in kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_without": "keys"}, "--log-without: keys is no role"),
        ({"log_rate": 0.0}, "rate of the prediction log is 0"),
        ({"log_days": 0}, "kept for 0 days"),
    ],
)
def test_wrong_options_are_refused(
    options: dict[str, Any], message: str, built: Built, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        serve(str(built("flights") / "models/bundle"), port=0, log=tmp_path / "log", **options)
