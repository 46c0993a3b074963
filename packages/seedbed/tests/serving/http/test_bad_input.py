"""What cannot be answered is refused with its place, what was wrong, and what is allowed."""

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from http_server import ARROW, CSV, PARQUET, Server, in_arrow, in_parquet, refusal
from seedbed.serving import Bundle

NAMES = [f"column {place}" for place in range(200)]
DEEP = b"[" * 100_000
NESTED = b'{"rows": ' + b'[{"a": ' * 400 + b"1" + b"}]" * 400 + b"}"


@pytest.mark.parametrize(
    ("body", "status", "where", "message"),
    [
        (b"", 400, "body", "not JSON"),
        (b"{", 400, "body", "not JSON"),
        (b'{"rows": [{"a": NaN}]}', 400, "body", "not JSON"),
        (b'{"rows": [{"a": Infinity}]}', 400, "body", "not JSON"),
        (b'{"rows": [{"a": 1e400}]}', 400, "body", "infinity"),
        (b'{"rows": [{"a": "\xff"}]}', 400, "body", "UTF-8"),
        (b'{"rows": [{"a": "\\ud800"}]}', 400, "body", "surrogate"),
        (b"\xef\xbb\xbf{}", 400, "body", "byte order mark"),
        (DEEP, 400, "body", "depth"),
        (NESTED, 422, "rows[0].sched_dep_time", "lacks the columns"),
        (b'{"rows": [{"a": 1, "a": 2}]}', 400, "body", "'a' stands twice"),
        (b'{"rows": [{"a" : 1, "a":2}]}', 400, "body", "'a' stands twice"),
        (b'{"rows": [{"a": 1, "\\u0061": 2}]}', 400, "body", "'a' stands twice"),
        (b'{"rows": [], "rows": []}', 400, "body", "'rows' stands twice"),
        (b'{"columns": {"a": [1], "a": [2]}}', 400, "body", "'a' stands twice"),
        (b'{"rows": [{"a": {"b": 1, "b": 2}}]}', 400, "body", "'b' stands twice"),
        (b"[]", 422, "body", "is a list"),
        (b"null", 422, "body", "is a null"),
        (b"1", 422, "body", "is a number"),
        (b'"rows"', 422, "body", "is a text"),
        (b"{}", 422, "body", "none"),
        (b'{"row": []}', 422, "body", "'row'"),
        (b'{"rows": [], "columns": {}}', 422, "body", "'rows', 'columns'"),
        (b'{"rows": {}}', 422, "body", "rows is a object, and not a list"),
        (b'{"columns": []}', 422, "body", "columns is a list, and not a object"),
        (b'{"rows": []}', 422, "rows", "no rows"),
        (b'{"columns": {}}', 422, "columns", "no rows"),
        (b'{"rows": [1]}', 422, "rows[0]", "is a number"),
        (b'{"rows": [[]]}', 422, "rows[0]", "is a list"),
        (b'{"rows": [{}]}', 422, "rows[0].sched_dep_time", "lacks the columns"),
        (b'{"columns": {"a": 1}}', 422, "columns.a", "are a number"),
        (b'{"columns": {"a": [1], "b": []}}', 422, "columns.b", "has 0 values, and a has 1"),
    ],
)
def test_bodies_of_another_form_are_refused(
    server: Server, body: bytes, status: int, where: str, message: str
) -> None:
    error = refusal(server.post(body), status)
    assert error["where"] == where
    assert message in error["message"]


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("distance", "far", "a number, without quotes"),
        ("distance", "1", "a number, without quotes"),
        ("distance", True, "a number, without quotes"),
        ("distance", [1], "a number, without quotes"),
        ("distance", {}, "a number, without quotes"),
        ("distance", 1e39, "a finite number"),
        ("distance", -(10**400), "JSON"),
        ("distance", 10**30 * 10**20, "a finite number"),
        ("carrier", 1, "text, in quotes"),
        ("carrier", False, "text, in quotes"),
        ("carrier", ["AA"], "text, in quotes"),
        ("time_hour", "now", "a time in ISO 8601"),
        ("time_hour", "", "a time in ISO 8601"),
        ("time_hour", 1370120400, "a time in ISO 8601"),
        ("time_hour", "2013-13-01T00:00:00", "a time in ISO 8601"),
        ("time_hour", "2013-11-03T01:30:00", "a time with its offset"),
    ],
)
@pytest.mark.parametrize("count", [4, 100])
def test_a_value_of_another_type_is_refused_with_its_place(
    server: Server, row: dict, column: str, value: Any, allowed: str, count: int
) -> None:
    rows = [dict(row) for _ in range(count)]
    rows[3][column] = value
    for body, where in (
        ({"rows": rows}, f"rows[3].{column}"),
        ({"columns": {name: [r[name] for r in rows] for name in row}}, f"columns.{column}[3]"),
    ):
        response = server.post(body)
        if allowed == "JSON":
            assert refusal(response, 400)["where"] == "body"
            continue
        error = refusal(response, 422)
        assert error["where"] == where
        assert error["allowed"].startswith(allowed)


def test_a_missing_column_is_named_with_its_row(server: Server, row: dict) -> None:
    lacking = {name: value for name, value in row.items() if name != "distance"}
    error = refusal(server.post({"rows": [row, lacking]}), 422)
    assert error["where"] == "rows[1].distance"
    assert error["allowed"] == "distance (number)"
    error = refusal(server.post({"columns": {name: [v] * 99 for name, v in lacking.items()}}), 422)
    assert error["where"] == "columns.distance"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 415),
        ("", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/jsonx", 415),
        ("application/json; charset=utf-8", 200),
        ("APPLICATION/JSON", 200),
    ],
)
def test_a_wrong_content_type_is_refused(
    server: Server, row: dict, kind: str | None, status: int
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    content = json.dumps({"rows": [row]}).encode()
    response = server.client.post("/predict", content=content, headers=headers)
    assert response.status_code == status
    if status == 415:
        assert "application/json, text/csv" in refusal(response, 415)["allowed"]


def test_other_answers_encodings_paths_and_methods_are_refused(server: Server, row: dict) -> None:
    error = refusal(server.post({"rows": [row]}, accept="image/png"), 406)
    assert error["where"] == "headers.accept"
    error = refusal(server.post(b"x", content_encoding="gzip"), 415)
    assert error["where"] == "headers.content-encoding"
    assert "/openapi.json" in refusal(server.client.get("/nothing"), 404)["allowed"]
    response = server.client.get("/predict")
    refusal(response, 405)
    assert response.headers["allow"] == "POST"


def table(**columns: Any) -> pa.Table:
    return pa.table(columns)


@pytest.mark.parametrize(
    ("kind", "body", "status", "where"),
    [
        (CSV, b"", 400, "body"),
        (CSV, b"a,b\n1\n", 400, "body"),
        (CSV, b"a,b\n1,2,3\n", 400, "body"),
        (CSV, b'a,b\n1,"2\n', 400, "body"),
        (CSV, b"a,b\n1,\xff\n", 400, "body"),
        (CSV, b"a,\xff\n1,2\n", 400, "body"),
        (CSV, b"a,a\n1,2\n", 422, "columns.a"),
        (CSV, b'distance,"b\n1,2\n', 400, "body"),
        (CSV, b"distance\r\r\n1\n", 422, "rows.sched_dep_time"),
        (CSV, b'"dist"ance,b\n1,2\n', 422, "rows.sched_dep_time"),
        (CSV, b"\n\n\n", 400, "body"),
        (CSV, b"a,b\n1,2\n", 422, "rows.sched_dep_time"),
        (CSV, b"distance;carrier\n1;2\n", 400, "body"),
        (CSV, b"distance;carrier\n1,5;2\n", 400, "body"),
        (CSV, b"a,b\n", 422, "rows"),
        (CSV, b"\x00" * 100, 400, "body"),
        (CSV, b"a\n" + b"1\n" * 3001, 413, "rows"),
        (CSV, b"," * 100_000, 413, "columns"),
        (PARQUET, b"", 400, "body"),
        (PARQUET, b"PAR1", 400, "body"),
        (PARQUET, b"PAR1" + b"x" * 100 + b"PAR1", 400, "body"),
        (PARQUET, in_parquet(table(a=[1])), 422, "rows.sched_dep_time"),
        (PARQUET, in_parquet(table(a=[[1]])), 422, "columns.a"),
        (PARQUET, in_parquet(table(a=[{"b": 1}])), 422, "columns.a"),
        (PARQUET, in_parquet(table(a=[1] * 3001)), 413, "rows"),
        (PARQUET, in_parquet(table(a=["x" * 10_000] * 3000)), 413, "body"),
        (PARQUET, in_parquet(table(a=pa.array(["x" * 9999] * 999, "large_string"))), 413, "body"),
        (PARQUET, in_parquet(table(a=[b"x" * 10_000] * 3000)), 422, "columns.a"),
        (PARQUET, in_parquet(pa.table([[0.0] * 3000] * 200, NAMES)), 413, "body"),
        (ARROW, in_arrow(table(a=[0.0] * 900_000), "zstd"), 413, "body"),
        (ARROW, in_arrow(table(a=["x" * 900] * 2999), "zstd"), 422, "rows.sched_dep_time"),
        (ARROW, in_arrow(table(a=pa.array(["x" * 900] * 2999).dictionary_encode()), "zstd"), 422, "rows.sched_dep_time"),
        (ARROW, b"", 400, "body"),
        (ARROW, b"ARROW1\x00\x00", 400, "body"),
        (ARROW, b"\xff\xff\xff\xff" * 20, 400, "body"),
    ],
)  # fmt: skip
def test_damaged_and_large_tables_are_refused(
    server: Server, kind: str, body: bytes, status: int, where: str
) -> None:
    assert refusal(server.post(body, content_type=kind), status)["where"] == where


@pytest.mark.parametrize(
    ("column", "text", "message"),
    [("distance", "far", "1 of 4 values"), ("distance", "1_0", "1 of 4 values")],
)
def test_a_text_in_a_number_column_of_csv_is_refused_with_its_row(
    server: Server, row: dict, column: str, text: str, message: str
) -> None:
    frame = pd.DataFrame([row] * 4).astype({column: object})
    frame.loc[2, column] = text
    error = refusal(server.post(frame.to_csv(index=False).encode(), content_type=CSV), 422)
    assert error["where"] == f"rows[2].{column}"
    assert message in error["message"]


def test_thousands_of_rows_are_refused_beyond_the_limit(server: Server, row: dict) -> None:
    error = refusal(server.post({"rows": [{}] * 3001}), 413)
    assert error == {
        "where": "rows",
        "message": "There are 3,001 rows. Send them in parts, or use `seedbed score`.",
        "allowed": "at most 3,000 rows",
    }


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_before_it_is_read(server: Server, chunked: bool) -> None:
    parts = [b" " * 100_000] * 40
    response = server.client.post(
        "/predict",
        content=iter(parts) if chunked else b"".join(parts),
        headers={"content-type": "application/json"},
    )
    assert refusal(response, 413)["allowed"] == "at most 524,288 bytes"


def test_what_came_in_chunks_is_answered(server: Server, bundle: Bundle) -> None:
    body = json.dumps({"rows": bundle.samples.rows}).encode()
    parts = (body[start : start + 1000] for start in range(0, len(body), 1000))
    response = server.client.post(
        "/predict", content=parts, headers={"content-type": "application/json"}
    )
    assert response.json()["answers"] == bundle.samples.answers


def test_no_mistake_of_the_server_was_found_on_the_way(server: Server) -> None:
    assert [line for line in server.lines("request") if line["status"] >= 500] == []
    assert server.process_lives()
