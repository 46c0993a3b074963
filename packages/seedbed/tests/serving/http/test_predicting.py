"""Rows are answered in every format, alike, with warnings for what was not in training."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from http_server import ARROW, CSV, PARQUET, READ, TABLES, WRITE, Server, refusal
from seedbed.serving import Bundle


def by_columns(rows: Any) -> dict[str, Any]:
    return {"columns": {name: [row[name] for row in rows] for name in rows[0]}}


def test_sample_rows_are_answered_as_the_bundle_says(server: Server, bundle: Bundle) -> None:
    rows, expected = bundle.samples.rows, bundle.samples.answers
    answer = server.post({"rows": rows}).json()
    assert answer["answers"] == expected
    assert answer["warnings"] == []
    assert answer["model"] == {"version": bundle.version, "name": "flights"}
    assert server.post(by_columns(rows)).json() == answer
    one = [server.post({"rows": [row]}).json()["answers"][0] for row in rows[:10]]
    assert one == expected[:10]


@pytest.mark.parametrize("kind", WRITE)
def test_a_table_is_answered_as_json_or_as_a_table(
    server: Server, bundle: Bundle, kind: str
) -> None:
    rows, expected = pd.DataFrame(bundle.samples.rows), bundle.samples.answers
    body = WRITE[kind](rows.assign(note="mine"))
    answer = server.post(body, content_type=kind)
    assert answer.json()["answers"] == expected
    assert answer.json()["warnings"] == ["The model does not look at note."]
    for wanted, read in READ.items():
        answer = server.post(body, content_type=f"{kind}; charset=utf-8", accept=wanted)
        assert answer.headers["content-type"].startswith(wanted)
        assert answer.headers["x-model-version"] == bundle.version
        assert json.loads(answer.headers["x-warnings"]) == ["The model does not look at note."]
        table = read(answer.content)
        assert list(table) == [*rows, "note", "prediction", "score"]
        assert table[["prediction", "score"]].to_dict(orient="records") == expected
        assert table["distance"].tolist() == rows["distance"].tolist()


def test_json_comes_back_as_a_table_if_one_is_asked_for(server: Server, row: dict) -> None:
    rows = [row, {**row, "mine": [1, "two"]}]
    table = READ[CSV](server.post({"rows": rows}, accept=CSV).content)
    assert table["mine"].tolist() == ["", "[1, 'two']"]
    assert len(table) == 2


@pytest.mark.parametrize("kind", [PARQUET, ARROW])
def test_columns_of_any_plain_type_come_back(server: Server, row: dict, kind: str) -> None:
    moment = pd.Timestamp("2013-06-01T17:00:00-04:00")
    more = pa.table(
        {
            "décimal": pa.array([Decimal("1.50")]),
            "day": pa.array([date(2013, 6, 1)]),
            "moment": pa.array([moment], pa.timestamp("ns", "America/New_York")),
            "clock": pa.array([datetime(2013, 6, 1)], pa.timestamp("s")),
            "half": pa.array([np.float16(0.5)]),
            "nothing": pa.nulls(1),
            "large": pa.array([2**64 - 1], pa.uint64()),
            "word": pa.array(["a"]).dictionary_encode(),
            "number": pa.array([7]).dictionary_encode(),
        }
    )
    rows = pa.Table.from_pandas(pd.DataFrame([row]), preserve_index=False)
    for name in more.column_names:
        rows = rows.append_column(name, more[name])
    for wanted in (CSV, PARQUET, ARROW):
        answer = server.post(TABLES[kind](rows), content_type=kind, accept=wanted)
        assert answer.status_code == 200, answer.text
        found = READ[wanted](answer.content)
        assert list(found)[-2 - more.num_columns :] == [
            *more.column_names, "prediction", "score"
        ]  # fmt: skip
        assert str(found["décimal"][0]) in ("1.50", "1.5")
        assert found["large"][0] == 2**64 - 1
        assert json.loads(answer.headers["x-warnings"])[-1].endswith("and 4 more.")


@pytest.mark.parametrize("value", [[1], {"a": 1}, "text", 1, 1.5, True, None, 2**63, 10**30])
def test_any_value_of_another_column_comes_back(server: Server, row: dict, value: Any) -> None:
    for wanted in (CSV, PARQUET, ARROW):
        answer = server.post({"rows": [{**row, "mine": value}]}, accept=wanted)
        assert answer.status_code == 200, answer.text
        assert "mine" in READ[wanted](answer.content)


def test_many_rows_are_answered_as_few_are(server: Server, bundle: Bundle) -> None:
    rows = [*bundle.samples.rows] * 12
    answer = server.post({"rows": rows}).json()
    assert answer["answers"] == [*bundle.samples.answers] * 12
    assert server.post(by_columns(rows)).json() == answer


@pytest.mark.parametrize("times", [1, 100])
def test_values_beyond_training_are_answered_with_a_warning(
    server: Server, row: dict, times: int
) -> None:
    strange = {**row, "carrier": "ZZ", "distance": 99999, "time_hour": None, "extra": 1}
    answer = server.post({"rows": [strange] * times}).json()
    assert len(answer["answers"]) == times
    begins = [warning.split(" ")[0] for warning in answer["warnings"]]
    assert begins == ["carrier", "distance", "time_hour", "The"]


def test_a_column_named_as_an_answer_is_not_overwritten(server: Server, row: dict) -> None:
    body = pd.DataFrame([{**row, "score": 1}]).to_csv(index=False).encode()
    assert server.post(body, content_type=CSV).status_code == 200
    error = refusal(server.post(body, content_type=CSV, accept=CSV), 422)
    assert error["where"] == "columns.score"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html, */*;q=0.8", "application/json"),
        ("application/*", "application/json"),
        ("TEXT/CSV;q=0.9, application/json;q=0.8", CSV),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json; charset=utf-8; q=0, text/*; q=0.1", CSV),
        ("*/*, application/json;q=0", CSV),
        ("*/*, text/csv", CSV),
        ("text/*", CSV),
    ],
)
def test_the_answer_is_of_the_type_that_is_accepted(
    server: Server, row: dict, accept: str, content_type: str
) -> None:
    answer = server.post({"rows": [row]}, accept=accept)
    assert answer.headers["content-type"].startswith(content_type)


def test_a_number_of_the_client_is_taken_if_it_is_one(server: Server, row: dict) -> None:
    assert server.post({"rows": [row]}, x_request_id="a-1").headers["x-request-id"] == "a-1"
    for wrong in ("a b", "x" * 65, '"', "a\tb"):
        answer = server.post({"rows": [row]}, x_request_id=wrong)
        assert answer.status_code == 200
        assert answer.headers["x-request-id"] != wrong


def test_the_log_has_a_line_a_request_and_no_values(server: Server, row: dict) -> None:
    server.post({"rows": [{**row, "carrier": "SECRET"}]}, x_request_id="in-the-log")
    server.post({"rows": [{**row, "distance": "SECRET"}]}, x_request_id="wrong")
    server.wait_for("request", id="wrong")
    good, wrong = (
        next(line for line in server.lines("request") if line["id"] == number)
        for number in ("in-the-log", "wrong")
    )
    assert good.items() >= {"route": "/predict", "status": 200, "rows": 1}.items()
    assert good["ms"] > 0
    assert wrong.items() >= {"status": 422, "where": "rows[0].distance", "error": "rows"}.items()
    assert "SECRET" not in server.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("times", [1, 100])
def test_the_metrics_count_rows_predictions_missing_and_unseen_values(
    server: Server, row: dict, times: int
) -> None:
    names = ("rows", "missing_values", "unseen_values", "predictions", "scores")

    def counted() -> list[float]:
        return [server.metric(f"seedbed_{name}_total") for name in names]

    def of_column(name: str, column: str) -> float:
        return server.metric(f"seedbed_{name}_values_total", column=column)

    impossible = {"temp": None, "humid": 500.0}  # cleaning makes the second missing too
    nulls = sum(value is None or name in impossible for name, value in row.items())
    before = [*counted(), of_column("unseen", "carrier"), of_column("missing", "temp")]
    strange = {**row, "carrier": "ZZ", "distance": 99999, **impossible}
    answers = server.post({"rows": [strange] * times}).json()["answers"]
    after = [*counted(), of_column("unseen", "carrier"), of_column("missing", "temp")]
    found = [now - then for now, then in zip(after, before, strict=True)]
    assert found == [times * each for each in (1, nulls, 2, 1, 1, 1, 1)]
    prediction = str(answers[0]["prediction"])
    assert server.metric("seedbed_predictions_total", prediction=prediction) >= times


def test_the_metrics_tell_requests_and_errors_apart(server: Server, row: dict) -> None:
    def requests(status: str) -> float:
        labels = {"route": "/predict", "status": status}
        return server.metric("seedbed_request_seconds_count", **labels)

    before = requests("200"), requests("422"), server.metric("seedbed_errors_total", kind="rows")
    server.post({"rows": [row]})
    server.post({"rows": [{}]})
    after = requests("200"), requests("422"), server.metric("seedbed_errors_total", kind="rows")
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1, 1]


def test_metadata_tell_what_the_bundle_is(server: Server, bundle: Bundle) -> None:
    about = server.client.get("/metadata").json()
    assert about["model"] == {"version": bundle.version, "name": "flights"}
    names = [column["name"] for column in about["signature"]["columns"]]
    assert names == list(bundle.samples.rows[0])
    assert about["packages"] == bundle.packages
    assert about["metrics"] == bundle.metrics
    assert about["problem"]["task"] == "binary"
    assert server.client.get("/ready").json() == {"status": "ready", "model": about["model"]}


def test_the_examples_of_the_description_are_answered_as_it_says(server: Server) -> None:
    described = server.client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    examples = described["requestBody"]["content"]["application/json"]["examples"]
    expected = described["responses"]["200"]["content"]["application/json"]["examples"]["rows"]
    assert set(examples) == {"one row", "rows", "columns"}
    assert server.post(examples["rows"]["value"]).json() == expected["value"]
    assert server.post(examples["columns"]["value"]).json() == expected["value"]
    assert server.post(examples["one row"]["value"]).status_code == 200
