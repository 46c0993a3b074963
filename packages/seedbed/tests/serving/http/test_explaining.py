"""POST /explain over HTTP: the same explanations in every format, and what is refused."""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import httpx
import jsonschema
import pandas as pd
import pytest

from http_server import Server, refusal
from seedbed.serving import Bundle
from seedbed.serving.explaining import METHOD, explain

ROWS = 3


def ask(server: Server, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kinds = {"content-type": "application/json", **named}
    return server.client.post("/explain", content=content, headers=kinds)


def test_rows_are_explained_as_in_process(server: Server, bundle: Bundle) -> None:
    rows = list(bundle.samples.rows[:ROWS])
    expected = json.loads(json.dumps([asdict(explain(bundle, row)) for row in rows]))
    answer = ask(server, {"rows": rows}).json()
    assert answer["model"] == {"version": bundle.version, "name": "flights"}
    assert answer["method"] == METHOD
    assert answer["explanations"] == expected
    predicted = server.post({"rows": rows}).json()["answers"]
    for explanation, answered in zip(answer["explanations"], predicted, strict=True):
        assert explanation["prediction"] == answered["prediction"]
        assert explanation["score"] == answered["score"]
    frame = pd.DataFrame(rows)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    assert ask(server, {"columns": columns}).json()["explanations"] == expected
    for kind, body in (
        ("text/csv", frame.to_csv(index=False).encode()),
        ("application/vnd.apache.parquet", frame.to_parquet(index=False)),
        (
            "application/vnd.apache.parquet",
            frame.assign(distance=frame["distance"].map(Decimal)).to_parquet(index=False),
        ),
    ):
        assert ask(server, body, content_type=kind).json()["explanations"] == expected, kind


@pytest.mark.parametrize(
    ("change", "headers", "status", "where"),
    [
        ({"distance": "far"}, {}, 422, "rows[0].distance"),
        ({"distance": [1]}, {}, 422, "rows[0].distance"),
        ({"carrier": 7}, {}, 422, "rows[0].carrier"),
        (None, {}, 422, "rows[0].sched_dep_time"),
        ({}, {"accept": "text/csv"}, 406, "headers.accept"),
        ({}, {"content_type": "text/plain"}, 415, "headers.content-type"),
    ],
)
def test_bad_rows_are_refused(
    server: Server, row: dict[str, Any], change: Any, headers: Any, status: int, where: str
) -> None:
    sent = {} if change is None else {**row, **change}
    assert refusal(ask(server, {"rows": [sent]}, **headers), status)["where"] == where


def test_only_few_rows_are_explained(server: Server, row: dict[str, Any]) -> None:
    error = refusal(ask(server, {"rows": [row] * 11}), 413)
    assert error["allowed"] == "at most 10 rows"
    assert refusal(ask(server, {"rows": []}), 422)["where"] == "rows"


def test_explanations_are_as_the_description_says(server: Server, row: dict[str, Any]) -> None:
    described = server.client.get("/openapi.json").json()
    kinds = described["paths"]["/explain"]["post"]["responses"]["200"]["content"]
    schema = {**kinds["application/json"]["schema"], "components": described["components"]}
    answer = ask(server, {"rows": [row]}).json()
    jsonschema.validate(answer, schema)
    del answer["explanations"][0]["effects"]["distance"]
    with pytest.raises(jsonschema.ValidationError, match="'distance' is a required property"):
        jsonschema.validate(answer, schema)
