"""Rows are answered in every format, alike, with warnings for what was not in training."""

import json
from typing import Any

import pandas as pd
import pytest

from http_server import CSV, READ, WRITE, Server, refusal
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
        ("TEXT/CSV;q=0.9, application/json", CSV),
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
